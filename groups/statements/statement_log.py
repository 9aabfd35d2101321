"""The log of all statements, including withdrawn ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from groups.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class Provenance:
    """Time of a statement in Unix seconds, the author's API key, and the time of withdrawal or None."""

    time: float
    key: str
    withdrawn: float | None = None


class StatementLog:
    """Statements by number."""

    def __init__(self, every: dict[int, tuple[Statement, Provenance]] | None = None) -> None:
        self.every = every or {}
        self._changed: set[int] = set()

    @property
    def last(self) -> int:
        """Number of the latest statement; 0 if there is none."""
        return max(self.every, default=0)

    def standing(self) -> Iterator[Statement]:
        """Active statements, in order."""
        return (statement for _, (statement, made) in sorted(self.every.items()) if made.withdrawn is None)

    def note(self, statement: Statement, made: Provenance) -> None:
        """Add or replace a statement."""
        self.every[statement.number] = statement, made
        self._changed.add(statement.number)

    def withdraw(self, number: int, time: float) -> None:
        """Mark a statement as withdrawn."""
        statement, made = self.every[number]
        self.note(statement, replace(made, withdrawn=time))

    def forget(self, picture: bytes, time: float) -> None:
        """Remove the faces of an erased picture; a cover that loses its face is withdrawn."""
        for statement, made in list(self.every.values()):
            if any(face.picture == picture for face in statement.faces):
                void = statement.kind == "cover" and made.withdrawn is None
                self.note(_without(statement, picture), replace(made, withdrawn=time) if void else made)

    def drain(self) -> set[int]:
        """Return and reset the numbers of changed statements."""
        changed, self._changed = self._changed, set()
        return changed


def _without(statement: Statement, picture: bytes) -> Statement:
    kept = [index for index, face in enumerate(statement.faces) if face.picture != picture]
    faces = tuple(statement.faces[index] for index in kept)
    was = tuple(statement.was[index] for index in kept) if statement.was else ()
    return replace(statement, faces=faces, was=was)
