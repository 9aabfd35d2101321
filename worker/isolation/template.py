"""`python -m worker.isolation.template FD ENGINE`: loads the engine and forks children. Started by the worker.

It has one connection to the worker, over which it is asked (`wire.CONTROL`):

- `F`, with a file descriptor: fork a child that serves on it; answered with its pid.
- `S`, with a file descriptor: serve on it itself, for an engine whose forked copy does not work; likewise.
- `E`, with a pid: end this child; answered with its status as wait(2) has it.

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

from faces.config import Settings
from faces.documents import to_json
from faces.errors import MismatchError, SettingError
from faces.formats.limits import Limits
from faces.process import process_log
from faces.process.until_stopped import when_stopped
from worker.engine.portrait import Drawing
from worker.engine.types import Engine
from worker.health.memory import data_size
from worker.isolation.child import Child
from worker.isolation.wire import CONTROL

PR_SET_PDEATHSIG = 1  # prctl(2)


class Template:
    """Forks children with a loaded engine."""

    def __init__(self, engine: Engine, limits: Limits, control: socket.socket) -> None:
        self._engine = engine
        self._limits = limits
        self._control = control
        self._children: set[int] = set()

    def run(self) -> None:
        """Do what the worker asks until it closes the connection."""
        while True:
            request, descriptors, *_ = socket.recv_fds(self._control, CONTROL.size, 1)
            if len(request) < CONTROL.size:
                return
            match CONTROL.unpack(request):
                case b"F", _:
                    self._answer(self._fork(descriptors[0]))
                case b"S", _:
                    self._answer(os.getpid())
                    Child(self._engine, self._limits, Connection(descriptors[0])).serve()
                    return
                case b"E", pid:
                    self._answer(self._end(pid))

    def _answer(self, number: int) -> None:
        self._control.sendall(CONTROL.pack(b"A", number))

    def _fork(self, descriptor: int) -> int:
        pid = os.fork()
        if pid == 0:
            self._serve(descriptor)
        os.close(descriptor)
        self._children.add(pid)
        return pid

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

    def _end(self, pid: int) -> int:
        """End a child; return its status."""
        if pid not in self._children:
            return signal.SIGKILL  # it ended with the template before this one
        self._children.remove(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1]


def main(descriptor: int, reference: str) -> None:
    """Load the engine that `module:function` makes, report, and serve."""
    when_stopped(signal.SIG_IGN)  # the worker stops first, and this follows
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
