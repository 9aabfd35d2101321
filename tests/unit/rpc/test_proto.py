"""The proto, the code and the documentation say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from faces import api_key
from rest.problems import PROBLEMS
from rest.v1.events.events import Followed
from rest.v1.matching.compare import CompareBody, Comparison
from rest.v1.matching.matches import Match, MatchList, MatchQuery, Pair
from rest.v1.matching.search import Found, SearchedFace, SearchMatch, SearchQuery
from rest.v1.pictures.images import ErasedImage, ImageQuery
from rest.v1.shapes import Face, Image, PersonName, Size
from rpc import facefleet_pb2 as pb
from rpc.call import Call
from rpc.service import SCOPES
from rpc.serving import CODES
from rpc.translation import told

ROOT = Path(__file__).parents[3]
PROTO = (ROOT / "rpc/facefleet.proto").read_text()
OPTIONAL = {"landmarks", "age", "gender", "quality", "indexed", "reason"}  # of a face: not in every document


@pytest.mark.parametrize("method", SCOPES)
def test_the_scope_stands_with_the_method(method: str) -> None:
    comment = re.search(rf"((?:  //.*\n)+)  rpc {method}\(", PROTO)
    assert comment
    said = " ".join(comment[1].replace("//", "").split())
    assert f"Scope: {SCOPES[method]}." in said
    assert SCOPES[method] in api_key.SCOPES


@pytest.mark.parametrize(
    ("message", "models"),
    [
        (pb.GetImageRequest, [ImageQuery]),
        (pb.Image, [Image]),
        (pb.Size, [Size]),
        (pb.Face, [Face]),
        (pb.Person, [PersonName]),
        (pb.MatchRequest, [MatchQuery]),
        (pb.MatchReply, [MatchList]),
        (pb.Match, [Match]),
        (pb.Pair, [Pair]),
        (pb.SearchRequest, [SearchQuery]),
        (pb.SearchReply, [Found]),
        (pb.SearchedFace, [SearchedFace]),
        (pb.FoundPicture, [SearchMatch]),
        (pb.CompareRequest, [CompareBody]),
        (pb.CompareReply, [Comparison]),
        (pb.EraseReply, [ErasedImage]),
        (pb.WatchRequest, [Followed]),
    ],
)  # fmt: skip
def test_fields_are_those_of_the_http_server(message: Any, models: list[Any]) -> None:
    fields = {field.name for field in message.DESCRIPTOR.fields}
    known = {name for model in models for name in model.model_fields}
    assert known - fields == set()
    assert fields - known <= {"hash", "chunk", "encoding", *OPTIONAL}


def test_every_problem_but_those_of_http_itself_has_a_status() -> None:
    missing = {code for code, (status, _) in PROBLEMS.items() if int(status) not in CODES}
    assert missing == {
        "internal", "method_not_allowed", "request_uri_too_long", "range_not_satisfiable",
        "request_header_fields_too_large",
    }  # fmt: skip


def test_the_table_of_statuses_is_that_of_the_code() -> None:
    text = (ROOT / "docs/rpc.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([\d, ]+) \|", text, re.MULTILINE)
    said = {int(number): status for status, numbers in rows for number in numbers.split(",")}
    assert said == {number: status.name for number, status in CODES.items()} | {500: "INTERNAL"}


def test_a_face_comes_with_what_the_operators_models_found() -> None:
    face = {
        "index": 0, "box": {"left": 1, "top": 2, "right": 3, "bottom": 4}, "indexed": True, "quality": None,
        "landmarks": [[5, 6], [7, 8]], "age": 40, "gender": "female", "a later release's": 1,
    }  # fmt: skip
    (found,) = told({"hash": "a", "finished": None, "faces": [face]}, pb.Image).faces
    assert [(point.x, point.y) for point in found.landmarks] == [(5, 6), (7, 8)]
    assert (found.age, found.gender, found.box.bottom) == (40, "female", 4)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:203.0.113.9:50000", "203.0.113.9"),
        ("ipv6:%5B2001:db8::1%5D:50000", "2001:db8::1"),
        ("unix:", "::"),
    ],
)
def test_a_callers_address_is_read(peer: str, address: str) -> None:
    class Context:
        def peer(self) -> str:
            return peer

    assert Call(Context(), None).address == address  # type: ignore[arg-type]  # no thread is needed
