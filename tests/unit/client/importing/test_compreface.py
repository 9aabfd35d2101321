"""CompreFace's collections, from a server that answers as its documentation says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client.errors import ServerError, UsageError
from client.idle_timeout import IdleTimeout
from client.importing import compreface
from client.importing.origins import from_compreface
from tests.support.servers.compreface import Collection, serving
from tests.support.servers.web import Fleet
from tests.support.servers.web import serving as serving_fleet

KEY = "00000000-0000-0000-0000-000000000002"
JPEG, PNG = b"\xff\xd8\xff picture", b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def collection() -> Collection:
    pictures = {("Ann Lee", f"6b135f5b-a365-4522-b1f1-{n:012}"): JPEG + bytes([n]) for n in range(45)}
    return Collection(KEY, {**pictures, ("../Bob", "f0000000-0000-0000-0000-000000000000"): PNG})


@pytest.fixture
def address(collection: Collection) -> Iterator[str]:
    with serving(collection) as found:
        yield found


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY + "\n")
    return tmp_path / "key"


def test_every_example_is_downloaded_once(
    collection: Collection, address: str, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    labelled, left = from_compreface(address, key, folder, IdleTimeout(30))
    assert left == []
    assert len(labelled) == 46
    assert {one.person for one in labelled} == {"Ann Lee", "../Bob"}
    assert all(one.source.path and one.source.path.parent == folder for one in labelled)
    assert labelled[0].source.name == "Ann Lee/6b135f5b-a365-4522-b1f1-000000000000.jpg"
    assert labelled[-1].source.name == "_Bob/f0000000-0000-0000-0000-000000000000.png"
    assert (folder / "f0000000-0000-0000-0000-000000000000.png").read_bytes() == PNG
    asked = len([path for path in collection.requests if path.endswith("/img")])
    assert from_compreface(address, key, folder, IdleTimeout(30)) == (labelled, [])
    assert len([path for path in collection.requests if path.endswith("/img")]) == asked == 46


def test_an_example_without_its_picture_is_left_out(
    collection: Collection, address: str, key: Path, tmp_path: Path
) -> None:
    lost = ("Ann Lee", "6b135f5b-a365-4522-b1f1-000000000003")
    answer = collection.answer
    collection.answer = lambda path, key: (404, b"") if lost[1] in path else answer(path, key)  # type: ignore[method-assign]  # for one picture
    labelled, (left,) = from_compreface(address, key, tmp_path / "pictures", IdleTimeout(30))
    assert len(labelled) == 45
    assert (left.name, left.person) == (lost[1], "Ann Lee")
    assert "404" in left.reason


def test_a_busy_service_is_asked_again(
    collection: Collection, address: str, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.idle_timeout.time.sleep", lambda _: None)
    collection.failures = [503, 500, 429]
    labelled, _ = from_compreface(address, key, tmp_path / "pictures", IdleTimeout(30))
    assert len(labelled) == 46


def test_what_cannot_be_asked_is_one_sentence(
    collection: Collection, address: str, key: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        from_compreface(address, tmp_path / "nowhere", tmp_path, IdleTimeout(30))
    key.write_text("another")
    with pytest.raises(UsageError, match="rejected the key"):
        from_compreface(address, key, tmp_path, IdleTimeout(30))
    with serving_fleet(Fleet()) as foreign, pytest.raises(UsageError, match="is not CompreFace's API"):
        from_compreface(foreign, key, tmp_path, IdleTimeout(30))
    collection.examples.clear()
    key.write_text(KEY)
    with pytest.raises(UsageError, match="has no examples"):
        from_compreface(address, key, tmp_path, IdleTimeout(30))
    with pytest.raises(ServerError, match="no answer from CompreFace"):
        from_compreface("http://127.0.0.1:1", key, tmp_path, IdleTimeout(0.01))


def test_an_image_id_is_never_a_path(key: Path, tmp_path: Path) -> None:
    hostile = Collection(KEY, {("Ann", "../../etc/x"): JPEG})
    with serving(hostile) as address, pytest.raises(UsageError, match="is not CompreFace's API"):
        from_compreface(address, key, tmp_path / "pictures", IdleTimeout(30))
    assert compreface.IMAGE_ID.fullmatch("..") is None
