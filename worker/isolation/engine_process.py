"""An engine in a process of its own, replaced whenever it fails."""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Literal

from faces.config import Settings
from worker.isolation import wire
from worker.isolation.template_process import Loaded, TemplateLost, TemplateProcess
from worker.isolation.wire import Answer

TRIAL_TIMEOUT = 60.0  # seconds for a forked child to find one drawn face

Kind = Literal["crash", "hang", "memory", "failed"]

log = logging.getLogger(__name__)


class Fault(Exception):  # noqa: N818 -- it says what happened
    """A child failed on a batch.

    `at` is the number of the picture that it was at; None while it encoded the faces of all.
    """

    def __init__(self, kind: Kind, reason: str, at: int | None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.at = at


class EngineProcess:
    """An engine behind a child process. Belongs to one thread.

    `engine` is the `module:function` that makes it, and begins to load at once; `timeout` is how many seconds a
    child may take over one picture. After `start`, `loaded` tells what was loaded.
    """

    def __init__(self, settings: Settings, engine: str, timeout: float) -> None:
        self._settings = settings
        self._engine = engine
        self._timeout = timeout
        self._template = TemplateProcess(settings, engine)
        self._child: Connection | None = None
        self._forks = True
        self.loaded = Loaded("", 0)

    def start(self) -> None:
        """Wait for the engine, and see that a forked child of it works.

        Raises:
            SettingError: a setting cannot be used.
            MismatchError: the engine failed its self-test.
            TemplateLost: the process ended without a reason, which is then in the log.
        """
        self.loaded = self._template.wait()
        try:
            self._ask([], memory=0, timeout=TRIAL_TIMEOUT)
        except Fault as fault:
            log.warning("this engine cannot be forked (%s): after a fault it is loaded again", fault)
            self._forks = False
            self._replace_template()

    def find(self, pictures: Sequence[bytes], memory: int) -> Answer:
        """Find the faces of pictures; a child may take `memory` bytes of data (0: unlimited).

        Raises:
            Fault: the child failed, and is replaced.
        """
        return self._ask(pictures, memory, self._timeout)

    def renew(self) -> str:
        """End the child, so that the next batch has a new one; return how it ended."""
        child, self._child = self._child, None
        if child is not None:
            child.close()
        if not self._forks:
            return _how(self._replace_template())
        try:
            return _how(self._template.end_child())
        except TemplateLost as error:
            log.warning("%s; loading another", error)
            return _how(self._replace_template())

    def close(self) -> None:
        """End all processes of the engine."""
        self._template.close()

    def _replace_template(self) -> int:
        code = self._template.close()
        self._child = None
        self._template = TemplateProcess(self._settings, self._engine)
        self._template.wait()
        return code

    def _open(self) -> Connection:
        if not self._forks:
            return self._template.serve()
        try:
            return self._template.fork()
        except TemplateLost as error:
            log.warning("%s; loading another", error)
            self._replace_template()
            return self._template.fork()

    def _ask(self, pictures: Sequence[bytes], memory: int, timeout: float) -> Answer:
        if self._child is None:
            self._child = self._open()
        at: int | None = 0
        try:
            wire.send_batch(self._child, pictures, memory)
            while self._child.poll(timeout):
                document = wire.receive(self._child)
                if "at" in document:
                    at = document["at"]
                elif "fault" in document:
                    self.renew()
                    raise Fault(document["fault"], document["reason"], at)
                else:
                    return wire.read_answer(document, self._child.recv_bytes())
        except (EOFError, OSError):
            raise Fault("crash", self.renew(), at) from None
        except (ValueError, KeyError, TypeError) as error:
            self.renew()
            raise Fault("crash", f"its answer is damaged ({error})", at) from error
        self.renew()
        raise Fault("hang", f"no progress for {timeout:g} s", at)


def _how(code: int) -> str:
    """Say how a process ended, by its exit code; below zero for a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
