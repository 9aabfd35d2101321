"""A worker with a quick engine that is killed when it first comes to a step.

`python -m tests.support.processes.crashing_worker STEP`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from faces.config import Settings
from faces.messaging.event_log import EventLog
from faces.store.client import Command, RedisClient, Session
from tests.support.processes.quick_worker import ENGINE
from worker.__main__ import main
from worker.app import Worker, build


def die(*_: Any, **__: Any) -> Any:
    """End as a power failure would."""
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingLog(EventLog):
    """Dies instead of logging an event."""

    def __init__(self, settings: Settings, event: str) -> None:
        super().__init__(settings, "worker")
        self._last = event

    def debug(self, event: str, **fields: Any) -> None:
        if event == self._last:
            die()
        super().debug(event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        if event == self._last:
            die()
        super().info(event, **fields)


class CrashingSession(Session):
    """Dies around a transaction."""

    def __init__(self, inner: Session, *, before: bool) -> None:
        super().__init__(inner._connection)
        self._before = before

    def commit(self, *commands: Command) -> Any:
        if not self._before:
            super().commit(*commands)
        return die()


class CrashingRedis(RedisClient):
    """Dies around the first transaction."""

    def __init__(self, settings: Settings, *, before: bool) -> None:
        super().__init__(settings)
        self._before = before

    @contextmanager
    def session(self) -> Iterator[Session]:
        with super().session() as session:
            yield CrashingSession(session, before=self._before)


def build_crashing(settings: Settings, stopping: threading.Event) -> Worker:
    match sys.argv[1]:
        case "before encode":
            return build(settings, stopping, engine=ENGINE, event_log=CrashingLog(settings, "taken"))
        case "before exec":
            return build(settings, stopping, engine=ENGINE, redis=CrashingRedis(settings, before=True))
        case "after exec":
            return build(settings, stopping, engine=ENGINE, redis=CrashingRedis(settings, before=False))
        case "before ack":
            return build(settings, stopping, engine=ENGINE, event_log=CrashingLog(settings, "done"))
        case step:
            raise SystemExit(f"no such step: {step}")


if __name__ == "__main__":
    sys.exit(main(build_crashing))
