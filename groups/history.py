"""Every statement that was ever made, when and by whom, withdrawn or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from groups.statement import Statement


@dataclass(frozen=True, slots=True)
class Made:
    """When a statement was made, in Unix seconds, and by whose API key; `withdrawn` is when it was, or None."""

    time: float
    key: str
    withdrawn: float | None = None


class History:
    """Statements by number."""

    def __init__(self, every: dict[int, tuple[Statement, Made]] | None = None) -> None:
        self.every = every or {}
        self._changed: set[int] = set()

    @property
    def last(self) -> int:
        """Number of the last statement; 0 before the first."""
        return max(self.every, default=0)

    def standing(self) -> Iterator[Statement]:
        """Those that stand, in their order."""
        return (statement for _, (statement, made) in sorted(self.every.items()) if made.withdrawn is None)

    def note(self, statement: Statement, made: Made) -> None:
        """Note a new statement."""
        self.every[statement.number] = statement, made
        self._changed.add(statement.number)

    def withdraw(self, number: int, time: float) -> None:
        """Note that a statement no longer stands."""
        statement, made = self.every[number]
        self.note(statement, replace(made, withdrawn=time))

    def forget(self, picture: bytes, time: float) -> None:
        """Forget the faces of a picture that is erased; a cover without its face is withdrawn."""
        for statement, made in list(self.every.values()):
            if any(face.picture == picture for face in statement.faces):
                void = statement.kind == "cover" and made.withdrawn is None
                self.note(_without(statement, picture), replace(made, withdrawn=time) if void else made)

    def drain(self) -> set[int]:
        """Numbers of the statements that have changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed


def _without(statement: Statement, picture: bytes) -> Statement:
    kept = [index for index, face in enumerate(statement.faces) if face.picture != picture]
    faces = tuple(statement.faces[index] for index in kept)
    was = tuple(statement.was[index] for index in kept) if statement.was else ()
    return replace(statement, faces=faces, was=was)
