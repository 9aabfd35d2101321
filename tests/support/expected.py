"""What the databases should have: every operation once more, on plain dicts, with nobody else about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faces.store.pictures.accept import Receipt
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.outcome import Outcome


@dataclass
class Expected:
    """Pictures by hash, names, counts."""

    states: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, dict[int, str]] = field(default_factory=dict)
    owners: dict[str, tuple[int, str]] = field(default_factory=dict)
    encodings: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failed_before: set[str] = field(default_factory=set)

    def accept(self, receipt: Receipt) -> None:
        sending = receipt.claim
        state = self.states.get(sending.picture_id)
        if state == "done":
            self._settle([(sending.number, sending.name, sending.picture_id)])
            return
        self.waiting.setdefault(sending.picture_id, {})[sending.number] = sending.name
        if state is None:
            self.counts["accepted"] += 1
        if state == "failed":
            self.counts["failed"] -= 1
            self.failed_before.add(sending.picture_id)
        self.states[sending.picture_id] = "pending"

    def withdraw(self, receipt: Receipt) -> bool:
        picture = receipt.claim.picture_id
        if receipt.claim.number not in self.waiting.get(picture, {}):
            return False
        del self.waiting[picture][receipt.claim.number]
        if not self.waiting[picture]:
            del self.waiting[picture], self.states[picture]
            if picture in self.failed_before:
                self.failed_before.discard(picture)
                self.states[picture] = "failed"
                self.counts["failed"] += 1
            else:
                self.counts["accepted"] -= 1
        return True

    def commit(self, batch: Sequence[DetectionResult]) -> list[Outcome]:
        outcomes = [self._outcome(found.picture_id) for found in batch]
        sent = []
        for found, outcome in zip(batch, outcomes, strict=True):
            if outcome is Outcome.DONE:
                sent += [
                    (n, name, found.picture_id) for n, name in self._end(found.picture_id, "done").items()
                ]
                if found.encodings:
                    self.encodings[found.picture_id] = found.encodings
        self._settle(sent)
        return outcomes

    def fail(self, picture: str) -> Outcome:
        outcome = self._outcome(picture)
        if outcome is Outcome.DONE:
            self._end(picture, "failed")
        return outcome

    def erase(self, picture: str) -> tuple[str | None, list[str], int]:
        """State, names and count of faces that go."""
        self.failed_before.discard(picture)
        state = self.states.pop(picture, None)
        names = {n for n, (_, owner) in self.owners.items() if owner == picture}
        for name in names:
            del self.owners[name]
        if state is not None:
            self.counts["erased"] += 1
        if state in {"done", "failed"}:
            self.counts[state] -= 1
        waiting = set(self.waiting.pop(picture, {}).values())
        return state, sorted(names | waiting), len(self.encodings.pop(picture, ()))

    @property
    def names(self) -> dict[str, str]:
        return {name: picture for name, (_, picture) in self.owners.items()}

    @property
    def hashes(self) -> dict[str, set[str]]:
        hashes: dict[str, set[str]] = {}
        for name, picture in self.names.items():
            hashes.setdefault(picture, set()).add(name)
        return hashes

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(self.counts[key] for key in ("accepted", "done", "failed", "erased"))

    @property
    def in_flight(self) -> int:
        return list(self.states.values()).count("pending")

    def _outcome(self, picture: str) -> Outcome:
        states = {"pending": Outcome.DONE, "done": Outcome.ALREADY, "failed": Outcome.ALREADY}
        return states.get(self.states.get(picture, ""), Outcome.GONE)

    def _end(self, picture: str, state: str) -> dict[int, str]:
        self.failed_before.discard(picture)
        self.states[picture] = state
        self.counts[state] += 1
        return self.waiting.pop(picture)

    def _settle(self, sent: Iterable[tuple[int, str, str]]) -> None:
        for number, name, picture in sorted(sent):
            if number >= self.owners.get(name, (0, ""))[0]:
                self.owners[name] = (number, picture)
