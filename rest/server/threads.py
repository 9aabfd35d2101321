"""The threads that handle requests; of the idle ones the last to have worked is first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], None]
Inbox = SimpleQueue[Work | None]


class Threads:
    """At most so many threads, each started when there is work and no other is idle.

    The pool of concurrent.futures hands all work through one queue, whose lock wakes a second thread for nothing
    each time; here each thread waits for its own. Work must not raise.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._idle: list[Inbox] = []
        self._waiting: deque[Work] = deque()
        self._closed = False
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """All threads are at work, and more is waiting for one."""
        return bool(self._waiting)

    def submit(self, work: Work) -> None:
        """Have work done as soon as a thread is free."""
        with self._lock:
            if not self._idle:
                if self._started == self._most:
                    self._waiting.append(work)
                else:
                    self._started += 1
                    threading.Thread(
                        target=self._serve, args=(work,), name=f"request {self._started}"
                    ).start()
                return
            inbox = self._idle.pop()
        inbox.put(work)

    def shutdown(self, *, wait: bool) -> None:  # noqa: ARG002 -- as gunicorn calls it; the interpreter waits at its end
        """Have each thread end after the work it has; what waits is still done."""
        with self._lock:
            self._closed = True
            for inbox in self._idle:
                inbox.put(None)
            self._idle.clear()

    def _serve(self, first: Work) -> None:
        inbox: Inbox = SimpleQueue()
        work: Work | None = first
        while work is not None:
            work()
            work = self._next(inbox)

    def _next(self, inbox: Inbox) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._closed:
                return None
            self._idle.append(inbox)
        return inbox.get()
