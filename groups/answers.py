"""Answers to what the server and the command line ask (`faces.store.statements`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, get_args

from faces.documents import to_json
from faces.errors import StaleError, StatementError, UnknownError
from faces.store.client import Command
from faces.store.group_record import Face
from faces.store.keys import AUDIT_LOG, HOME, answer_key
from groups.documents import statement_document
from groups.grouping import Grouping
from groups.history import Made
from groups.reasons import why
from groups.saying import Sayings
from groups.statement import OF_FACES, OF_TWO, Kind, Statement

KEPT = 60  # seconds for which an answer waits to be read
LONGEST_NAME = 200  # characters


class Answers:
    """Does what is asked; what is refused changes nothing."""

    def __init__(self, grouping: Grouping, sayings: Sayings, audit_length: int) -> None:
        self._grouping, self._sayings = grouping, sayings
        self._partition = grouping.partition
        self._cap = ("MAXLEN", "~", audit_length) if audit_length else ()
        self._deeds: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "say": self._say,
            "withdraw": self._withdraw,
            "why": self._why,
        }

    def answer(self, asked: Mapping[str, Any]) -> list[Command]:
        """Commands that give the answer, and note in the audit log what was said."""
        if time.time() > asked["until"]:
            return []  # nobody waits any more, and whoever asked was told that nothing was done
        try:
            reply = self._deeds[asked["do"]](asked)
        except StatementError as error:
            reply = {"error": str(error), "code": error.code}
        key = answer_key(asked["id"])
        commands: list[Command] = [(HOME, "RPUSH", key, to_json(reply)), (HOME, "EXPIRE", key, KEPT)]
        if asked["do"] != "why" and "error" not in reply:
            about = f"statement {reply['number']}"
            fields = ("key", asked["key"], "did", asked["do"], "picture", about, "request", asked["request"])
            commands.append((HOME, "XADD", AUDIT_LOG, *self._cap, "*", *fields))
        return commands

    def _say(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._check_seen(asked["seen"])
        groups = tuple(self._group(identity) for identity in asked["people"])
        kind = asked["kind"]
        faces = tuple(map(_face, asked["faces"]))
        _check_form(kind, groups, faces, asked["name"])
        statement = Statement(
            number=self._sayings.history.last + 1,
            kind=kind,
            groups=groups,
            faces=faces,
            name=asked["name"].strip(),
        )
        made = Made(time.time(), asked["key"])
        return statement_document(self._sayings.say(statement, made), made)

    def _withdraw(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        history = self._sayings.history
        latest = max((statement.number for statement in history.standing()), default=0)
        number = asked["number"] or latest
        if not number:
            raise UnknownError("there is nothing to take back: no statement stands")
        self._sayings.withdraw(number, time.time())
        return statement_document(*history.every[number])

    def _why(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return why(self._grouping, self._sayings, _face(asked["face"]))

    def _check_seen(self, seen: Mapping[str, int]) -> None:
        """See that people are as somebody saw them."""
        for identity, version in seen.items():
            group = self._group(identity)
            person = self._grouping.law.people.get(group)
            groups = [group] if person is None else person.groups
            now = max(self._partition.versions.get(one, 0) for one in groups)
            if now != version or identity != str(group if person is None else person.id):
                raise StaleError(f"person {identity} has changed meanwhile: look again, then repeat it")

    def _group(self, identity: str) -> int:
        """A group of a person, to speak of."""
        if not identity.isdecimal():
            raise UnknownError(f"there is no person {identity[:40]!r}: ids are numbers")
        group = self._partition.current(int(identity))
        person = self._grouping.law.people.get(group)
        for one in [group] if person is None else [group, *person.groups]:
            if one in self._partition.table:
                return one
        raise UnknownError(f"there is no person {identity}")


def _check_form(kind: str, groups: tuple[int, ...], faces: tuple[Face, ...], name: str) -> None:
    if kind not in get_args(Kind):
        raise StatementError(f"{kind[:40]!r} is no kind of statement: say one of {', '.join(get_args(Kind))}")
    wanted = 1 + (kind in OF_TWO)
    if len(groups) != wanted:
        raise StatementError(f"{kind} is said of {wanted} of the people, not of {len(groups)}")
    if len(set(groups)) != wanted:
        raise StatementError("both are the same person already")
    if bool(faces) != (kind in OF_FACES) or (kind == "cover" and len(faces) != 1):
        raise StatementError(
            f"{kind} names {'faces' if kind in OF_FACES else 'no faces'}; a cover is one face"
        )
    if len(set(faces)) != len(faces):
        raise StatementError("a face is named twice")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise StatementError(f"a name has at most {LONGEST_NAME} characters, all of which can be printed")


def _face(text: str) -> Face:
    try:
        return Face.parse(text)
    except ValueError as error:
        raise UnknownError(str(error)) from error
