"""Workers whose engine is quick."""

from __future__ import annotations

import sys
from pathlib import Path

from local.process import Process
from tests.conftest import environ
from tests.e2e.conftest import Fleet


def quick_worker(fleet: Fleet, folder: Path, **variables: str) -> Process:
    process = Process("quick", folder)
    command = [sys.executable, "-m", "tests.support.processes.quick_worker"]
    process.start(command, environ(fleet.settings, folder) | variables)
    fleet.processes.append(process)
    return process
