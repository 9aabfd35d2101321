"""A worker's memory. The figures are of processes of their own: this one has grown with other tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from faces.errors import SettingError
from worker.health.memory import MIN_HEADROOM, Memory, data_size, resident

MB = 1 << 20


def run(program: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", f"from worker.health.memory import *\nMB = 1 << 20\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout.split()


def test_the_engine_gets_what_the_index_leaves() -> None:
    before, after = run(
        """
memory = Memory(1000 * MB)
print(memory.budget())
index = bytearray(b"x") * (300 * MB)
print(memory.budget())
"""
    )
    assert 290 * MB < int(before) - int(after) < 310 * MB


def test_a_shortage_counts_against_a_picture_only_where_the_index_takes_little() -> None:
    assert run(
        """
memory = Memory(1000 * MB)
print(memory.crowded())
index = bytearray(b"x") * (300 * MB)
print(memory.crowded())
"""
    ) == ["False", "True"]


def test_a_worker_starts_with_headroom_and_ends_when_its_index_has_taken_it() -> None:
    assert run(
        f"""
memory = Memory(resident() + 100 * MB + {MIN_HEADROOM} + 100 * MB)
memory.reserve(100 * MB, faces=0)
print(memory.outgrown())
index = bytearray(b"x") * (150 * MB)
print(memory.outgrown())
"""
    ) == ["False", "True"]


def test_a_worker_without_headroom_does_not_start_and_says_what_to_do() -> None:
    memory = Memory(resident() + MIN_HEADROOM // 2)
    with pytest.raises(
        SettingError, match=r"with 7 faces in memory .* Raise WORKER_MEMORY, or set INDEX_URL"
    ):
        memory.reserve(1, faces=7)


def test_an_engine_is_replaced_when_it_has_grown() -> None:
    memory = Memory(resident() + 1000 * MB)
    memory.reserve(300 * MB, faces=0)
    assert not memory.engine_outgrown(700 * MB)
    assert memory.engine_outgrown(800 * MB)


def test_an_engine_that_needs_most_of_the_memory_is_not_replaced_for_ever() -> None:
    memory = Memory(resident() + 1000 * MB)
    memory.reserve(700 * MB, faces=0)
    assert not memory.engine_outgrown(800 * MB)


def test_without_a_limit_nothing_is_limited() -> None:
    memory = Memory(0)
    memory.reserve(1 << 50, faces=0)
    assert memory.budget() == 0
    assert not memory.outgrown()
    assert not memory.crowded()
    assert not memory.engine_outgrown(1 << 50)


def test_sizes_are_in_bytes() -> None:
    (grown, more) = run(
        """
before, data = resident(), data_size()
held = b"x" * (64 * MB)
print(resident() - before, data_size() - data)
"""
    )
    assert 60 * MB < int(grown) < 80 * MB
    assert 60 * MB < int(more) < 80 * MB
    assert data_size() > 0
