"""What a watched folder's record remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.errors import UsageError
from client.watching.record import Entry, Record
from client.watching.stamp import Stamp

ODD = "deep/\udcff é.jpg"  # a file's name may be any bytes
DONE = Entry(Stamp(3, 1_700_000_000_000_000_001), "0" * 64, "done")


def test_entries_survive_a_restart(tmp_path: Path) -> None:
    with Record(tmp_path / "record") as record:
        record.put(ODD, Entry(DONE.stamp, DONE.hash, "accepted"))
        record.put(ODD, DONE)
        record.put("b.jpg", Entry(DONE.stamp, "1" * 64, "accepted"))
        record.put("c.jpg", Entry(DONE.stamp, None, "refused"))
        record.put("d.jpg", DONE)
        record.remove("d.jpg")
    with Record(tmp_path / "record") as record:
        assert record.get(ODD) == DONE
        assert list(record.accepted()) == [("b.jpg", "1" * 64)]
        assert record.get("d.jpg") is None
        record.forget_failures()
        assert record.get("c.jpg") is None
        assert record.get(ODD) == DONE


def test_two_processes_cannot_share_a_record(tmp_path: Path) -> None:
    with Record(tmp_path / "record"), pytest.raises(UsageError, match=r"another facefleet watch has .* open"):
        Record(tmp_path / "record")
    with Record(tmp_path / "record"):
        pass


def test_what_cannot_hold_a_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(b"no database" * 1000)
    for path in (tmp_path / "picture.jpg", tmp_path / "nowhere" / "record"):
        with pytest.raises(UsageError, match="name another file with --state"):
            Record(path)
