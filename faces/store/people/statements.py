"""Statements: what users state about people, such as a name, "same person" or "not this person".

Statements are submitted to the groups process, which alone applies them. It rejects contradictions, updates the
groups, and writes the statement, its audit log entry and all consequences in one transaction. Once `submit`
returns, everything that `faces.store.people.directory` reads is up to date.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from faces.documents import from_json, to_json
from faces.errors import ContradictionError, GroupsError, StaleError, StatementError, UnknownError
from faces.store.client import RedisClient
from faces.store.keys import ASKED, GROUP_LEASE, HOME, STATEMENTS, answer_key

ANSWER_TIMEOUT = 10  # seconds; the process may be busy with a batch of the journal, or starting

Kind = Literal["name", "same", "different", "unsure", "not", "assign", "split", "hide", "show", "cover"]

_REFUSALS = {error.code: error for error in (ContradictionError, StaleError, UnknownError)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStatement:
    """A statement to submit.

    | kind | people | faces | meaning |
    |---|---|---|---|
    | name | 1 | | sets the person's name; two people may share one; "" removes it |
    | same | 2 | | both are one person, who keeps the first one's id, name and cover |
    | different | 2 | | they are two people |
    | unsure | 2 | | the author cannot tell; the pair is not suggested again |
    | not | 1 | 1+ | these faces are not this person |
    | assign | 1 | 1+ | these faces are this person |
    | split | 1 | 1+ | these faces of the person belong to somebody else, all to the same one |
    | hide, show | 1 | | hides the person from lists, or shows them again |
    | cover | 1 | 1 | the face that represents the person |

    Attributes:
        people: ids.
        faces: `<hash>:<index>`.
        seen: versions of the people as the author saw them, by id; {} skips the check.
        key: id of the author's API key, for the audit log.
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
    """A recorded statement; `withdrawn` is the time of its withdrawal in Unix seconds, None while it is active.

    `people` are the ids at that time; `made` is the id of the group that `assign` or `split` created.
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


def submit(redis: RedisClient, statement: NewStatement) -> Statement:
    """Submit a statement and wait until it is applied.

    Raises:
        ContradictionError: it contradicts an active statement; the message says which.
        StaleError: one of the people has changed since the author looked.
        UnknownError: no such person or face.
        StatementError: wrong number of people or faces, or an unusable name.
        GroupsError: the groups process does not answer.
        StoreError: Redis is unavailable.
    """
    return _statement(_ask(redis, {"do": "submit", **asdict(statement)}))


def withdraw(redis: RedisClient, number: int | None = None, *, key: str = "", request: str = "") -> Statement:
    """Withdraw a statement; None: the latest active one. Raises like `submit`."""
    return _statement(_ask(redis, {"do": "withdraw", "number": number, "key": key, "request": request}))


def explain(redis: RedisClient, face: str) -> dict[str, Any]:
    """Explain why a face is in its group.

    Returns:
        `person`; `distance` to the rest of its group; `statements` about it, by number; `good`: whether its
        quality is good; `near`: the nearest other people, each with `distance`, `limit` and the `reason` why the
        face is not theirs.

    Raises:
        UnknownError: no such face.
        GroupsError, StoreError: as for `submit`.
    """
    return _ask(redis, {"do": "explain", "face": face})


def history(redis: RedisClient, *, before: int | None = None, most: int | None = None) -> list[Statement]:
    """Statements ever made, latest first: `most` of them, or all, below the number `before`."""
    (last,) = redis.ask((HOME, "HLEN", STATEMENTS))  # they are numbered from 1, and never removed
    latest = last if before is None else min(last, before - 1)
    numbers = range(latest, 0 if most is None else max(0, latest - most), -1)
    (documents,) = redis.ask((HOME, "HMGET", STATEMENTS, *numbers)) if numbers else ([],)
    return [_statement(from_json(document)) for document in documents if document is not None]


def groups_process_runs(redis: RedisClient) -> bool:
    """Tell whether a groups process is in charge, or was within the last seconds."""
    (found,) = redis.ask((HOME, "EXISTS", GROUP_LEASE))
    return bool(found)


def _statement(document: Mapping[str, Any]) -> Statement:
    return Statement(**{name: document[name] for name in Statement.__slots__})


def _ask(redis: RedisClient, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request to the groups process and wait for the answer."""
    request = uuid.uuid4().hex
    asked = to_json({**wanted, "id": request, "until": time.time() + ANSWER_TIMEOUT})
    _, answer = redis.ask((HOME, "RPUSH", ASKED, asked), (HOME, "BLPOP", answer_key(request), ANSWER_TIMEOUT))
    if answer is None:
        (taken_back,) = redis.ask((HOME, "LREM", ASKED, 1, asked))
        if taken_back:
            raise GroupsError("the groups process does not answer: start `python -m groups`")
        (answer,) = redis.ask((HOME, "BLPOP", answer_key(request), ANSWER_TIMEOUT))
    if answer is None:
        raise GroupsError(
            "the groups process has not answered yet: check the outcome before you repeat the request"
        )
    reply: dict[str, Any] = from_json(answer[1])
    if "error" in reply:
        raise _REFUSALS.get(reply["code"], StatementError)(reply["error"])
    return reply
