"""The worker's handle on a template: a process that has loaded the engine and forks children."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from faces.config import Settings, environment_without_secrets
from faces.errors import MismatchError, SettingError
from worker.isolation.wire import CONTROL

LOAD_TIMEOUT = 600.0  # seconds for the engine to load, compiling its kernels included
ANSWER_TIMEOUT = 30  # seconds for the template to fork a child, or to end one
SEND_TIMEOUT = struct.pack("ll", ANSWER_TIMEOUT, 0)  # a timeval: for a child to take a batch

ERRORS = {"SettingError": SettingError, "MismatchError": MismatchError}

log = logging.getLogger(__name__)


class TemplateLost(Exception):  # noqa: N818 -- it says what happened
    """The template has ended or does not answer."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a template reports: its engine's model, and its size in bytes of data."""

    model: str
    data: int


class TemplateProcess:
    """A template, which begins to load its engine at once. Threads may share it.

    `engine` is the `module:function` that makes it. Secrets do not leave the worker. `forks` is false for an engine
    whose forked copy does not work: then the template itself serves, and a fault costs another load.
    """

    def __init__(self, settings: Settings, engine: str) -> None:
        self._settings = settings
        self._engine = engine
        self._lock = threading.RLock()
        self.forks = True
        self._spawn()

    def wait(self) -> Loaded:
        """Wait until the engine is loaded.

        Raises:
            SettingError: a setting cannot be used.
            MismatchError: the engine failed its self-test.
            TemplateLost: it ended without a reason, which is then in the log.
        """
        try:
            with Connection(os.dup(self._control.fileno())) as connection:
                if not connection.poll(LOAD_TIMEOUT):
                    raise TemplateLost(f"the engine did not load within {LOAD_TIMEOUT:g} s")
                report = json.loads(connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise TemplateLost("the engine's process ended while loading; see the log above") from error
        self._control.settimeout(ANSWER_TIMEOUT)
        if "error" in report:
            raise ERRORS[report["error"]](report["reason"])
        return Loaded(report["model"], report["data"])

    def open(self, nice: int) -> tuple[Connection, int]:
        """Start a child; return the connection to it, and its pid.

        Raises:
            TemplateLost: neither this template nor another one can.
        """
        with self._lock:
            try:
                return self._open(nice)
            except TemplateLost as error:
                log.warning("%s; loading another", error)
                self.replace()
                return self._open(nice)

    def end(self, pid: int) -> int:
        """End a child; return its exit code, below zero for a signal."""
        with self._lock:
            if not self.forks:
                return self.replace()
            try:
                return os.waitstatus_to_exitcode(self._ask(b"E", pid))
            except TemplateLost as error:
                log.warning("%s; loading another", error)
                self.replace()
                return -signal.SIGKILL

    def replace(self) -> int:
        """Load another template; return the exit code of this one. Its children end with it."""
        code = self.close()
        self._spawn()
        self.wait()
        return code

    def close(self) -> int:
        """End the template and its children; return its exit code."""
        self._control.close()
        self._process.kill()
        return self._process.wait()

    def _spawn(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", "worker.isolation.template", str(theirs.fileno()), self._engine],
                pass_fds=[theirs.fileno()],
                env=environment_without_secrets(),
            )
        with suppress(OSError), Connection(os.dup(self._control.fileno())) as connection:
            connection.send_bytes(pickle.dumps(self._settings.without_secrets()))

    def _open(self, nice: int) -> tuple[Connection, int]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
            pid = self._ask(b"F" if self.forks else b"S", 0, theirs.fileno())
            if nice:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, pid, nice)
            return Connection(ours.detach()), pid

    def _ask(self, request: bytes, pid: int, *descriptors: int) -> int:
        try:
            socket.send_fds(self._control, [CONTROL.pack(request, pid)], descriptors)
            answer = self._control.recv(CONTROL.size)
        except OSError as error:
            raise TemplateLost(f"the engine's template does not answer: {error}") from error
        if len(answer) < CONTROL.size:
            raise TemplateLost("the engine's template has ended")
        number: int = CONTROL.unpack(answer)[1]
        return number
