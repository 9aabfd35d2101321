"""What people say of who is on the pictures: made, withdrawn, listed.

A statement is given to the process that keeps groups, which alone decides: it refuses what contradicts, lets the
groups follow, and writes the statement, its entry in the audit log and all that follows from it in one
transaction. When `say` returns, everything that `faces.store.people` reads is so.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from faces.documents import from_json, to_json
from faces.errors import ContradictionError, StaleError, StatementError, StoreError, UnknownError
from faces.store.client import RedisClient
from faces.store.keys import ASKED, HOME, STATEMENTS, answer_key

PATIENCE = 10  # seconds for an answer: the process may be at a piece of journal, or starting

Kind = Literal["name", "same", "different", "unsure", "not", "assign", "split", "hide", "show", "cover"]

_REFUSALS = {error.code: error for error in (ContradictionError, StaleError, UnknownError)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says.

    | kind | people | faces | meaning |
    |---|---|---|---|
    | name | 1 | | the person is called `name`; two may share one; "" takes it away |
    | same | 2 | | they are one person, who keeps the first one's name, cover and id |
    | different | 2 | | they are two people |
    | unsure | 2 | | I cannot tell: do not ask again |
    | not | 1 | some | these faces do not show the person |
    | assign | 1 | some | these faces show the person |
    | split | 1 | some | these faces of the person's show somebody else, all the same |
    | hide, show | 1 | | leave the person out of lists, or no longer |
    | cover | 1 | 1 | the face stands for the person |

    Attributes:
        people: ids.
        faces: `<hash>:<index>`.
        seen: the version of each of the people that its author saw, by id; {} where nobody looked.
        key: id of the API key of who says it, for the audit log.
        request: id of the HTTP request, for the audit log.
    """

    kind: Kind
    people: tuple[str, ...]
    faces: tuple[str, ...] = ()
    name: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)
    key: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that was made; `withdrawn` is when, in Unix seconds, or None while it stands.

    `people` are the ids of groups at that time; `made` is the id of the one that `assign` or `split` made.
    """

    number: int
    kind: Kind
    people: list[str]
    faces: list[str]
    name: str
    made: str | None
    time: float
    key: str
    withdrawn: float | None


def say(redis: RedisClient, said: Said) -> Statement:
    """Make a statement.

    Raises:
        ContradictionError: it contradicts one that stands; `str(error)` says which.
        StaleError: one of the people has changed since its author looked.
        UnknownError: there is no such person or face.
        StatementError: it lacks something, or has too much.
        StoreError: Redis is away, or no process keeps groups; nothing was said.
    """
    return _statement(_ask(redis, {"do": "say", **asdict(said)}))


def withdraw(redis: RedisClient, number: int | None = None, *, key: str = "", request: str = "") -> Statement:
    """Take a statement back; None: the latest that stands. Raises as `say` does."""
    return _statement(_ask(redis, {"do": "withdraw", "number": number, "key": key, "request": request}))


def why(redis: RedisClient, face: str) -> dict[str, Any]:
    """Why a face is where it is.

    Returns:
        `person`, `distance` from the rest of its group, what was `said` of it, and `near`: the nearest other
        people, each with `distance`, `limit` and the `reason` for which the face is not with them.

    Raises:
        UnknownError: there is no such face.
        StoreError: as for `say`.
    """
    return _ask(redis, {"do": "why", "face": face})


def statements(redis: RedisClient) -> list[Statement]:
    """All statements ever made, the latest first."""
    (documents,) = redis.ask((HOME, "HVALS", STATEMENTS))
    return sorted(map(_statement, map(from_json, documents)), key=lambda s: s.number, reverse=True)


def _statement(document: Mapping[str, Any]) -> Statement:
    return Statement(**{name: document[name] for name in Statement.__slots__})


def _ask(redis: RedisClient, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give a request to the process that keeps groups, and wait for its answer."""
    request = uuid.uuid4().hex
    asked = to_json({**wanted, "id": request, "until": time.time() + PATIENCE})
    _, answer = redis.ask((HOME, "RPUSH", ASKED, asked), (HOME, "BLPOP", answer_key(request), PATIENCE))
    if answer is None:
        (taken_back,) = redis.ask((HOME, "LREM", ASKED, 1, asked))
        if taken_back:
            raise StoreError("the process that keeps groups does not answer: start `python -m groups`")
        (answer,) = redis.ask((HOME, "BLPOP", answer_key(request), PATIENCE))
    if answer is None:
        raise StoreError("the process that keeps groups has not answered: look again before you repeat it")
    reply: dict[str, Any] = from_json(answer[1])
    if "error" in reply:
        raise _REFUSALS.get(reply["code"], StatementError)(reply["error"])
    return reply
