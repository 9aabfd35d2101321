"""podman with images, networks and volumes of the tests' own, which it does not share with the machine's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_NOFILE, RLIMIT_NPROC, getrlimit
from typing import Any

SECONDS = (
    600.0  # for any command; where containers are whole copies of their images, a slow disk needs minutes
)

CONFIGURATION = """\
[containers]
default_ulimits = [{limits}]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


class Podman:
    """The command `podman` on one storage. `path` is a program that runs it, for whoever wants one."""

    def __init__(self, storage_options: Sequence[str], folder: Path) -> None:
        configuration = folder / "containers.conf"
        configuration.write_text(CONFIGURATION.format(limits=", ".join(_limits())))
        self.path = folder / "podman"
        command = " ".join(["exec", str(shutil.which("podman")), *storage_options, '"$@"'])
        self.path.write_text(f"#!/bin/sh\nexport CONTAINERS_CONF={configuration}\n{command}\n")
        self.path.chmod(0o755)

    def __call__(self, *words: str, given: str | None = None) -> str:
        """Run a command of podman; an assertion fails where the command does."""
        done = self.tried(*words, given=given)
        assert done.returncode == 0, f"podman {' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout.strip()

    def tried(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of podman that may fail."""
        return subprocess.run(
            [self.path, *words], input=given, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    def inspect(self, container: str) -> dict[str, Any]:
        """All that podman knows of a container."""
        (known,) = json.loads(self("container", "inspect", container))
        return dict(known)

    def log(self, container: str) -> str:
        """What a container has written, of both streams."""
        done = self.tried("logs", container)
        return done.stdout + done.stderr

    def end_process(self, container: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End a container's process behind podman's back, as a crash does: podman starts it again."""
        os.kill(int(self.inspect(container)["State"]["Pid"]), how)

    def clear(self) -> None:
        """Remove every pod, container, volume, secret and network of this storage."""
        self.tried("pod", "rm", "--force", "--all", "--time=0")
        self.tried("rm", "--force", "--all", "--time=0")
        self.tried("volume", "rm", "--force", "--all")
        self.tried("secret", "rm", "--all")
        self.tried("network", "prune", "--force")


def _limits() -> Iterator[str]:
    """Limits that a container can be given here: no higher than this process's own."""
    for name, wanted in (("nofile", 65536), ("nproc", 32768)):
        most = getrlimit(RLIMIT_NOFILE if name == "nofile" else RLIMIT_NPROC)[1]
        limit = wanted if most == RLIM_INFINITY else min(wanted, most)
        yield f'"{name}={limit}:{limit}"'
