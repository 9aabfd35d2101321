"""Statements and people as JSON documents in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from faces.store.people.group_record import Face
from groups.clustering.partition import Partition
from groups.statements.constraints import Person
from groups.statements.statement import Statement
from groups.statements.statement_log import Provenance


def statement_document(statement: Statement, made: Provenance) -> dict[str, Any]:
    """The document of a statement, as `faces.store.people.statements` reads it."""
    return {
        "number": statement.number,
        "kind": statement.kind,
        "people": [str(group) for group in statement.groups],
        "faces": [str(face) for face in statement.faces],
        "name": statement.name,
        "made": None if statement.made is None else str(statement.made),
        "was": [str(group) for group in statement.was],
        "time": made.time,
        "key": made.key,
        "withdrawn": made.withdrawn,
    }


def statement_from(document: Mapping[str, Any]) -> tuple[Statement, Provenance]:
    """Read a statement."""
    statement = Statement(
        number=document["number"],
        kind=document["kind"],
        groups=_numbers(document["people"]),
        faces=tuple(map(Face.parse, document["faces"])),
        name=document["name"],
        made=None if document["made"] is None else int(document["made"]),
        was=_numbers(document["was"]),
    )
    return statement, Provenance(document["time"], document["key"], document["withdrawn"])


def person_document(person: Person, partition: Partition) -> dict[str, Any]:
    """The document of a person, as `faces.store.people.directory` reads it."""
    groups = [group for group in person.groups if group in partition.table]
    cover = person.cover if person.cover and partition.members.group(person.cover) in groups else None
    return {
        "id": str(person.id),
        "name": person.name,
        "count": sum(map(partition.members.count, groups)),
        "version": max((partition.versions.get(group, 0) for group in person.groups), default=0),
        "groups": [str(group) for group in groups],
        "confirmed": True,
        "hidden": person.hidden,
        "cover": None if cover is None else str(cover),
    }


def _numbers(texts: Iterable[str]) -> tuple[int, ...]:
    return tuple(map(int, texts))
