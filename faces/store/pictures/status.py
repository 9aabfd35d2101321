"""The status document: what is known of one accepted picture. It never says anything that is not so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from faces.documents import fields_of, to_json

State = Literal["pending", "done", "failed", "damaged"]
STORED_STATES = ("pending", "done", "failed")


class Size(NamedTuple):
    """A picture's size: of the file in bytes, and in pixels as stored, before it is turned upright."""

    bytes: int
    width: int
    height: int
    format: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """One picture's status.

    `pending`: accepted, not finished. `done`: committed, with `faces`. `failed`: for good, with `code` and
    `reason`. `damaged`: the document cannot be read; never written. Times are Unix seconds; `finished` is taken
    just before the commit. Each of `faces` has `box`: left, top, right, bottom in pixels of the upright picture;
    the indexed ones are in the order of their encodings in db 3. `earlier` is the document of the failure that a
    picture sent again had before. `size` has the fields of `Size`; None for pictures of an earlier release.
    """

    hash: str
    state: State
    accepted: float = 0.0
    finished: float | None = None
    model: str | None = None
    faces: list[dict[str, Any]] = field(default_factory=list)
    code: str | None = None
    reason: str | None = None
    names: list[str] = field(default_factory=list)
    earlier: dict[str, Any] | None = None
    size: dict[str, Any] | None = None

    @property
    def earlier_failure(self) -> Status | None:
        """The failure that this picture goes back to if its resending is withdrawn."""
        found = None if self.earlier is None else Status.from_json(to_json(self.earlier).encode())
        return None if found is DAMAGED else found

    @property
    def indexed(self) -> list[tuple[int, dict[str, Any]]]:
        """The faces that have encodings in db 3, in that order, each with its place among all faces."""
        return [(place, face) for place, face in enumerate(self.faces) if face.get("indexed", True)]

    def shown(self) -> dict[str, Any]:
        """Return the document as users see it."""
        return {name: value for name, value in vars(self).items() if name != "earlier"}

    def to_json(self) -> str:
        """Serialise the document."""
        # plain values: jsonpickle takes twice as long over the object itself
        return to_json(self.shown() if self.earlier is None else vars(self))

    @classmethod
    def from_json(cls, text: bytes | None) -> Status | None:
        """Read a document; None if there is none. What another release did not write has its default.

        Whoever needs many pictures must not fail on one of them: a document that cannot be read is `damaged`.
        """
        if text is None:
            return None
        try:
            known = fields_of(cls, text)
            status = cls(**known)
        except (ValueError, TypeError):
            return DAMAGED
        return status if all(_VALID[name](value) for name, value in known.items()) else DAMAGED


def pending(picture_id: str, size: Size | None = None, before: Status | None = None) -> Status:
    """Return the status of a picture accepted now; `before` is its failure, if it is sent again."""
    return Status(
        hash=picture_id,
        state="pending",
        accepted=time.time(),
        earlier=None if before is None else before.shown(),
        size=None if size is None else size._asdict(),
    )


def done(before: Status, model: str, faces: list[dict[str, Any]]) -> Status:
    """Return the status of a picture that is committed now."""
    return _finished(before, state="done", model=model, faces=faces)


def failed(before: Status, code: str, reason: str, names: list[str]) -> Status:
    """Return the status of a picture that has failed for good."""
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


def _optional(kind: type | tuple[type, ...]) -> Callable[[object], bool]:
    return lambda value: value is None or isinstance(value, kind)


def _all(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(one, kind) for one in value)


_VALID: dict[str, Callable[[Any], bool]] = {
    "hash": lambda value: isinstance(value, str),
    "state": lambda value: value in STORED_STATES,
    "accepted": lambda value: isinstance(value, int | float),
    "finished": _optional((int, float)),
    "model": _optional(str),
    "faces": _all(dict),
    "code": _optional(str),
    "reason": _optional(str),
    "names": _all(str),
    "earlier": _optional(dict),
    "size": _optional(dict),
}

DAMAGED = Status(
    hash="", state="damaged", code="damaged", reason="its status document in Redis cannot be read"
)
