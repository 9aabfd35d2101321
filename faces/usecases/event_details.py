"""Events as their readers get them: with the names and times that the pictures have when the events are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faces.documents import from_json
from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.events.stream import Event
from faces.store.keys import HASHES, HOME, erased_key, pending_key, status_key
from faces.store.pictures.status import Status

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Picture:
    names: list[str]
    status: Status | None


def detailed(redis: RedisClient, events: Sequence[Event]) -> list[Document]:
    """Complete events for their readers, in two round trips at most.

    Returns:
        Documents with `id`, `kind`, `time` (Unix seconds) and what the kind has: `hash` and `names`; `accepted`,
        `finished` (Unix seconds), `model`, `faces`, `matches`; `code`, `reason`; `matching`, each with `hash` and
        `names`, and `watches`; `person`, `change`. Of a picture that was erased since, only `hash` is known.
    """
    pictures = _pictures(redis, {event.hash for event in events if event.hash})
    others = _names(redis, {other for event in events for other in event.matching})
    return [_document(event, pictures.get(event.hash), others) for event in events]


def _document(event: Event, picture: _Picture | None, others: dict[str, list[str]]) -> Document:
    document: Document = {"id": event.id, "kind": event.kind, "time": event.time}
    if picture is not None:
        document |= {"hash": event.hash, "names": picture.names, **_times(event, picture.status)}
    if event.kind in {"done", "no_face"}:
        document |= {"faces": event.faces or 0, "matches": event.matches or 0}
    if event.kind == "match":
        document["matching"] = [{"hash": other, "names": others[other]} for other in event.matching]
        document["watches"] = list(event.watches)
    told = {"code": event.code, "reason": event.reason, "person": event.person, "change": event.change}
    return document | {key: value for key, value in told.items() if value is not None}


def _times(event: Event, status: Status | None) -> Document:
    """What the status document adds, unless the picture has been sent again since."""
    if status is None:
        return {}
    finished = {"finished": status.finished, "model": status.model}
    later = event.kind in {"done", "no_face", "match"} and status.state == "done"
    return {"accepted": status.accepted} | (finished if later else {})


def _pictures(redis: RedisClient, hashes: set[str]) -> dict[str, _Picture]:
    if not hashes:
        return {}
    wanted = sorted(hashes)
    replies = redis.ask(
        (HOME, "MGET", *map(status_key, wanted)),
        (HOME, "MGET", *map(erased_key, wanted)),
        *((HOME, "HVALS", pending_key(picture_id)) for picture_id in wanted),
        *((HASHES, "SMEMBERS", picture_id) for picture_id in wanted),
    )
    documents, erased, *names = replies
    pairs = zip(names[: len(wanted)], names[len(wanted) :], strict=True)
    return {
        picture_id: _picture(document, gone, [*waiting, *settled])
        for picture_id, document, gone, (waiting, settled) in zip(
            wanted, documents, erased, pairs, strict=True
        )
    }


def _picture(document: bytes | None, erased: bytes | None, names: Sequence[bytes]) -> _Picture:
    try:
        status = Status.from_json(document)
    except StoreError:  # a damaged document must not end everybody's events
        status = None
    known = {name.decode(errors="replace") for name in names}
    known.update(status.names if status else from_json(erased or b"[]"))
    return _Picture(sorted(known), status)


def _names(redis: RedisClient, hashes: set[str]) -> dict[str, list[str]]:
    wanted = sorted(hashes)
    replies = redis.ask(*((HASHES, "SMEMBERS", other) for other in wanted)) if wanted else []
    return {
        other: sorted(name.decode(errors="replace") for name in some)
        for other, some in zip(wanted, replies, strict=True)
    }
