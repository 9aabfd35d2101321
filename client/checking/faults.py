"""What a check finds wrong."""

from __future__ import annotations

from dataclasses import dataclass

LISTED = 20  # kept with their sentences; the rest is counted


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule of the databases that does not hold, and where."""

    rule: int
    where: str


class Faults:
    """Faults, counted; the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Fault] = []

    def add(self, rule: int, where: str) -> None:
        """Record a fault."""
        self.count += 1
        if len(self.first) < LISTED:
            self.first.append(Fault(rule, where))
