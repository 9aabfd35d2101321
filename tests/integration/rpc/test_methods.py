"""Every method on a real server and worker, called by a client written from the proto alone."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from faces.config import LARGEST_STORED
from faces.store.pictures import queries
from tests.integration.rpc.conftest import Fleet
from tests.support.clients.rpc_client import SECONDS, Client, refused
from tests.support.clients.rpc_client import messages as m
from tests.support.drawing import drawing
from tests.support.servers.file_server import serving

ROOT = Path(__file__).parents[3]
UNKNOWN = "0" * 64
PRIVATE = "http://10.0.0.1/a.jpg"
NOBODY = "http://127.0.0.1:1/a.jpg"


def picture(width: int, height: int = 90) -> bytes:
    """Pictures of one height show one face."""
    return drawing(1, (width, height))


@pytest.fixture(scope="module")
def sent(fleet: Fleet) -> list[str]:
    """Three pictures of one face, and one of another, all done."""
    found = [fleet.client.scan(picture(width), f"{width}.jpg").hash for width in (60, 61, 62)]
    found.append(fleet.client.scan(picture(60, 91), "other.jpg").hash)
    for one in found:
        assert fleet.client.image(one, wait=SECONDS).state == "done"
    return found


def test_a_picture_is_accepted_in_pieces_of_any_size(fleet: Fleet) -> None:
    data = picture(70, 95)
    name = hashlib.sha256(data).hexdigest()
    reply = fleet.client.scan(data, "seventy.jpg", piece=7)
    assert (reply.hash, reply.new) == (name, True)
    found = fleet.client.image(name, wait=SECONDS)
    assert (found.state, list(found.names)) == ("done", ["seventy.jpg"])
    assert (found.size.width, found.size.height, found.size.bytes) == (70, 95, len(data))
    again = fleet.client.scan(data, "again.jpg", piece=1 << 20)
    assert (again.hash, again.new) == (name, False)
    assert list(fleet.client.image(name).names) == ["again.jpg", "seventy.jpg"]


def test_without_a_name_the_hash_is_the_name(fleet: Fleet) -> None:
    found = fleet.client.scan(picture(71, 96)).hash
    assert list(fleet.client.image(found, wait=SECONDS).names) == [found]


def test_faces_are_told_with_box_and_quality(fleet: Fleet, sent: list[str]) -> None:
    (face,) = fleet.client.image(sent[0]).faces
    assert (face.index, face.indexed, face.box.right, face.box.bottom) == (0, True, 59, 89)
    assert face.quality["sharpness"] == 1.0
    assert not face.HasField("age")


def test_matches_are_those_of_the_same_face(fleet: Fleet, sent: list[str]) -> None:
    reply = fleet.client.match(sent[0])
    assert {match.hash for match in reply.matches} == set(sent[1:3])
    assert (reply.total, reply.model, reply.tolerance) == (2, "quick", 0.5)
    (pair,) = reply.matches[0].pairs
    assert (pair.distance, pair.box.right, pair.other_box.bottom) == (pytest.approx(0), 59, 89)
    first = fleet.client.match(sent[0], limit=1)
    (second,) = fleet.client.match(sent[0], limit=1, cursor=first.next).matches
    assert {first.matches[0].hash, second.hash} == set(sent[1:3])
    assert fleet.client.image(sent[0]).matches == 2


def test_a_search_finds_by_a_picture_and_by_an_encoding(fleet: Fleet, sent: list[str]) -> None:
    (face,) = fleet.client.search(picture(63), limit=2).faces
    assert len(face.matches) == 2
    assert {match.hash for match in face.matches} <= set(sent[:3])
    assert face.matches[0].names[0] in {"60.jpg", "61.jpg", "62.jpg"}
    (stored,) = fleet.redis.ask((3, "LINDEX", sent[3], 0))
    (face,) = fleet.client.search(picture(64, 91), encodings=True).faces
    assert list(face.encoding) == pytest.approx(struct.unpack("<128f", stored))
    (face,) = fleet.client.search(b"", encoding=struct.unpack("<128f", stored)).faces
    assert [match.hash for match in face.matches] == [sent[3]]
    assert refused(lambda: fleet.client.image(hashlib.sha256(picture(63)).hexdigest()))[0] == "NOT_FOUND"


def test_two_pictures_and_two_encodings_are_compared(fleet: Fleet, sent: list[str]) -> None:
    same, other = fleet.client.compare(*sent[:2]), fleet.client.compare(sent[0], sent[3])
    assert (same.same, same.distance, other.same) == (True, pytest.approx(0), False)
    assert (same.tolerance, len(same.pairs)) == (0.6, 1)
    side = m.Side(encoding=[0.0] * 128)
    reply = fleet.client.call("Compare", m.CompareRequest(first=side, second=side, tolerance=0.1))
    assert (reply.same, reply.tolerance) == (True, 0.1)


def test_the_example_of_the_documentation_runs(fleet: Fleet, sent: list[str], tmp_path: Path) -> None:
    """As a stranger would: with nothing of ours but the proto."""
    text = (ROOT / "docs/rpc.md").read_text()
    (command,) = re.findall(r"^    (python -m grpc_tools.protoc .*)$", text, re.MULTILINE)
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "rpc").mkdir()
    (tmp_path / "rpc/facefleet.proto").write_bytes((ROOT / "rpc/facefleet.proto").read_bytes())
    (tmp_path / "obama.jpg").write_bytes(picture(64))
    (tmp_path / "example.py").write_text(example.replace("localhost:50051", f"127.0.0.1:{fleet.port}"))
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(tmp_path)}
    for words in (command.split(), ["python", "example.py"]):
        done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    first, *matches = done.stdout.splitlines()
    assert first == "done 1"
    assert {line for line in matches if line.startswith("0.000 6")} == {f"0.000 6{n}.jpg" for n in range(3)}


def test_a_url_that_is_known_is_not_fetched_again(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture(72, 97))
    with serving(tmp_path) as address:
        url = f"{address}/a.jpg"
        first = fleet.client.call("ScanUrl", m.ScanUrlRequest(url=url))
        assert fleet.client.image(first.hash, wait=SECONDS).state == "done"
    again = fleet.client.call("ScanUrl", m.ScanUrlRequest(url=url))
    assert (again.hash, again.new) == (first.hash, False)
    assert url in fleet.client.image(first.hash).names


def test_what_is_erased_is_gone(fleet: Fleet) -> None:
    found = fleet.client.scan(picture(73, 98), "gone.jpg").hash
    assert fleet.client.image(found, wait=SECONDS).state == "done"
    receipt = fleet.client.erase(found)
    assert (receipt.state, list(receipt.names), receipt.faces, receipt.original) == (
        "done", ["gone.jpg"], 1, True,
    )  # fmt: skip
    assert refused(lambda: fleet.client.image(found)) == ("NOT_FOUND", "not_found")
    assert refused(lambda: fleet.client.erase(found)) == ("NOT_FOUND", "not_found")
    assert queries.picture_named(fleet.redis, "gone.jpg") is None


def test_a_picture_larger_than_a_message_may_be_goes_in_pieces(fleet: Fleet) -> None:
    """A PNG of noise, so that it does not shrink; above what RabbitMQ itself would carry."""
    data = drawing(3, (2500, 2500), "BMP")
    assert len(data) > 17 << 20
    found = fleet.client.scan(data, "large.bmp").hash
    assert fleet.client.image(found, wait=SECONDS).size.bytes == len(data)


def test_a_compressed_message_is_refused_unread(fleet: Fleet) -> None:
    """A few kB could become gigabytes."""
    bomb = m.ScanImageRequest(chunk=bytes(15 << 20))
    with grpc.insecure_channel(f"127.0.0.1:{fleet.port}", compression=grpc.Compression.Gzip) as channel:
        status, _ = refused(lambda: Client(channel).call("ScanImage", iter([bomb])))
    assert status == "UNIMPLEMENTED"


def test_a_message_larger_than_allowed_is_refused(fleet: Fleet) -> None:
    large = m.ScanImageRequest(chunk=bytes(17 << 20))
    assert refused(lambda: fleet.client.call("ScanImage", iter([large]))) == ("RESOURCE_EXHAUSTED", "")


def stream(kind: Any, **fields: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter([kind(**fields)])


def too_large() -> Iterator[Any]:
    return (m.ScanImageRequest(chunk=bytes(1 << 20)) for _ in range(LARGEST_STORED // (1 << 20) + 2))


def half_a_side() -> Any:
    return m.CompareRequest(first=m.Side(hash=UNKNOWN))


WRONG = "INVALID_ARGUMENT"
SCAN, SEARCH = m.ScanImageRequest, m.SearchRequest
REFUSALS: dict[str, tuple[str, Callable[[], Any], str, str]] = {
    "not a picture": ("ScanImage", stream(SCAN, chunk=b"text" * 100), WRONG, "not_a_picture"),
    "nothing sent": ("ScanImage", lambda: iter([]), WRONG, "bad_request"),
    "too large": ("ScanImage", too_large, WRONG, "too_large"),
    "long name": ("ScanImage", stream(SCAN, name="a" * 513, chunk=picture(60)), WRONG, "bad_name"),
    "private": ("ScanUrl", lambda: m.ScanUrlRequest(url=PRIVATE), "PERMISSION_DENIED", "address_not_allowed"),
    "nobody there": ("ScanUrl", lambda: m.ScanUrlRequest(url=NOBODY), "FAILED_PRECONDITION", "unreachable"),
    "no hash": ("GetImage", lambda: m.GetImageRequest(hash="zzz"), WRONG, "bad_request"),
    "long wait": ("GetImage", lambda: m.GetImageRequest(hash=UNKNOWN, wait=61), WRONG, "bad_request"),
    "unknown": ("Match", lambda: m.MatchRequest(hash=UNKNOWN), "NOT_FOUND", "not_found"),
    "no limit": ("Match", lambda: m.MatchRequest(hash=UNKNOWN, limit=0), WRONG, "bad_request"),
    "half a side": ("Compare", half_a_side, WRONG, "bad_request"),
    "short encoding": ("Search", stream(SEARCH, encoding=[1.0]), WRONG, "bad_request"),
    "cut short": ("Search", stream(SEARCH, chunk=picture(60)[:300]), WRONG, "truncated"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_have_a_status_and_the_code_of_the_http_server(fleet: Fleet, case: str) -> None:
    method, request, status, code = REFUSALS[case]
    assert refused(lambda: fleet.client.call(method, request())) == (status, code)
