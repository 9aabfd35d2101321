"""A process that outlives its starter, tracked by a pid file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOT = Path("/proc/sys/kernel/random/boot_id")
MAX_LOG = 20 << 20  # bytes; a larger log is rotated at the next start

# The process writes its own pid file before it becomes the program, so a starter killed in between leaves no
# untracked program behind. Field 22 of stat(5) is the start time.
LAUNCH = f'echo "$$ $(cut -d" " -f22 "/proc/$$/stat") $(cat {BOOT})" >"$0" && exec "$@"'


class _Outliving(subprocess.Popen[bytes]):
    """A child that is meant to go on when this object is gone, which Popen warns of."""

    def __del__(self, *_: object) -> None:
        super().__del__(_warn=lambda *_, **__: None)  # type: ignore[call-arg]  # the types leave it out


class Process:
    """A named process with `<name>.pid` and `<name>.log` in a folder.

    The pid file also holds the start time and the boot id, so that a reused pid is not mistaken for ours.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"
        self._port_file = folder / f"{name}.port"
        self._child: _Outliving | None = None

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start the process in a session of its own, its output appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > MAX_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._child = _Outliving(
                ["/bin/sh", "-c", LAUNCH, str(self._pid_file.absolute()), *command],
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self.pid is not None or self.exit_code is not None, 10, pause=0.005)

    @property
    def pid(self) -> int | None:
        """The pid; None if the process is not running."""
        with suppress(OSError, ValueError):
            number, *identity = self._pid_file.read_text().split()
            pid = int(number)
            if len(identity) == 2 and _identity(pid) == identity:
                return pid
        return None

    @property
    def metrics_port(self) -> int | None:
        """The port of its probes, as its starter has noted it; None if there is none."""
        with suppress(OSError, ValueError):
            return int(self._port_file.read_text())
        return None

    def note_metrics_port(self, port: int) -> None:
        """Note the port of its probes, for whoever asks how it is."""
        self._port_file.write_text(str(port))

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs, or if another process started it."""
        return self._child.poll() if self._child else None

    def started_since(self, starting: Callable[[], bool], timeout: float) -> bool:
        """Wait until `starting` holds; False if it does not within `timeout` seconds, or the process ends."""
        return until(lambda: self.ended() or starting(), timeout, pause=0.1) and not self.ended()

    def stop(self, timeout: float = 30.0) -> bool:
        """Terminate the process and wait; kill it after `timeout` seconds. False if it was not running."""
        return bool(stop_all([self], timeout))

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, SIGKILL by default, and wait for the end if it is that one."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            if how == signal.SIGKILL:
                until(self.ended, 10)

    def forget(self) -> None:
        """Remove the pid file."""
        self._pid_file.unlink(missing_ok=True)
        self._port_file.unlink(missing_ok=True)

    def last_lines(self, count: int = 5) -> str:
        """Return the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])

    def ended(self) -> bool:
        """Tell whether the process has ended; asking also reaps a child of ours."""
        return self.pid is None if self._child is None else self.exit_code is not None


def stop_all(processes: Iterable[Process], timeout: float) -> list[str]:
    """Terminate processes, all at once, and wait; kill those left after `timeout` seconds.

    Returns:
        The names of those that were running.
    """
    processes = list(processes)
    running = [process for process in processes if process.pid is not None]
    for process in running:
        process.kill(signal.SIGTERM)
    until(lambda: all(process.ended() for process in running), timeout)
    for process in processes:
        process.kill()
        process.forget()
    return [process.name for process in running]


def until(holds: Callable[[], bool], timeout: float, pause: float = 0.05) -> bool:
    """Wait until `holds` is true; False if it is not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def listening(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether anything accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(wanted: int = 0) -> int:
    """Return the wanted port if it is free, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on this machine")


def runs(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    return _identity(pid) is not None


def _identity(pid: int) -> list[str] | None:
    """Start time in clock ticks (stat(5) field 22) and boot id; None for a process that has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else [fields[19], BOOT.read_text().strip()]
    return None
