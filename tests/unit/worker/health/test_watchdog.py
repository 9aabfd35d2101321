from __future__ import annotations

import subprocess
import sys

from worker.health.watchdog import OVERRUN

PICTURES = ["a" * 64, "b" * 64]
PROGRAM = f"""
import ctypes, time
from worker.health import watchdog
watchdog.GRACE = 0.2
with watchdog.Watchdog(0.1).watch({PICTURES!r}):
    pass
time.sleep(0.5)
with watchdog.Watchdog(0.1).watch({PICTURES!r}):
    HANG(2)
print("not ended")
"""
LETS_OTHERS_RUN, KEEPS_THE_LOCK = "time.sleep", "ctypes.PyDLL(None).sleep"


def hang(how: str) -> subprocess.CompletedProcess[str]:
    return run(PROGRAM.replace("HANG", how))


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def test_what_hangs_is_ended_and_named() -> None:
    ended = hang(LETS_OTHERS_RUN)
    assert ended.returncode == OVERRUN
    assert all(picture in ended.stderr for picture in PICTURES)
    assert "0.2 s" in ended.stderr


def test_what_hangs_and_keeps_the_lock_is_ended_with_its_stack() -> None:
    ended = hang(KEEPS_THE_LOCK)
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
    assert "not ended" not in ended.stdout


def test_what_ends_in_time_goes_on() -> None:
    ended = run(PROGRAM.replace("HANG(2)", "time.sleep(0.1)"))
    assert (ended.returncode, ended.stdout) == (0, "not ended\n")
