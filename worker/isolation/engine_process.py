"""An engine in a child process, replaced whenever it fails."""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from worker.isolation import wire
from worker.isolation.template_process import Loaded, TemplateProcess
from worker.isolation.wire import Answer

MIN_WAIT = 0.01  # seconds for which it is worth waiting on
TRIAL_TIMEOUT = 60.0  # seconds for a forked child to find one drawn face

Kind = Literal["crash", "hang", "memory", "failed"]

log = logging.getLogger(__name__)


class Fault(Exception):  # noqa: N818 -- it says what happened
    """A child failed on a batch.

    `at` is the number of the picture that it was at; None while it encoded the faces of all.
    """

    def __init__(self, kind: Kind, reason: str, at: int | None = 0) -> None:
        super().__init__(reason)
        self.kind = kind
        self.at = at


class EngineProcess:
    """An engine behind a child process of a template. Belongs to one thread; `nice` is the child's priority."""

    def __init__(self, template: TemplateProcess, nice: int = 0) -> None:
        self._template = template
        self._nice = nice
        self._child: tuple[Connection, int] | None = None

    @property
    def pid(self) -> int:
        """Pid of the child; 0 if there is none now."""
        return self._child[1] if self._child else 0

    def find(self, pictures: Sequence[bytes], memory: int, timeout: float) -> Answer:
        """Find the faces of pictures; of none: a trial.

        Args:
            pictures: the bytes of each.
            memory: bytes of data that the child may take; 0: unlimited.
            timeout: seconds that it may take over one picture; encoding the faces of all may take as many for each.
                Those in which it only waits for a processor do not count.

        Raises:
            Fault: the child failed, and is replaced.
            TemplateLost: it cannot be replaced.
        """
        if self._child is None:
            self._child = self._template.open(self._nice)
        connection, pid = self._child
        at: int | None = 0
        try:
            wire.send_batch(connection, pictures, memory)
            while _answers(connection, pid, timeout if at is not None else timeout * (len(pictures) or 1)):
                document = wire.receive(connection)
                if "at" in document:  # it goes on, and has its time again
                    at = wire.read_at(document, len(pictures))
                elif "fault" in document:
                    self.renew()
                    raise Fault(document["fault"], document["reason"], at)
                else:
                    return wire.read_answer(document, connection.recv_bytes(), len(pictures))
        except (EOFError, OSError):
            raise Fault("crash", self.renew(), at) from None
        except (ValueError, KeyError, TypeError) as error:
            self.renew()
            raise Fault("crash", f"its answer is damaged ({error})", at) from error
        self.renew()
        raise Fault("hang", f"no progress for {timeout:.1f} s", at)

    def renew(self) -> str:
        """End the child, so that the next batch has a new one; return how it ended."""
        if self._child is None:
            return ""
        (connection, pid), self._child = self._child, None
        connection.close()
        return _how(self._template.end(pid))


def start(template: TemplateProcess) -> Loaded:
    """Wait for a template to load its engine, and see whether a forked copy of it works.

    Raises:
        SettingError: a setting cannot be used.
        MismatchError: the engine failed its self-test.
        TemplateLost: the process ended without a reason, which is then in the log.
    """
    loaded = template.wait()
    trial = EngineProcess(template)
    try:
        trial.find([], memory=0, timeout=TRIAL_TIMEOUT)
        trial.renew()
    except Fault as fault:
        log.warning("this engine cannot be forked (%s): after a fault it is loaded again", fault)
        template.forks = False
        template.replace()
    return loaded


def _answers(connection: Connection, pid: int, timeout: float) -> bool:
    """Wait until a child says something; False if it does not within `timeout` seconds of its own time."""
    waited = _waited(pid)
    while not connection.poll(timeout):
        before, waited = waited, _waited(pid)
        timeout = waited - before
        if timeout < MIN_WAIT:
            return False
    return True


def _waited(pid: int) -> float:
    """Seconds for which a process was ready to run and had no processor; 0 where the kernel does not tell.

    The second number of /proc/PID/schedstat, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
    """
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def _how(code: int) -> str:
    """Say how a process ended, by its exit code; below zero for a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
