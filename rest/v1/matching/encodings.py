"""Encodings: those of one picture, and the mean of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add
from typing import Annotated, Literal

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.distances import DIMENSIONS, vector
from faces.store.collection import inspection
from faces.store.pictures import listing
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.conditional import conditional
from rest.v1.shapes import Hash, ImagePath, known

encodings = Routes("encodings")

Encoding = Annotated[
    list[float], Field(min_length=DIMENSIONS, max_length=DIMENSIONS, description="A face's encoding")
]


class EncodingQuery(Parameters):
    """How encodings are answered."""

    format: Literal["json", "raw"] = Field(
        default="json", description="raw: 128 little-endian float32 per face, one after the other"
    )


class FaceEncoding(BaseModel):
    """The encoding of a face."""

    face: int = Field(description="Number of the face in the picture, from 0")
    encoding: Encoding


class EncodingList(BaseModel):
    """The encodings of a picture's indexed faces; none while it is pending."""

    hash: Hash
    model: str | None
    encodings: list[FaceEncoding]


class MeanQuery(Parameters):
    """Which pictures count: those accepted in a time, both ends included."""

    since: float | None = Field(
        default=None, alias="from", description="Unix seconds; default: the beginning"
    )
    until: float | None = Field(default=None, alias="to", description="Unix seconds; default: now")


class MeanEncoding(BaseModel):
    """The mean of many encodings."""

    count: int = Field(description="How many faces it is the mean of")
    mean: Encoding | None = Field(description="null where there is no face")


@encodings.operation(
    "GET",
    "/v1/images/<hash>/encodings",
    scope=api_key.READ,
    answers={200: EncodingList, 304: None},
    also=["application/octet-stream"],
    problems=(404,),
)
def list_encodings(path: ImagePath, query: EncodingQuery) -> Response:
    """The encodings of a picture's indexed faces."""
    g.about = {"hash": path.hash}
    record = known(path.hash)
    (stored,) = inspection.encodings(parts().redis, [path.hash.encode()])
    if query.format == "raw":
        return conditional(Response(b"".join(stored), mimetype="application/octet-stream"))
    places = [place for place, _ in record.status.indexed]
    numbered = zip(places or range(len(stored)), stored, strict=False)
    found = [FaceEncoding(face=n, encoding=list(vector(one))) for n, one in numbered]
    return conditional(answer(EncodingList(hash=path.hash, model=record.status.model, encodings=found)))


@encodings.operation("GET", "/v1/encodings/mean", scope=api_key.READ, answers={200: MeanEncoding})
def mean_encoding(query: MeanQuery) -> Response:
    """The mean encoding of all faces in the pictures accepted in a period.

    Read piece by piece: about two seconds for 100,000 faces.
    """
    redis = parts().redis
    total, count = [0.0] * DIMENSIONS, 0
    for picture_ids in listing.accepted_between(redis, query.since, query.until):
        for stored in inspection.encodings(redis, [picture_id.encode() for picture_id in picture_ids]):
            total, count = _added(total, stored), count + len(stored)
    mean = [value / count for value in total] if count else None
    return answer(MeanEncoding(count=count, mean=mean))


def _added(total: Sequence[float], stored: Iterable[bytes]) -> list[float]:
    for one in stored:
        total = list(map(add, total, vector(one)))
    return list(total)
