"""The retry policy: a pure function of the error and the number of attempts."""

from __future__ import annotations

import random
from dataclasses import dataclass

from faces.errors import FacefleetError, MessageError, NewerMessageError, Permanent
from faces.messaging.topology import RETRY_DELAYS

MAX_RETRIES = 12  # a little over an hour with the ladder's delays
MAX_STARTS = 3  # restarts of a picture after a worker died while processing it


@dataclass(frozen=True, slots=True)
class Fail:
    """Mark the picture as failed, with the error's code and message."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Move the message to the dead letters, with the reason."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Put the message on a rung of the retry ladder; it returns after `wait` seconds, at most `rung`."""

    rung: int
    wait: float


Decision = Fail | DeadLetter | RetryAfter


def decide(error: FacefleetError, attempt: int, jitter: float | None = None) -> Decision:
    """Decide what follows an error on the `attempt`-th retry (0: the first try).

    The wait is the rung's delay minus up to half of it at random, so that messages that failed together do not
    return together; `jitter`, 0 to 1, replaces the random number.
    """
    newer = isinstance(error, NewerMessageError) and attempt < MAX_RETRIES
    if isinstance(error, MessageError) and not newer:
        return DeadLetter()
    if not newer and (isinstance(error, Permanent) or attempt >= MAX_RETRIES):
        return Fail()
    rung = RETRY_DELAYS[min(attempt, len(RETRY_DELAYS) - 1)]
    chance = random.random() if jitter is None else jitter  # noqa: S311 -- spreads load; not security
    return RetryAfter(rung, rung * (1 - chance / 2))
