"""What to do with a picture that did not succeed: a pure function of the error and of what was tried."""

from __future__ import annotations

import random
from dataclasses import dataclass

from faces.errors import FacefleetError, MessageError, Permanent
from faces.topology import RETRY_DELAYS

MOST_RETRIES = 12  # with the ladder's delays: a little over an hour
MOST_STARTS = 3  # times that a picture may be begun again after the worker died with it


@dataclass(frozen=True, slots=True)
class Fail:
    """Mark the picture as failed, with the error's code and sentence."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Keep the message among the dead letters, with the reason."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Put the message on a rung of the retry ladder; it comes back after `wait` seconds, at most `rung`."""

    rung: int
    wait: float


Decision = Fail | DeadLetter | RetryAfter


def decide(error: FacefleetError, attempt: int, jitter: float | None = None) -> Decision:
    """Decide what follows an error on the `attempt`-th retry (0: the first try).

    The wait is the rung's delay, shortened at random by up to half, so that what failed together does not come
    back together; `jitter`, 0 to 1, takes the place of chance in tests.
    """
    if isinstance(error, MessageError):
        return DeadLetter()
    if isinstance(error, Permanent) or attempt >= MOST_RETRIES:
        return Fail()
    rung = RETRY_DELAYS[min(attempt, len(RETRY_DELAYS) - 1)]
    chance = random.random() if jitter is None else jitter  # noqa: S311 -- spreads load, keeps no secret
    return RetryAfter(rung, rung * (1 - chance / 2))
