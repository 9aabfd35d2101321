"""When a file counts as complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client.watching.settling import Settling
from client.watching.stamp import Stamp


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settling(clock: Clock) -> Settling:
    return Settling(2.0, clock)


def add(settling: Settling, path: Path) -> None:
    stamp = Stamp.of(path)
    assert stamp is not None
    settling.add(path, stamp)


def test_a_file_is_complete_once_it_has_not_changed_for_a_while(
    tmp_path: Path, settling: Settling, clock: Clock
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    add(settling, path)
    clock.now += 1.9
    assert list(settling.complete()) == []
    clock.now += 0.2
    assert list(settling.complete()) == [(path, Stamp.of(path))]
    assert len(settling) == 0


def test_a_file_that_grows_is_waited_for_even_without_notices(
    tmp_path: Path, settling: Settling, clock: Clock
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    add(settling, path)
    for _ in range(3):
        clock.now += 2.1
        path.write_bytes(path.read_bytes() + b"more")
        assert list(settling.complete()) == []
    clock.now += 2.1
    assert list(settling.complete()) == [(path, Stamp.of(path))]


def test_a_notice_of_a_change_starts_the_wait_anew(tmp_path: Path, settling: Settling, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    add(settling, path)
    clock.now += 1.5
    path.write_bytes(b"half and more")
    add(settling, path)
    clock.now += 1.5
    assert list(settling.complete()) == []


def test_an_old_time_of_change_is_no_proof(tmp_path: Path, settling: Settling, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    os.utime(path, (1, 1))
    add(settling, path)
    assert list(settling.complete()) == []
    clock.now += 2.1
    assert [found for found, _ in settling.complete()] == [path]


def test_empty_and_vanished_files_are_dropped(tmp_path: Path, settling: Settling, clock: Clock) -> None:
    for name in ("empty.jpg", "gone.jpg"):
        (tmp_path / name).write_bytes(b"x" * (name == "gone.jpg"))
        add(settling, tmp_path / name)
    (tmp_path / "gone.jpg").unlink()
    clock.now += 2.1
    assert list(settling.complete()) == []
    assert len(settling) == 0
