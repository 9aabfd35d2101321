"""Names, statuses and counts: what can be judged from one instant, read in one MULTI a piece.

`check_types` comes first: the other checks cannot read values of a wrong type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from client.checking.faults import Faults
from faces.picture_id import is_picture_id
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.collection.inspection import TYPES
from faces.store.keys import ENCODINGS, HASHES, NAMES
from faces.store.pictures import queries
from faces.store.pictures.picture_states import PictureState, picture_states
from faces.store.pictures.queries import Counts

Pair = tuple[bytes, bytes]


def check_types(redis: RedisClient, faults: Faults) -> None:
    """Every value is of the type that belongs in its database."""
    for database in TYPES:
        for key in inspection.mistyped(redis, database):
            faults.add(3, f"db {database}: {_text(key)} has a value of the wrong type")


def check_names(redis: RedisClient, faults: Faults) -> int:
    """Rule 1: db 1 gives a name to a picture if and only if db 2 does. Return the count of names."""
    for pairs in _pairs(redis):
        for (name, picture_id), naming in zip(pairs, inspection.namings(redis, pairs), strict=True):
            owned = naming.owner == picture_id
            if owned != naming.member:
                has, lacks = ("db 1", "db 2") if owned else ("db 2", "db 1")
                where = f"{has} gives the name {_text(name)} to {_text(picture_id)}, {lacks} does not"
                faults.add(1, where)
    return inspection.size(redis, NAMES)


def check_states(redis: RedisClient, faults: Faults) -> int:
    """Rules 3 and 4: a picture is in the databases that its status says. Return the count of done pictures."""
    seen: set[str] = set()
    done = 0
    for picture_ids in _pictures(redis, faults):
        unseen = [picture_id for picture_id in dict.fromkeys(picture_ids) if picture_id not in seen]
        for found in picture_states(redis, unseen):
            done += found.state == "done"
            for fault in _faults_of(found):
                faults.add(3 if found.state == "done" else 4, f"{found.picture_id}: {fault}")
        seen.update(unseen)
    return done


def check_counts(before: Counts, after: Counts, done: int, faults: Faults) -> None:
    """Rule 5: accepted = done + failed + erased + in flight; done, if it stood still, is what was found."""
    if after.unaccounted:
        faults.add(
            5,
            f"{after.accepted} accepted are not {after.done} done + {after.failed} failed + {after.erased} erased"
            f" + {after.in_flight} in flight",
        )
    if (before.done, before.erased) == (after.done, after.erased) and done != after.done:
        faults.add(5, f"the counts say {after.done} done, the status documents {done}")


def counts(redis: RedisClient) -> Counts:
    """Return the counts of one instant."""
    return queries.counts(redis)


def _pairs(redis: RedisClient) -> Iterator[list[Pair]]:
    """Yield names with pictures as either database has them, a piece at a time."""
    for names in inspection.keys(redis, NAMES):
        owners = zip(names, inspection.owners(redis, names), strict=True)
        yield [(name, owner) for name, owner in owners if owner is not None]
    for picture_ids in inspection.keys(redis, HASHES):
        claims = zip(picture_ids, inspection.names_of(redis, picture_ids), strict=True)
        pairs = [(name, picture_id) for picture_id, names in claims for name in names]
        for start in range(0, len(pairs), inspection.PIECE):
            yield pairs[start : start + inspection.PIECE]


def _pictures(redis: RedisClient, faults: Faults) -> Iterator[list[str]]:
    """Yield every picture that any database but the fourth has, a piece at a time; with repeats."""
    for keys in inspection.with_status(redis):
        yield _hashes(keys, "the status documents have", faults)
    for members in inspection.in_flight(redis):
        yield _hashes(members, "inflight has", faults)
    for database in (HASHES, ENCODINGS):
        for keys in inspection.keys(redis, database):
            yield _hashes(keys, f"db {database} has", faults)


def _hashes(keys: Sequence[bytes], who: str, faults: Faults) -> list[str]:
    texts = [_text(key) for key in keys]
    for text in texts:
        if not is_picture_id(text):
            faults.add(3, f"{who} the key {text}, which is not a hash")
    return [text for text in texts if is_picture_id(text)]


def _faults_of(found: PictureState) -> Iterator[str]:
    state = found.state
    if state == "damaged":
        yield "its status document cannot be read"
        return
    if found.in_flight != (state == "pending"):
        yield f"its status is {state or 'absent'}, but it is {'' if found.in_flight else 'not '}in flight"
    if found.named and state != "done":
        yield f"its status is {state or 'absent'}, but db 2 has names of it"
    if found.encodings != (found.indexed if state == "done" else 0):
        yield (
            f"its status is {state or 'absent'} with {found.indexed} faces, "
            f"but db 3 has {found.encodings} encodings"
        )


def _text(key: bytes) -> str:
    return key.decode(errors="replace")
