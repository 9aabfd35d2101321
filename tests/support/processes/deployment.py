"""A fleet that `deploy-local-dev.sh` started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests

from local import places
from local.process import ROOT, Process
from tests.support.settings_table import table

PARTS = (
    "rabbitmq/rabbitmq",
    "redis/redis",
    "run/supervisor",
    "run/rest",
    "run/rpc",
    "run/groups",
    "run/video",
    "run/worker-1",
)


class Deployment:
    """The system in a folder of its own, with one worker, on ports of its own."""

    def __init__(self, folder: Path, **ports: int) -> None:
        self.folder = folder
        self.module = ["local"]  # and its first arguments
        settings = {row.name for row in table()}
        self.environ = {name: value for name, value in os.environ.items() if name not in settings}
        self.environ |= {name: str(port) for name, port in ports.items()} | {"ENGINE": "onnxruntime"}

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", *self.module, "--var", str(self.folder), *arguments]
        out = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=out, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; gives its exit code and what it wrote."""
        process = self.begin(*arguments)
        written, _ = process.communicate(timeout=150)
        return process.returncode, written

    def up(self) -> str:
        """Bring the system up; gives what was written."""
        code, written = self.run("up", "--workers", "1")
        assert code == 0, written
        return written

    def port(self, variable: str) -> int:
        """A port that was chosen."""
        return places.read(self.folder / "environment").port(variable)

    def process(self, path: str) -> Process:
        """A process by its pid file, without the suffix."""
        return Process(Path(path).name, (self.folder / path).parent)

    def pids(self) -> dict[str, int | None]:
        """The pids of all parts."""
        return {path: self.process(path).pid for path in PARTS}

    def state(self, part: str) -> str:
        """State of a part, as the table shows it."""
        _, written = self.run("status")
        (line,) = (line for line in written.splitlines() if line.split()[:1] == [part])
        return line.split()[1]

    def ask(self, method: str, path: str, data: bytes | None = None) -> dict[str, str]:
        """Ask the server; gives the JSON that it answers with."""
        url = f"http://127.0.0.1:{self.port('REST_PORT')}{path}"
        answer = requests.request(method, url, data=data, timeout=60)
        answer.raise_for_status()
        document: dict[str, str] = answer.json()
        return document
