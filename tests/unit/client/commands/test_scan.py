"""`facefleet scan` against a server that does not always do as one would wish."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.material.films import write
from client.__main__ import main
from client.sending import OLDEST, SAMPLE
from tests.support.clock import Clock
from tests.support.films import plain, still
from tests.support.servers.web import Fleet, problem

Scan = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.png", "deep/c d#?%.gif"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "album"


@pytest.fixture
def scan(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> Scan:
    """Run the command with --json; its exit code and its document."""
    assert fleet is not None

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        code = main(["scan", "--json", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_folder_is_sent_and_waited_for(folder: Path, fleet: Fleet, scan: Scan) -> None:
    code, result = scan(folder)
    assert code == 0
    assert fleet.names.keys() == {"a.jpg", "b.png", "deep/c d#?%.gif"}
    assert set(fleet.pictures.values()) == {b"a.jpg", b"b.png", b"deep/c d#?%.gif"}
    counts = {key: result[key] for key in ("sent", "new", "known", "done", "failed", "unfinished", "faces")}
    assert counts == {"sent": 3, "new": 3, "known": 0, "done": 3, "failed": 0, "unfinished": 0, "faces": 6}
    assert {p["name"]: p["hash"] for p in result["pictures"]} == fleet.names
    assert result["pictures_per_second"] > 0


def test_what_is_known_is_counted_as_known(folder: Path, scan: Scan) -> None:
    scan(folder / "a.jpg")
    _, result = scan(folder)
    assert (result["new"], result["known"], result["faces"]) == (2, 1, 6)


def test_one_picture_under_two_names_counts_once(folder: Path, scan: Scan) -> None:
    (folder / "copy.jpg").write_bytes(b"a.jpg")
    _, result = scan(folder)
    assert (result["sent"], result["new"], result["known"]) == (4, 3, 0)
    assert (result["done"], result["faces"]) == (4, 6)


def test_an_address_is_sent_as_one(fleet: Fleet, scan: Scan) -> None:
    scan("https://example.org/x.jpg")
    assert fleet.names.keys() == {"https://example.org/x.jpg"}
    assert "POST /scan/url" in fleet.requests


@pytest.mark.parametrize("status", [503, 429])
def test_a_busy_server_is_asked_again(status: int, folder: Path, fleet: Fleet, scan: Scan) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(status, "unavailable", "full", Retry_After="0")] * 3
    code, result = scan(folder / "a.jpg")
    assert (code, result["done"]) == (0, 1)
    assert fleet.requests.count("POST /scan/image/a.jpg") == 4


def test_retry_after_is_waited_for_but_never_past_the_timeout(
    folder: Path, fleet: Fleet, scan: Scan, clock: Clock
) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(503, "unavailable", "full", Retry_After="1")]
    assert scan(folder / "a.jpg")[0] == 0
    assert clock.now >= 1
    fleet.on["/scan/image/b.png"] = [problem(503, "unavailable", "full", Retry_After="3600")] * 99
    code, result = scan("--timeout", "20", folder / "b.png")
    assert (code, result["failed"]) == (1, 1)
    assert clock.now < 30
    (picture,) = result["pictures"]
    assert (picture["state"], picture["code"]) == ("refused", "unavailable")
    assert "full" in picture["reason"]


def test_a_refused_picture_fails_alone(folder: Path, fleet: Fleet, scan: Scan) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(415, "not_a_picture", "these are no picture's bytes")]
    code, result = scan(folder)
    assert (code, result["done"], result["failed"]) == (1, 2, 1)
    (refused,) = [p for p in result["pictures"] if p["state"] == "refused"]
    assert (refused["name"], refused["code"]) == ("a.jpg", "not_a_picture")


def test_a_picture_that_fails_in_the_fleet_is_told_with_its_reason(
    folder: Path, fleet: Fleet, scan: Scan, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.status = lambda _: {"state": "failed", "code": "poison", "reason": "it ends\x1b[2J workers"}
    code, result = scan(folder / "a.jpg")
    assert (code, result["failed"], result["pictures"][0]["code"]) == (1, 1, "poison")
    assert main(["scan", str(folder / "a.jpg")]) == 1
    assert "a.jpg  poison: it ends\\x1b[2J workers" in capsys.readouterr().out


def test_pictures_that_are_not_finished_in_time_are_told(
    folder: Path, fleet: Fleet, scan: Scan, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.status = lambda _: {"state": "pending"}
    code, result = scan("--timeout", "30", folder)
    assert (code, result["unfinished"]) == (1, 3)
    assert clock.now == pytest.approx(30)
    assert main(["scan", "--timeout", "30", str(folder)]) == 1
    assert "no progress for 30 s" in capsys.readouterr().err


def test_a_picture_erased_meanwhile_is_no_longer_waited_for(folder: Path, fleet: Fleet, scan: Scan) -> None:
    def erase(picture: str) -> dict[str, Any]:
        del fleet.pictures[picture]
        return {"state": "pending"}

    fleet.status = erase
    code, result = scan(folder / "a.jpg")
    assert (code, result["pictures"][0]["code"]) == (1, "gone")


def test_without_waiting_nothing_is_asked_after(folder: Path, fleet: Fleet, scan: Scan) -> None:
    code, result = scan("--no-wait", folder)
    assert (code, result["unfinished"]) == (0, 3)
    assert "POST /v1/statuses" not in fleet.requests


@pytest.mark.usefixtures("clock")
def test_a_picture_that_never_ends_does_not_hide_the_others(tmp_path: Path, fleet: Fleet, scan: Scan) -> None:
    count = OLDEST + SAMPLE
    for number in range(2 * count):
        kind = b"slow" if number < count else b"quick"
        (tmp_path / f"{number:03}.jpg").write_bytes(b"%s %d" % (kind, number))
    fleet.questions = 1
    fleet.status = lambda h: {"state": "pending" if fleet.pictures[h].startswith(b"slow") else "done"}
    code, result = scan("--timeout", "1", "--threads", "1", tmp_path)
    assert (code, result["done"], result["unfinished"]) == (1, count, count)


def test_files_that_cannot_be_sent_fail_alone(
    folder: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_PICTURE_BYTES", "5")
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    code, result = scan(folder)
    codes = {p["name"]: p["code"] for p in result["pictures"]}
    assert code == 1
    assert codes == {"a.jpg": None, "b.png": None, "deep/c d#?%.gif": "too_large", "gone.jpg": "unreadable"}


def test_a_name_that_is_not_text_is_refused(folder: Path, scan: Scan) -> None:
    (folder / "\udcff.jpg").write_bytes(b"x")
    _, result = scan(folder)
    assert [p["code"] for p in result["pictures"] if p["name"].startswith("\udcff")] == ["bad_name"]


def test_an_interruption_is_quiet(
    folder: Path, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    fleet.status = lambda _: {"state": "pending"}
    monkeypatch.setattr("client.sending.time.sleep", interrupt)
    assert main(["scan", str(folder)]) == 130
    assert capsys.readouterr().err == "interrupted: 3 accepted pictures are still being processed\n"


def test_a_folder_without_pictures_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(tmp_path)]) == 2
    assert "no pictures (.bmp, .gif, .jfif" in capsys.readouterr().err


def test_many_small_files_share_a_request(tmp_path: Path, fleet: Fleet, scan: Scan) -> None:
    for number in range(40):
        (tmp_path / f"{number} é {'x' * 120}.jpg").write_bytes(b"%d" % number)
    code, result = scan(tmp_path)
    assert (code, result["done"]) == (0, 40)
    assert sorted(fleet.pictures.values()) == sorted(b"%d" % number for number in range(40))
    assert fleet.names.keys() == {path.name for path in tmp_path.iterdir()}
    assert fleet.requests.count("POST /v1/images") == 2


def test_of_a_shared_request_only_what_the_server_could_not_take_is_sent_again(
    folder: Path, fleet: Fleet, scan: Scan
) -> None:
    fleet.on["/scan/image/a.jpg"] = [problem(503, "unavailable", "full")]
    fleet.on["/scan/image/b.png"] = [problem(415, "not_a_picture", "these are no picture's bytes")]
    code, result = scan(folder)
    assert (code, result["done"], result["failed"]) == (1, 2, 1)
    assert [fleet.requests.count(f"POST /scan/image/{name}") for name in ("a.jpg", "b.png")] == [2, 1]


def test_a_video_is_sent_by_its_frames_and_goes_on_where_it_was(
    tmp_path: Path, fleet: Fleet, scan: Scan
) -> None:
    shots = [(plain(colour), 1.0) for colour in ("black", "lime", "navy")]
    film = write(tmp_path / "film.mkv", still(shots))
    names = ["film.mkv#t=0", "film.mkv#t=1", "film.mkv#t=2"]
    code, result = scan(film)
    assert code == 0
    assert list(fleet.names) == names
    assert (result["new"], result["done"]) == (3, 3)

    fleet.status = lambda h: {
        "state": "done",
        "faces": [],
        "names": [name for name, picture in fleet.names.items() if picture == h],
    }
    fleet.requests.clear()
    _, result = scan(film)
    assert (result["new"], result["known"]) == (0, 3)
    assert not [request for request in fleet.requests if request.startswith("POST /scan")]


def test_a_video_that_cannot_be_read_says_why(tmp_path: Path, fleet: Fleet, scan: Scan) -> None:
    (tmp_path / "film.mp4").write_bytes(b"not a video")
    code, result = scan(tmp_path / "film.mp4")
    assert code == 1
    (film,) = result["pictures"]
    assert (film["name"], film["state"], film["code"]) == ("film.mp4", "refused", "not_a_video")


def test_videos_in_folders_are_sent_when_asked_for(folder: Path, fleet: Fleet, scan: Scan) -> None:
    write(folder / "deep" / "film.mkv", still([(plain("lime"), 1.0)]))
    scan(folder)
    assert len(fleet.names) == 3
    scan("--videos", folder)
    assert "deep/film.mkv#t=0" in fleet.names
