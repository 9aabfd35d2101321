"""`facefleet watch` against a server that does not always do as one would wish."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.__main__ import main
from client.commands.watch import RECORD
from client.server import Server
from client.watching import watcher as watching
from client.watching.aftermath import delete
from client.watching.notices import notices
from client.watching.record import Record
from client.watching.settling import Settling
from client.watching.watcher import Folder, Watcher
from local.process import until
from tests.support.servers.web import Fleet, problem

Watch = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "deep/b.png", ".hidden/c.jpg", "notes.txt"):
        path = tmp_path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "inbox"


@pytest.fixture
def once(fleet: Fleet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Run `facefleet watch FOLDER --once` and return its exit code."""
    fleet.questions = 1
    monkeypatch.setattr("client.commands.watch.TICK", 0.02)

    def run(*arguments: object) -> int:
        return main(["watch", str(folder), "--once", "--settle", "0.01", *map(str, arguments)])

    return run


def posts(fleet: Fleet) -> list[str]:
    """The names that were sent, in order."""
    start = "POST /scan/image/"
    return [request.removeprefix(start) for request in fleet.requests if request.startswith(start)]


def test_each_picture_is_sent_once_whatever_is_restarted(fleet: Fleet, folder: Path, once: Watch) -> None:
    assert once() == 0
    assert sorted(posts(fleet)) == ["a.jpg", "deep/b.png"]
    assert once() == 0
    os.utime(folder / "a.jpg")
    assert once() == 0
    assert len(posts(fleet)) == 2, "a touched file is known by its content"
    (folder / "a.jpg").write_bytes(b"another picture")
    assert once() == 0
    assert posts(fleet)[2:] == ["a.jpg"]


def test_an_erased_picture_is_not_sent_again(fleet: Fleet, once: Watch) -> None:
    once()
    fleet.pictures.clear()
    assert once() == 0
    assert len(posts(fleet)) == 2


def test_a_refused_picture_is_not_sent_for_ever(fleet: Fleet, folder: Path, once: Watch) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(415, "not_a_picture", "these are no picture's bytes")] * 9
    assert once() == 1
    assert once() == 0
    assert posts(fleet).count("a.jpg") == 1
    assert once("--retry") == 1
    assert posts(fleet).count("a.jpg") == 2
    (folder / "a.jpg").write_bytes(b"a picture after all")
    fleet.on.clear()
    assert once() == 0


def test_a_picture_that_fails_in_the_fleet_stays_and_is_told(
    fleet: Fleet, folder: Path, once: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.status = lambda _: {"state": "failed", "code": "truncated", "reason": "send the whole file"}
    assert once("--delete") == 1
    assert (folder / "a.jpg").exists()
    assert "send the whole file" in capsys.readouterr().err


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_its_time(status: int, fleet: Fleet, once: Watch) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(status, "unavailable", "full", Retry_After="0")] * 3
    assert once() == 0
    assert posts(fleet).count("a.jpg") == 4


def test_a_proxy_that_cannot_reach_the_server_is_asked_again(
    fleet: Fleet, once: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.idle_timeout.time.sleep", lambda _: None)
    fleet.on["/v1/images"] = [(502, b"<html>", {}), (504, b"", {})]
    assert once() == 0
    assert fleet.names.keys() == {"a.jpg", "deep/b.png"}


def test_a_fault_of_the_server_is_no_refusal(fleet: Fleet, once: Watch) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(500, "internal", "a bug")]
    assert once() == 1
    assert once() == 0
    assert fleet.names.keys() == {"a.jpg", "deep/b.png"}


