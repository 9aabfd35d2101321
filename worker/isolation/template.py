"""`python -m worker.isolation.template FD ENGINE`: loads the engine and forks children. Started by the worker.

It has one connection to the worker, over which it is asked, with one byte each:

- `F` and a file descriptor: fork a child that serves on it; answered with its pid.
- `S` and a file descriptor: serve on it itself, for an engine whose forked copy does not work; likewise.
- `E`: end the child; answered with its status as wait(2) has it.

It never looks at a picture, except after `S`.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from threadpoolctl import threadpool_limits

from faces import process_log
from faces.config import Settings
from faces.documents import to_json
from faces.errors import MismatchError, SettingError
from faces.formats.header import Limits
from worker.engine.portrait import Drawing
from worker.engine.types import Engine
from worker.health.memory import data_size
from worker.isolation.child import Child

PR_SET_PDEATHSIG = 1  # prctl(2)


class Template:
    """Forks children with a loaded engine, one at a time."""

    def __init__(self, engine: Engine, limits: Limits, control: socket.socket) -> None:
        self._engine = engine
        self._limits = limits
        self._control = control
        self._child: int | None = None

    def run(self) -> None:
        """Do what the worker asks until it closes the connection."""
        while True:
            request, descriptors, *_ = socket.recv_fds(self._control, 1, 1)
            match request:
                case b"F":
                    self._fork(descriptors[0])
                case b"S":
                    self._control.sendall(os.getpid().to_bytes(4, "little"))
                    Child(self._engine, self._limits, Connection(descriptors[0])).serve()
                    return
                case b"E":
                    self._control.sendall(self._end().to_bytes(4, "little"))
                case _:
                    return

    def _fork(self, descriptor: int) -> None:
        self._end()
        pid = os.fork()
        if pid == 0:
            self._serve(descriptor)
        os.close(descriptor)
        self._child = pid
        self._control.sendall(pid.to_bytes(4, "little"))

    def _serve(self, descriptor: int) -> NoReturn:
        """Be the child."""
        code = 1
        try:
            self._control.close()
            die_with_parent()
            Child(self._engine, self._limits, Connection(descriptor)).serve()
            code = 0
        finally:
            os._exit(code)

    def _end(self) -> int:
        """End the child, if there is one; return its status."""
        pid, self._child = self._child, None
        if pid is None:
            return 0
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]


def main(descriptor: int, reference: str) -> None:
    """Load the engine that `module:function` makes, report, and serve."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the worker stops first, and this follows
    die_with_parent()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # rather this than the worker with its index
    control = socket.socket(fileno=descriptor)
    settings: Settings = pickle.loads(Connection(os.dup(descriptor)).recv_bytes())  # noqa: S301 -- from the worker
    process_log.install(settings)
    try:
        engine = _loaded(settings, reference)
    except (SettingError, MismatchError) as error:
        _report(descriptor, {"error": type(error).__name__, "reason": str(error)})
        return
    _report(descriptor, {"model": engine.model, "data": data_size()})
    Template(engine, Limits.of(settings), control).run()


def _loaded(settings: Settings, reference: str) -> Engine:
    threadpool_limits(1)  # NumPy's; workers share a machine by cores
    module, _, name = reference.partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)(settings)
    engine.find([Drawing(320)])  # so that no picture waits for a compiler
    gc.collect()
    gc.freeze()  # children share these pages as long as nobody writes to them
    return engine


def _report(descriptor: int, document: dict[str, object]) -> None:
    Connection(os.dup(descriptor)).send_bytes(to_json(document).encode())


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it was quicker


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
