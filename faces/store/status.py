"""The status document: what is known of one accepted picture. It never says something that is not so."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, cast, get_args

from faces.documents import from_json, to_json
from faces.errors import StoreError

State = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's size: of the file in bytes, and in pixels as stored, before it is turned upright."""

    bytes: int
    width: int
    height: int
    format: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """One picture's status.

    `pending`: accepted, not finished. `done`: committed, with `faces`. `failed`: for good, with `code` and
    `reason`. Times are Unix seconds; a worker is `finished` just before its turn to commit. Each of `faces` has
    `box`: left, top, right, bottom in pixels of the upright picture; the indexed ones stand in the order of their
    encodings in db 3. `size` has the fields of `Size`; None for pictures accepted by an earlier release.
    """

    hash: str
    state: State
    accepted: float
    finished: float | None = None
    model: str | None = None
    faces: list[dict[str, Any]] = field(default_factory=list)
    code: str | None = None
    reason: str | None = None
    names: list[str] = field(default_factory=list)
    size: dict[str, Any] | None = None

    def to_json(self) -> str:
        """Write the document."""
        return to_json(vars(self))  # jsonpickle takes twice as long over the object itself

    @classmethod
    def from_json(cls, text: bytes | None) -> Status | None:
        """Read a document; None where there is none.

        Raises:
            StoreError: what stands there is not a status document.
        """
        if text is None:
            return None
        try:
            values = from_json(text)
            known = {f.name: values[f.name] for f in fields(cls) if f.name in values or f.name != "size"}
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError("a status document in Redis is damaged") from error
        if known["state"] not in get_args(State):
            raise StoreError(f"a status document in Redis has the unknown state {str(known['state'])[:40]!r}")
        return cls(**known)


def pending(picture_id: str, size: Size | None = None) -> Status:
    """Status of a picture accepted now."""
    return Status(
        hash=picture_id, state="pending", accepted=time.time(), size=None if size is None else asdict(size)
    )


def done(before: Status, model: str, faces: list[dict[str, Any]]) -> Status:
    """Status of a picture that is committed now."""
    return _finished(before, state="done", model=model, faces=faces)


def failed(before: Status, code: str, reason: str, names: list[str]) -> Status:
    """Status of a picture that has failed for good."""
    return _finished(before, state="failed", code=code, reason=reason, names=names)


def _finished(before: Status, *, state: str, **values: Any) -> Status:
    return Status(
        hash=before.hash,
        state=cast("State", state),
        accepted=before.accepted,
        finished=time.time(),
        size=before.size,
        **values,
    )
