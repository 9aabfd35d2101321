"""What an import tells at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from client.importing.layouts import Left
from client.importing.stating import Outcome
from client.terminal import BOLD, GREEN, RED, paint, printable, table
from faces.documents import to_json

LISTED = 20  # pictures left out that are shown; --json has all


@dataclass(frozen=True)
class Report:
    """What became of each person's faces, and the pictures that nothing is stated about."""

    outcomes: Sequence[Outcome]
    left: Sequence[Left]

    @classmethod
    def of(
        cls, outcomes: Sequence[Outcome], names: Mapping[str, Sequence[str]], left: Sequence[Left]
    ) -> Report:
        """Add the faces that were left to the pictures that were; `names` has the pictures of each face."""
        of_faces = [
            Left(name, outcome.name, reason)
            for outcome in outcomes
            for face, reason in outcome.left.items()
            for name in names[face]
        ]
        return cls(outcomes, [*left, *of_faces])

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            people = [
                {"name": one.name, "id": one.id, "already": one.already, "stated": one.stated}
                for one in self.outcomes
            ]
            print(to_json({"people": people, "left": [asdict(one) for one in self.left]}))
            return
        rows = [(one.name, one.id, one.already, one.stated, len(one.left) or None) for one in self.outcomes]
        print(table(rows, ("name", "id", "faces already", "faces stated", "left")))
        if self.left:
            self._list()
        else:
            print(paint("every picture is assigned to its person", GREEN))

    def _list(self) -> None:
        print(paint("left as they are:", BOLD))
        for one in self.left[:LISTED]:
            print(f"  {paint(printable(one.name), RED)}  {printable(one.reason)}")
        if len(self.left) > LISTED:
            print(f"  and {len(self.left) - LISTED:,} more; --json lists all")
