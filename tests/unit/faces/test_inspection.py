"""Readings for a check, on a real Redis."""

from __future__ import annotations

import pytest

from faces.errors import StoreError
from faces.store.client import Command, RedisClient
from faces.store.collection import inspection
from faces.store.collection.inspection import NameOwnership
from faces.store.keys import ATTEMPTS, ENCODINGS, HOME, INFLIGHT, META, NAMES, pending_key, status_key
from faces.store.pictures.accept import accept
from faces.store.pictures.picture_states import PictureState, picture_states

H, OTHER = "0" * 64, "1" * 64

PLACES: dict[str, Command] = {
    "status": (0, "SET", status_key(H), "{}"),
    "pending": (0, "HSET", pending_key(H), 1, "name"),
    "inflight": (0, "ZADD", INFLIGHT, 0, H),
    "attempts": (0, "HSET", ATTEMPTS, H, 0),
    "db 1, name its name": (1, "SET", "its name", H),
    "db 2": (2, "SADD", H, "name"),
    "db 3": (3, "RPUSH", H, bytes(512)),
    "db 4": (4, "SADD", H, OTHER),
    f"db 4, matches of {OTHER}": (4, "SADD", OTHER, H),
    "db 5": (5, "SADD", H, OTHER),
    f"db 5, matches of {OTHER}": (5, "SADD", OTHER, H),
    "db 6": (6, "RPUSH", H, bytes(512)),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_residue_is_found_wherever_it_is(place: str, redis: RedisClient) -> None:
    redis.ask((1, "SET", "another name", OTHER), (4, "SADD", OTHER, "2" * 64), PLACES[place])
    assert list(inspection.residue(redis, H)) == [place]


def test_nothing_leaves_no_residue(redis: RedisClient) -> None:
    assert list(inspection.residue(redis, H)) == []


def test_a_scan_finds_every_key_of_its_database(redis: RedisClient) -> None:
    redis.ask(*((3, "RPUSH", f"k{n}", "x") for n in range(2000)), (1, "SET", "elsewhere", "x"))
    assert {key for piece in inspection.keys(redis, ENCODINGS) for key in piece} == {
        f"k{n}".encode() for n in range(2000)
    }


def test_values_of_a_wrong_type_are_found(redis: RedisClient) -> None:
    redis.ask((3, "RPUSH", "list", "x"), (3, "SET", "text", "x"), (0, "SET", status_key(H), "x"))
    redis.ask((0, "HSET", status_key(OTHER), "x", "y"))
    assert list(inspection.mistyped(redis, ENCODINGS)) == [b"text"]
    assert list(inspection.mistyped(redis, HOME)) == [status_key(OTHER).encode()]
    assert list(inspection.mistyped(redis, NAMES)) == []


def test_pictures_with_status_and_in_flight(redis: RedisClient) -> None:
    accept(redis, H, "name")
    assert [key for piece in inspection.with_status(redis) for key in piece] == [H.encode()]
    assert [key for piece in inspection.in_flight(redis) for key in piece] == [H.encode()]


def test_a_standing_tells_where_a_picture_is(redis: RedisClient) -> None:
    accept(redis, H, "name")
    assert picture_states(redis, [H, OTHER]) == [
        PictureState(H, "pending", 0, in_flight=True, named=False, encodings=0),
        PictureState(OTHER, None, 0, in_flight=False, named=False, encodings=0),
    ]


@pytest.mark.parametrize(
    "document", ["no json", "[]", "{}", '{"state": "done", "faces": 3}', '{"state": "done", "faces": [3]}']
)
def test_a_damaged_status_is_called_so(document: str, redis: RedisClient) -> None:
    rest = (
        '"accepted": 0, "finished": 1, "model": "m", "code": null, "reason": null, "names": [], "hash": "x"'
    )
    redis.ask((0, "SET", status_key(H), document.replace('{"state"', '{%s, "state"' % rest)))  # noqa: UP031 -- braces
    assert picture_states(redis, [H])[0].state == "damaged"


def test_faces_that_are_not_indexed_do_not_count(redis: RedisClient) -> None:
    document = (
        f'{{"hash": "{H}", "state": "done", "accepted": 0, "finished": 1, "model": "m", "code": null,'
        ' "reason": null, "names": [], "faces": [{}, {"indexed": true}, {"indexed": false}]}'
    )
    redis.ask((0, "SET", status_key(H), document))
    assert picture_states(redis, [H])[0].indexed == 2


def test_namings(redis: RedisClient) -> None:
    redis.ask((1, "SET", "a", H), (2, "SADD", H, "a", "b"))
    pairs = [(b"a", H.encode()), (b"b", H.encode()), (b"c", OTHER.encode())]
    assert inspection.namings(redis, pairs) == [
        NameOwnership(H.encode(), member=True),
        NameOwnership(None, member=True),
        NameOwnership(None, member=False),
    ]
    assert inspection.owners(redis, [b"a", b"c"]) == [H.encode(), None]
    assert inspection.names_of(redis, [OTHER]) == [[]]


def test_nothing_asked_is_nothing_answered(redis: RedisClient) -> None:
    for question in (
        inspection.encodings,
        inspection.matches,
        inspection.owners,
        inspection.namings,
        picture_states,
    ):
        assert question(redis, []) == []


def test_the_journal_is_read_from_a_position(redis: RedisClient) -> None:
    redis.ask((0, "RPUSH", "journal", "a", "b", "c"))
    assert inspection.journal_lines(redis) == [b"a", b"b", b"c"]
    assert inspection.journal_lines(redis, 2) == [b"c"]


def test_the_tolerance_of_the_data(redis: RedisClient) -> None:
    assert inspection.tolerance(inspection.stored_version(redis)) is None
    redis.ask((0, "HSET", META, "tolerance", "0.55", "model", "m"))
    assert inspection.stored_version(redis) == [None, b"m", b"0.55"]
    assert inspection.tolerance(inspection.stored_version(redis)) == 0.55
    with pytest.raises(StoreError, match="wide"):
        inspection.tolerance([b"1", b"m", b"wide"])
