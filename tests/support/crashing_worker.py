"""A worker that is killed when it first comes to a step: `python -m tests.support.crashing_worker STEP`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from faces.store.client import Session
from worker import consumer, job
from worker.__main__ import main


def die(*_: Any, **__: Any) -> Any:
    """End as a power failure would."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(step: Callable[..., Any]) -> Callable[..., Any]:
    """Do a step, then die."""

    def run(*args: Any, **kwargs: Any) -> Any:
        step(*args, **kwargs)
        die()

    return run


if __name__ == "__main__":
    match sys.argv[1]:
        case "before encode":
            job.Jobs._find = die  # type: ignore[method-assign]  # that is the point
        case "before exec":
            Session.commit = die  # type: ignore[method-assign]
        case "after exec":
            Session.commit = die_after(Session.commit)  # type: ignore[method-assign]
        case "before ack":
            consumer.Acknowledgements.add = die  # type: ignore[method-assign]
    sys.exit(main())
