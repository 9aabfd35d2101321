from __future__ import annotations

import subprocess
import sys

from worker.health.memory import Memory

PROGRAM = """
from worker.health.memory import Memory
memory = Memory(LIMIT)
memory.limit()
held = bytearray(b"x") * GROWTH
print(memory.outgrown())
try:
    bytearray(1 << 32)
    print("more was given")
except MemoryError:
    print("no more was given")
"""


def run(limit: int, growth: int) -> list[str]:
    program = PROGRAM.replace("LIMIT", str(limit)).replace("GROWTH", str(growth))
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout.splitlines()


def test_past_its_share_a_worker_starts_afresh_and_past_the_limit_it_gets_no_more() -> None:
    assert run(limit=200 << 20, growth=1) == ["False", "no more was given"]
    assert run(limit=200 << 20, growth=170 << 20) == ["True", "no more was given"]


def test_a_worker_that_needs_more_from_the_start_does_not_start_afresh_for_ever() -> None:
    assert run(limit=30 << 20, growth=1)[0] == "False"


def test_without_a_limit_nothing_is_limited() -> None:
    assert run(limit=0, growth=170 << 20) == ["False", "more was given"]
    assert not Memory(0).outgrown()


def test_resident_memory_is_in_bytes() -> None:
    program = """
from worker.health.memory import resident
before = resident()
held = b"x" * (64 << 20)
print(resident() - before)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 60 << 20 < int(ended.stdout) < 80 << 20
