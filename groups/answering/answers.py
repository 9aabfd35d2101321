"""Answers the requests of `faces.store.people.statements`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, get_args

from faces.documents import from_json, to_json
from faces.errors import StaleError, StatementError, UnknownError
from faces.store.client import Command
from faces.store.events import stream
from faces.store.keys import AUDIT_LOG, HOME, answer_key
from faces.store.people.group_record import Face
from groups.answering.curation import Curation
from groups.answering.reasons import explain
from groups.clustering.grouping import Grouping
from groups.saved.documents import statement_document
from groups.statements.statement import OF_FACES, OF_TWO, Kind, Statement
from groups.statements.statement_log import Provenance

KEPT = 60  # seconds until an unread answer expires
LONGEST_NAME = 200  # characters

log = logging.getLogger(__name__)


class Answers:
    """Carries out requests; a rejected one changes nothing."""

    def __init__(self, grouping: Grouping, curation: Curation, audit_length: int) -> None:
        self._grouping, self._curation = grouping, curation
        self._partition = grouping.partition
        self._cap = ("MAXLEN", "~", audit_length) if audit_length else ()
        self._deeds: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "submit": self._submit,
            "withdraw": self._withdraw,
            "explain": self._explain,
        }

    def answer(self, request: bytes) -> list[Command]:
        """Commands that send the answer and write the audit log entry."""
        try:
            asked = from_json(request)
            expired = time.time() > float(asked["until"])
        except (ValueError, KeyError, TypeError):
            log.warning("dropped a malformed request: %r", request[:200])
            return []
        if expired:
            return []  # the client has given up
        try:
            reply = self._deeds[asked["do"]](asked)
        except StatementError as error:
            reply = {"error": str(error), "code": error.code}
        key = answer_key(asked["id"])
        commands: list[Command] = [(HOME, "RPUSH", key, to_json(reply)), (HOME, "EXPIRE", key, KEPT)]
        if asked["do"] != "explain" and "error" not in reply:
            about = f"statement {reply['number']}"
            fields = ("key", asked["key"], "did", asked["do"], "picture", about, "request", asked["request"])
            commands.append((HOME, "XADD", AUDIT_LOG, *self._cap, "*", *fields))
            change = reply["kind"] if asked["do"] == "submit" else "withdraw"
            commands += [stream.person_changed(person, change) for person in self._concerned(reply)]
        return commands

    def _concerned(self, statement: Mapping[str, Any]) -> list[str]:
        """Ids of the people that a statement is about: those that it names, and who they are now."""
        groups = [*statement["people"], *filter(None, [statement["made"]])]
        people = self._grouping.constraints.people
        now = [self._partition.current(int(group)) for group in groups]
        return list(dict.fromkeys([*groups, *(str(people[g].id if g in people else g) for g in now)]))

    def _submit(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._check_seen(asked["seen"])
        groups = tuple(self._group(identity) for identity in asked["people"])
        kind = asked["kind"]
        faces = tuple(map(_face, asked["faces"]))
        _check_form(kind, groups, faces, asked["name"])
        statement = Statement(
            number=self._curation.statement_log.last + 1,
            kind=kind,
            groups=groups,
            faces=faces,
            name=asked["name"].strip(),
        )
        made = Provenance(time.time(), asked["key"])
        return statement_document(self._curation.apply(statement, made), made)

    def _withdraw(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        statement_log = self._curation.statement_log
        latest = max((statement.number for statement in statement_log.standing()), default=0)
        number = asked["number"] or latest
        if not number:
            raise UnknownError("there is no statement to withdraw")
        self._curation.withdraw(number, time.time())
        return statement_document(*statement_log.every[number])

    def _explain(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return explain(self._grouping, self._curation, _face(asked["face"]))

    def _check_seen(self, seen: Mapping[str, int]) -> None:
        """Check that people have not changed since the author looked."""
        for identity, version in seen.items():
            group = self._group(identity)
            person = self._grouping.constraints.people.get(group)
            groups = [group] if person is None else person.groups
            now = max(self._partition.versions.get(one, 0) for one in groups)
            if now != version or identity != str(group if person is None else person.id):
                raise StaleError(
                    f"person {identity} has changed in the meantime: look again, then repeat the request"
                )

    def _group(self, identity: str) -> int:
        """A group that represents a person."""
        if not identity.isdecimal():
            raise UnknownError(f"there is no person {identity[:40]!r}: ids are numbers")
        group = self._partition.current(int(identity))
        person = self._grouping.constraints.people.get(group)
        for one in [group] if person is None else [group, *person.groups]:
            if one in self._partition.table:
                return one
        raise UnknownError(f"there is no person {identity}")


def _check_form(kind: str, groups: tuple[int, ...], faces: tuple[Face, ...], name: str) -> None:
    if kind not in get_args(Kind):
        raise StatementError(
            f"unknown kind of statement {kind[:40]!r}: use one of {', '.join(get_args(Kind))}"
        )
    wanted = 1 + (kind in OF_TWO)
    if len(groups) != wanted:
        raise StatementError(f"{kind} is about {wanted} of the people, not {len(groups)}")
    if len(set(groups)) != wanted:
        raise StatementError("they are already the same person")
    if bool(faces) != (kind in OF_FACES) or (kind == "cover" and len(faces) != 1):
        raise StatementError(
            f"{kind} takes {'faces' if kind in OF_FACES else 'no faces'}, and cover exactly one"
        )
    if len(set(faces)) != len(faces):
        raise StatementError("a face is given twice")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise StatementError(f"a name must be printable and have at most {LONGEST_NAME} characters")


def _face(text: str) -> Face:
    try:
        return Face.parse(text)
    except ValueError as error:
        raise UnknownError(str(error)) from error
