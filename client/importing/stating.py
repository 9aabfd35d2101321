"""From faces with the names of their people to statements that groups obey."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from faces.errors import StatementError
from faces.store.client import RedisClient
from faces.store.people import appearances, directory
from faces.store.people.directory import Person
from faces.store.people.statements import Kind, NewStatement, Statement, submit

Shares = Mapping[str, Counter[str]]
"""By group: how many of its faces have which name."""


@dataclass
class Outcome:
    """What became of the faces of one person.

    Attributes:
        name: the person's name.
        id: the person's id; None if nobody could be given the name.
        already: how many faces were this person's already.
        stated: how many faces a new statement gives to this person.
        left: faces left as they are, each with the reason.
    """

    name: str
    id: str | None = None
    already: int = 0
    stated: int = 0
    left: dict[str, str] = field(default_factory=dict)


def state(redis: RedisClient, faces: Mapping[str, Sequence[str]]) -> Iterator[Outcome]:
    """State whose faces they are, as far as that is not so already. Doing it again changes nothing.

    Whoever has the name already gets the faces; if nobody has it, the group that has most of them gets the name.
    People with other names than these keep their faces.

    Args:
        redis: where the groups are.
        faces: by the name of the person, each as `<hash>:<index>`.

    Raises:
        StoreError: Redis is unavailable, or the groups process does not answer.
    """
    shares = _shares(redis, faces)
    for name, of_person in faces.items():
        outcome = Outcome(name)
        try:
            person = _person(redis, name, shares)
        except StatementError as error:
            outcome.left = dict.fromkeys(of_person, str(error))
        else:
            _Stating(redis, outcome, faces).state(person, of_person)
        yield outcome


def grouped_with(redis: RedisClient, faces: Sequence[str]) -> list[Person | None]:
    """The person that each face is grouped with; None if it is not in a group, or not yet."""
    places = [(picture_id, int(index)) for picture_id, _, index in (face.partition(":") for face in faces)]
    found = appearances.of_pictures(redis, [picture_id for picture_id, _ in places])
    return [
        of_picture[index] if index < len(of_picture) else None
        for (_, index), of_picture in zip(places, found, strict=True)
    ]


def _shares(redis: RedisClient, faces: Mapping[str, Sequence[str]]) -> Shares:
    shares: dict[str, Counter[str]] = defaultdict(Counter)
    for name, of_person in faces.items():
        for person in grouped_with(redis, of_person):
            if person is not None:
                shares[person.id][name] += 1
    return shares


def _person(redis: RedisClient, name: str, shares: Shares) -> Person | None:
    """Who has the name, or the unnamed group that is to get it, if there is one.

    Raises:
        StatementError: several people have the name, and nothing tells which of them is meant.
    """

    def mine(person: Person) -> int:
        return shares[person.id][name] if person.id in shares else 0

    has = sorted(directory.named(redis, name), key=mine, reverse=True)
    if len(has) > 1 and mine(has[0]) == mine(has[1]):
        ids = " and ".join(person.id for person in has)
        raise StatementError(f"{ids} are both named {name}: merge them, or rename one")
    if has:
        return has[0]
    best = [identity for identity, names in shares.items() if names.most_common(1)[0][0] == name]
    unnamed = (person for one in best if (person := directory.person(redis, one)) and not person.name)
    return max(unnamed, key=mine, default=None)


class _Stating:
    """Makes the statements that one person needs."""

    def __init__(self, redis: RedisClient, outcome: Outcome, names: Collection[str]) -> None:
        self._redis, self._outcome, self._names = redis, outcome, names

    def state(self, person: Person | None, faces: Sequence[str]) -> None:
        """Give a person their faces; nobody: make a new person of one of them first."""
        if person is None:
            person = self._new_person(faces)
        if person is None or not self._give_name(person, faces):
            return
        self._outcome.id = person.id
        self._say("assign", person, [face for face, _ in self._elsewhere(person, faces)])
        self._outcome.already = len(faces) - self._outcome.stated - len(self._outcome.left)

    def _new_person(self, faces: Sequence[str]) -> Person | None:
        for face, owner in self._elsewhere(None, faces):
            made = self._say("split", owner, [face])
            if made is not None:
                return directory.person(self._redis, made.made or "")
        return None

    def _give_name(self, person: Person, faces: Sequence[str]) -> bool:
        if person.name == self._outcome.name:
            return True
        try:
            submit(self._redis, NewStatement(kind="name", people=(person.id,), name=self._outcome.name))
        except StatementError as error:
            self._outcome.left = dict.fromkeys(faces, str(error))
            return False
        return True

    def _elsewhere(self, person: Person | None, faces: Sequence[str]) -> Iterator[tuple[str, Person]]:
        """Yield the faces to take over, and whose they are now; note why others are left."""
        for face, owner in zip(faces, grouped_with(self._redis, faces), strict=True):
            if owner is None:
                self._outcome.left[face] = "it is not in a group yet: import again later"
            elif person is not None and owner.id == person.id:
                continue
            elif owner.name and owner.name not in self._names:
                self._outcome.left[face] = f"it is {owner.name} (person {owner.id}) already"
            else:
                yield face, owner

    def _say(self, kind: Kind, person: Person, faces: Sequence[str]) -> Statement | None:
        """Make a statement about faces; where one contradicts another statement, about each alone."""
        if not faces:
            return None
        try:
            made = submit(self._redis, NewStatement(kind=kind, people=(person.id,), faces=tuple(faces)))
        except StatementError as error:
            if len(faces) == 1:
                self._outcome.left[faces[0]] = str(error)
            else:
                for face in faces:
                    self._say(kind, person, [face])
            return None
        self._outcome.stated += len(faces)
        for face in faces:  # it may have contradicted what is no longer stated
            self._outcome.left.pop(face, None)
        return made
