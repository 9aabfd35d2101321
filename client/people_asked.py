"""`facefleet people suggestions --ask`: one question after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from client.people_named import examples
from client.terminal import note, printable
from faces.errors import StatementError
from faces.store.client import RedisClient
from faces.store.people import directory
from faces.store.people.directory import Person, Suggestion
from faces.store.people.statements import Kind, NewStatement, submit, withdraw

KINDS: dict[str, Kind] = {"y": "same", "n": "different", "?": "unsure"}


def ask(redis: RedisClient, found: Sequence[Suggestion], answer: Callable[[str], str] = input) -> None:
    """Ask about each suggestion until somebody quits."""
    for suggestion in found:
        print(f"\n{_shown(redis, suggestion.first)}\n{_shown(redis, suggestion.second)}")
        nameless = _nameless(suggestion)
        choices, other = {*KINDS, "q"}, ""
        if nameless is not None:
            choices, other = {*choices, "e"}, "[e] somebody else "
        prompt = (
            f"Same person? Settles {suggestion.faces} faces. [y]es [n]o {other}[?] not sure [u]ndo [q]uit "
        )
        while (given := answer(prompt).strip().lower()) not in choices:
            if given == "u":
                note(f"withdrew statement {withdraw(redis).number}")
        if given == "q":
            return
        _answered(redis, suggestion, KINDS.get(given, "different"))
        if given == "e" and nameless:
            _named(redis, nameless, answer)


def _nameless(suggestion: Suggestion) -> Person | None:
    """Who of the two has no name, if the other one has."""
    nameless = [person for person in (suggestion.first, suggestion.second) if not person.name]
    return nameless[0] if len(nameless) == 1 else None


def _answered(redis: RedisClient, suggestion: Suggestion, kind: Kind) -> None:
    pair = (suggestion.first, suggestion.second)
    seen = {person.id: person.version for person in pair}
    _submit(redis, NewStatement(kind=kind, people=tuple(p.id for p in pair), seen=seen))


def _named(redis: RedisClient, person: Person, answer: Callable[[str], str]) -> None:
    """Give somebody a name, or have them be somebody who has it."""
    name = answer("Who? ").strip()
    for known in directory.named(redis, name) if name else ():
        if answer(f"The same as person {known.id}? [y]es [n]o ").strip().lower() == "y":
            _submit(redis, NewStatement(kind="same", people=(known.id, person.id)))
            return
    if name:
        _submit(redis, NewStatement(kind="name", people=(person.id,), name=name))


def _submit(redis: RedisClient, statement: NewStatement) -> None:
    try:
        submit(redis, statement)
    except StatementError as error:
        note(f"skipped: {error}")  # somebody else answered, or an earlier answer settled it


def _shown(redis: RedisClient, person: Person) -> str:
    name = f" {printable(person.name)}" if person.name else ""
    return f"  {person.id}{name}, {person.count:,} faces, for example {printable(examples(redis, person))}"
