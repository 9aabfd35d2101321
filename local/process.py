"""A process of ours that outlives its starter, remembered by a pid file."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Process:
    """A named process with `<name>.pid` and `<name>.log` in a folder.

    The pid file also holds the process's start time: a pid that another process has got since is not ours.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start the process in a session of its own, its output appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            output = [(os.POSIX_SPAWN_DUP2, log.fileno(), stream) for stream in (1, 2)]
            no_input = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            pid = os.posix_spawnp(
                command[0], command, environ, file_actions=[no_input, *output], setsid=True
            )
        self._pid_file.write_text(f"{pid} {_started(pid)}")

    @property
    def pid(self) -> int | None:
        """Pid of the process; None if it does not run."""
        with suppress(OSError, ValueError):
            pid, started = self._pid_file.read_text().split()
            if _started(int(pid)) == started:
                return int(pid)
        return None

    def stop(self, timeout: float = 30.0) -> bool:
        """Ask the process to end and wait; kill it after `timeout` seconds. False if it did not run."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            if not until(lambda: self.pid is None, timeout):
                self.kill()
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, by default the one that nothing survives, and wait for the end if it is that one."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, how)
            if how == signal.SIGKILL:
                until(lambda: self.pid is None, 10)

    def last_lines(self, count: int = 5) -> str:
        """The end of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])


def until(holds: Callable[[], bool], timeout: float, pause: float = 0.05) -> bool:
    """Wait until something holds; False if it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def listening(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether anything accepts connections at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(wanted: int = 0) -> int:
    """The wanted port if it is free, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("this machine has no free port left")


def _started(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot, proc(5) field 22; None for a dead or defunct one."""
    with suppress(OSError, ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of this process would stay behind as a zombie
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    return None
