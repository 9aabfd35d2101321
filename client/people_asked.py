"""`facefleet people suggestions --ask`: one question after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from client.people_named import examples
from client.terminal import note, printable
from faces.errors import StatementError
from faces.store.client import RedisClient
from faces.store.people import Person, Suggestion
from faces.store.statements import Kind, NewStatement, submit, withdraw

KINDS: dict[str, Kind] = {"y": "same", "n": "different", "?": "unsure"}


def ask(redis: RedisClient, found: Sequence[Suggestion], answer: Callable[[str], str] = input) -> None:
    """Ask about each suggestion until somebody quits."""
    for suggestion in found:
        print(f"\n{_shown(redis, suggestion.first)}\n{_shown(redis, suggestion.second)}")
        prompt = f"Same person? Settles {suggestion.faces} faces. [y]es [n]o [?] not sure [u]ndo [q]uit "
        while (given := answer(prompt).strip().lower()) not in {*KINDS, "q"}:
            if given == "u":
                note(f"withdrew statement {withdraw(redis).number}")
        if given == "q":
            return
        _answered(redis, suggestion, KINDS[given])


def _answered(redis: RedisClient, suggestion: Suggestion, kind: Kind) -> None:
    pair = (suggestion.first, suggestion.second)
    seen = {person.id: person.version for person in pair}
    try:
        submit(redis, NewStatement(kind=kind, people=tuple(p.id for p in pair), seen=seen))
    except StatementError as error:
        note(f"skipped: {error}")  # somebody else answered, or an earlier answer settled it


def _shown(redis: RedisClient, person: Person) -> str:
    name = f" {printable(person.name)}" if person.name else ""
    return f"  {person.id}{name}, {person.count:,} faces, for example {printable(examples(redis, person))}"
