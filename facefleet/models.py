"""What the client gives. Fields that a later server adds are in `extra` or left out; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

Document = Mapping[str, Any]


class Read:
    """A dataclass that is read from JSON: what it has no field for is left out."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Read a JSON document."""
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]  # each subclass is a dataclass
        return cls(**{name: value for name, value in document.items() if name in known})


@dataclass(frozen=True, slots=True)
class Box(Read):
    """In pixels of the upright picture."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Face:
    """A face of a picture.

    Attributes:
        index: number of the face in its picture, from 0.
        box: where it is.
        indexed: whether it is compared with others; `reason` says why not.
        person: `id` and `name` of whose it is; None while it is not grouped.
        extra: what else is known of it: `quality`, and `landmarks`, `age`, `gender` where the fleet finds them.
    """

    index: int
    box: Box | None
    indexed: bool
    reason: str | None = None
    person: Document | None = None
    extra: Document = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document) -> Face:
        """Read a JSON document."""
        own = {"index", "box", "indexed", "reason", "person"}
        return cls(
            index=document["index"],
            box=box_of(document["box"]),
            indexed=document["indexed"],
            reason=document.get("reason"),
            person=document.get("person"),
            extra={name: value for name, value in document.items() if name not in own},
        )


@dataclass(frozen=True, slots=True)
class Image:
    """A picture.

    Attributes:
        hash: SHA-256 of its bytes.
        state: `pending`, `done` or `failed`; a failed one has `code` and `reason`.
        names: the names and URLs that it was sent with.
        accepted: when it was accepted.
        finished: when it was done or failed.
        model: the face encoder that was used.
        matches: how many other pictures show a matching face.
        faces: its faces.
        size: `bytes`, `width`, `height` and `format`; None where the server does not know.
    """

    hash: str
    state: str
    names: list[str]
    accepted: float
    finished: float | None
    model: str | None
    code: str | None
    reason: str | None
    matches: int
    faces: list[Face]
    size: Document | None = None

    @classmethod
    def of(cls, document: Document) -> Image:
        """Read a JSON document."""
        known: dict[str, Any] = {f.name: document.get(f.name) for f in fields(cls)}
        return cls(**{**known, "faces": [Face.of(face) for face in document["faces"]]})


@dataclass(frozen=True, slots=True)
class Sent(Read):
    """A picture that was sent; `problem` has `code` and `detail` where it was not accepted.

    `new`: it is still to be processed. `state` and `faces` are known where the request waited.
    """

    name: str | None
    hash: str | None
    new: bool | None
    state: str | None = None
    faces: int | None = None
    problem: Document | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A face of one picture, one of another, how far apart they are, and whose the other is (`id` and `name`)."""

    face: int
    box: Box | None
    other_face: int
    other_box: Box | None
    distance: float
    probability: float | None
    other_person: Document | None = None

    @classmethod
    def of(cls, document: Document) -> Pair:
        """Read a JSON document."""
        known: dict[str, Any] = {f.name: document.get(f.name) for f in fields(cls)}
        boxes = {"box": box_of(document.get("box")), "other_box": box_of(document.get("other_box"))}
        return cls(**{**known, **boxes})


@dataclass(frozen=True, slots=True)
class Match:
    """Another picture that shows a matching face; `pairs` are the faces it rests on, the nearest first."""

    hash: str
    names: list[str]
    distance: float
    probability: float | None
    pairs: list[Pair]

    @classmethod
    def of(cls, document: Document) -> Match:
        """Read a JSON document."""
        known: dict[str, Any] = {f.name: document.get(f.name) for f in fields(cls)}
        return cls(**{**known, "pairs": [Pair.of(pair) for pair in document["pairs"]]})


@dataclass(frozen=True, slots=True)
class Comparison(Read):
    """Whether two pictures or faces show the same person: the distance of the nearest two faces."""

    same: bool
    distance: float
    probability: float | None
    tolerance: float
    model: str | None


@dataclass(frozen=True, slots=True)
class Stats(Read):
    """The fleet at a moment; the fields are those of `/v1/stats`."""

    pictures: Document
    faces: int
    matches: int
    exact: bool
    model: str | None
    tolerance: float | None
    rates: list[Document]
    queues: list[Document] | None
    workers: int | None
    groups: int = 0
    people: int = 0
    worker_details: list[Document] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `id` is what a reader resumes after, `data` everything that is reported about it."""

    id: str
    kind: str
    data: Document


def box_of(document: Document | None) -> Box | None:
    """Read a box; None where there is none."""
    return None if document is None else Box.of(document)
