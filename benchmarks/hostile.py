"""What becomes of hostile files in the whole system.

    python -m benchmarks.hostile FOLDER [--workers 1] [--seconds 120]

Sends every file of a folder, and prints what the server answers and how each ends. Exit code 1 when a process
dies, a file is not finished in time, or the server answers 5xx.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import requests

from benchmarks.system.fleet import Fleet, running
from client.terminal import table
from faces.picture_id import picture_id_of
from faces.store.pictures import queries
from local.process import until

Row = tuple[str, int, str, str, str]


def outcome(fleet: Fleet, path: Path, seconds: float) -> Row:
    """Send a file and wait for its end: name, HTTP status, state, code, and the time that took."""
    begun = time.monotonic()
    answer = requests.post(
        f"{fleet.settings.server}/scan/image/{path.name}", data=path.read_bytes(), timeout=seconds
    )
    if not answer.ok:
        code = str(answer.json().get("code"))
        return path.name, answer.status_code, "refused", code, f"{time.monotonic() - begun:.2f} s"
    until(fleet.settled, seconds, pause=0.01)
    (status,) = queries.statuses(fleet.redis, [picture_id_of(path.read_bytes())])
    taken = f"{time.monotonic() - begun:.2f} s"
    if status is None:
        return path.name, answer.status_code, "lost", "", taken
    said = status.code or f"{len(status.faces)} faces"
    return path.name, answer.status_code, status.state, said, taken


def faults(fleet: Fleet, rows: Sequence[Row]) -> list[str]:
    """Everything that must not happen."""
    wrong = [
        f"{name}: answered {status}"
        for name, status, *_ in rows
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ]
    wrong += [f"{name}: {state}" for name, _, state, *_ in rows if state in {"lost", "pending"}]
    wrong += [f"{name} was started {starts} times" for name, starts in fleet.starts.items() if starts > 1]
    return wrong


def main() -> int:
    """Send, print and judge."""
    parser = argparse.ArgumentParser(description="what becomes of hostile files in the whole system")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="for each file")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), options.workers) as fleet:
        rows = [outcome(fleet, path, options.seconds) for path in files]
        wrong = faults(fleet, rows)
    print(table(rows))
    print("\n".join(wrong) or f"{len(rows)} files: no crash, no hang, no 5xx")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
