"""The worker's handle on a template: a process that has loaded the engine and forks children."""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from faces.config import Settings, environment_without_secrets
from faces.errors import MismatchError, SettingError

LOAD_TIMEOUT = 600.0  # seconds for the engine to load, compiling its kernels included
ANSWER_TIMEOUT = 30  # seconds for the template to fork a child, or to end one
SEND_TIMEOUT = struct.pack("ll", ANSWER_TIMEOUT, 0)  # a timeval: for a child to take a batch

ERRORS = {"SettingError": SettingError, "MismatchError": MismatchError}


class TemplateLost(Exception):  # noqa: N818 -- it says what happened
    """The template has ended or does not answer."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a template reports: its engine's model, and its size in bytes of data."""

    model: str
    data: int


class TemplateProcess:
    """A template, which begins to load its engine at once. Belongs to one thread.

    `engine` is the `module:function` that makes it. Secrets do not leave the worker.
    """

    def __init__(self, settings: Settings, engine: str) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", "worker.isolation.template", str(theirs.fileno()), engine],
                pass_fds=[theirs.fileno()],
                env=environment_without_secrets(),
            )
        with suppress(OSError), self._connection() as connection:  # `wait` says that it has ended
            connection.send_bytes(pickle.dumps(settings.without_secrets()))

    def wait(self) -> Loaded:
        """Wait until the engine is loaded.

        Raises:
            SettingError: a setting cannot be used.
            MismatchError: the engine failed its self-test.
            TemplateLost: it ended without a reason, which is then in the log.
        """
        try:
            with self._connection() as connection:
                if not connection.poll(LOAD_TIMEOUT):
                    raise TemplateLost(f"the engine did not load within {LOAD_TIMEOUT:g} s")
                report = json.loads(connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise TemplateLost("the engine's process ended while loading; see the log above") from error
        if "error" in report:
            raise ERRORS[report["error"]](report["reason"])
        return Loaded(report["model"], report["data"])

    def fork(self) -> Connection:
        """Fork a child, and return the connection to it.

        Raises:
            TemplateLost: it cannot.
        """
        return self._open(b"F")

    def serve(self) -> Connection:
        """Have the template itself serve, for the rest of its life."""
        return self._open(b"S")

    def end_child(self) -> int:
        """End the child; return its exit code, below zero for a signal.

        Raises:
            TemplateLost: it cannot.
        """
        return os.waitstatus_to_exitcode(self._ask(b"E"))

    def close(self) -> int:
        """End the template and its child; return its exit code, below zero for a signal."""
        self._control.close()
        self._process.kill()
        return self._process.wait()

    def _open(self, request: bytes) -> Connection:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
            self._ask(request, theirs.fileno())
            return Connection(ours.detach())

    def _ask(self, request: bytes, *descriptors: int) -> int:
        try:
            self._control.settimeout(ANSWER_TIMEOUT)
            socket.send_fds(self._control, [request], descriptors)
            answer = self._control.recv(4)
        except OSError as error:
            raise TemplateLost(f"the engine's template does not answer: {error}") from error
        if len(answer) < 4:
            raise TemplateLost("the engine's template has ended")
        return int.from_bytes(answer, "little")

    def _connection(self) -> Connection:
        self._control.setblocking(True)
        return Connection(os.dup(self._control.fileno()))