def test_a_server_that_is_away_is_waited_for(
    fleet: Fleet,
    folder: Path,
    once: Watch,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(watching, "PATIENCE", 0.05)
    full = problem(503, "unavailable", "the queue is full", Retry_After="0")
    fleet.on["/scan/image/a.jpg"] = [full] * 10_000
    assert once("--timeout", "2") == 1
    told = capsys.readouterr().err
    assert told.count("the queue is full") == 1
    assert "gave up" in told
    fleet.on.clear()
    assert once() == 0
    assert fleet.names.keys() == {"a.jpg", "deep/b.png"}


def test_a_key_that_may_not_send_ends_the_command(
    fleet: Fleet, once: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = problem(403, "forbidden", "the key lacks the scope scan")
    fleet.on["/scan/image/a.jpg"], fleet.on["/scan/image/deep/b.png"] = [refusal], [refusal]
    assert once() == 2
    assert "the key lacks the scope scan" in capsys.readouterr().err
    assert once() == 0, "nothing was recorded as refused"


def test_files_are_deleted_once_done_and_never_before(fleet: Fleet, folder: Path, once: Watch) -> None:
    fleet.status = lambda _: {"state": "pending"}
    assert once("--delete", "--timeout", "0.3") == 1
    assert (folder / "a.jpg").exists()
    fleet.status = lambda _: {"state": "done", "faces": []}
    assert once("--delete") == 0
    assert not (folder / "a.jpg").exists()
    assert not (folder / "deep/b.png").exists()
    assert (folder / "notes.txt").exists()
    assert len(posts(fleet)) == 2
    (folder / "a.jpg").write_bytes(b"a.jpg")
    assert once("--delete") == 0
    assert not (folder / "a.jpg").exists(), "it is deleted again when it comes again"


def test_a_file_that_changed_since_it_was_sent_is_not_deleted(
    fleet: Fleet, folder: Path, tmp_path: Path
) -> None:
    fleet.questions = 2
    suffixes = {".jpg"}
    with Record(tmp_path / "record") as record:
        address = os.environ["REST_URL"]
        watched = Folder(path=folder, suffixes=suffixes, largest=1000)
        one = Watcher(Server(address), watched, record, Settling(0.0), aftermath=delete)
        one.look([folder])
        one.step()
        (folder / "a.jpg").write_bytes(b"a newer picture")
        one.step()
        assert not one.busy
        assert (folder / "a.jpg").read_bytes() == b"a newer picture"
        one.look([folder])
        assert until(lambda: one.step() and not one.busy, 60)
        assert not (folder / "a.jpg").exists()
    assert set(fleet.pictures.values()) == {b"a.jpg", b"a newer picture"}


def test_files_are_moved_and_never_over_another(folder: Path, tmp_path: Path, once: Watch) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "a.jpg").write_bytes(b"an older one")
    assert once("--move-to", kept) == 0
    assert (kept / "a.jpg").read_bytes() == b"an older one"
    (other,) = kept.glob("a.*.jpg")
    assert other.read_bytes() == b"a.jpg"
    assert (kept / "deep/b.png").read_bytes() == b"deep/b.png"
    assert not (folder / "deep/b.png").exists()


def test_what_cannot_be_watched_is_one_sentence(
    folder: Path, once: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(folder / "nowhere")]) == 2
    assert once("--move-to", folder / "done") == 2
    with Record(folder / RECORD):
        assert once() == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert "no such folder" in errors[0]
    assert "name a folder outside it" in errors[1]
    assert "another facefleet watch" in errors[2]


def test_an_unreadable_file_is_told_and_tried_again(
    once: Watch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as denied:
        denied.setattr(Path, "read_bytes", refuse)
        assert once() == 1
    assert capsys.readouterr().err.count("a.jpg: cannot read the file: Permission denied") == 1
    assert once() == 0


def test_pictures_without_notices_are_found_by_looking(
    fleet: Fleet, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: Path) -> Iterator[set[Path]]:
        yield set()
        (folder / "late.jpg").write_bytes(b"from another machine")
        deadline = time.monotonic() + 30
        while "late.jpg" not in fleet.names and time.monotonic() < deadline:
            time.sleep(0.01)
            yield set()

    monkeypatch.setattr("client.commands.watch.notices", silent)
    assert main(["watch", str(folder), "--settle", "0.01", "--poll", "0.05"]) == 0
    assert "late.jpg" in fleet.names


def test_changes_are_noticed(tmp_path: Path) -> None:
    found = notices(tmp_path)
    assert next(found) == set()
    (tmp_path / "a.jpg").write_bytes(b"new")
    assert until(lambda: tmp_path / "a.jpg" in next(found), 60)
    (tmp_path / "a.jpg").rename(tmp_path / "b.jpg")
    assert until(lambda: tmp_path / "b.jpg" in next(found), 60)


def test_without_notices_the_folder_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        raise OSError("OS file watch limit reached")
        yield set()

    monkeypatch.setattr("client.watching.notices.watch", refuse)
    monkeypatch.setattr("client.watching.notices.TICK", 0.01)
    assert next(notices(tmp_path)) == set()
    assert "watch limit reached" in caplog.text
