"""What becomes of a picture when a worker is done with it."""

from __future__ import annotations

from enum import Enum

from faces.store.pictures.status import Status


class Outcome(Enum):
    """What became of a picture in a commit."""

    DONE = "done"
    ALREADY = "already done or failed before"
    GONE = "erased or withdrawn before it was done"
    DAMAGED = "its status document cannot be read"


def outcome_of(status: Status | None) -> Outcome:
    """What becomes of a picture that has this status before its result is written."""
    if status is None:
        return Outcome.GONE
    if status.state == "damaged":
        return Outcome.DAMAGED
    return Outcome.DONE if status.state == "pending" else Outcome.ALREADY
