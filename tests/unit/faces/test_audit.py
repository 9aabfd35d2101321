"""Readings for a check, on a real Redis."""

from __future__ import annotations

import pytest

from faces.errors import StoreError
from faces.store import audit
from faces.store.audit import Naming, Standing
from faces.store.intake import accept
from faces.store.keys import ATTEMPTS, ENCODINGS, HOME, INFLIGHT, META, NAMES, pending_key, status_key
from faces.store.link import Command, Link

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
def test_a_residue_is_found_wherever_it_is(place: str, link: Link) -> None:
    link.ask((1, "SET", "another name", OTHER), (4, "SADD", OTHER, "2" * 64), PLACES[place])
    assert list(audit.residue(link, H)) == [place]


def test_nothing_leaves_no_residue(link: Link) -> None:
    assert list(audit.residue(link, H)) == []


def test_a_scan_finds_every_key_of_its_database(link: Link) -> None:
    link.ask(*((3, "RPUSH", f"k{n}", "x") for n in range(2000)), (1, "SET", "elsewhere", "x"))
    assert {key for piece in audit.keys(link, ENCODINGS) for key in piece} == {
        f"k{n}".encode() for n in range(2000)
    }


def test_values_of_a_wrong_type_are_found(link: Link) -> None:
    link.ask((3, "RPUSH", "list", "x"), (3, "SET", "text", "x"), (0, "SET", status_key(H), "x"))
    link.ask((0, "HSET", status_key(OTHER), "x", "y"))
    assert list(audit.mistyped(link, ENCODINGS)) == [b"text"]
    assert list(audit.mistyped(link, HOME)) == [status_key(OTHER).encode()]
    assert list(audit.mistyped(link, NAMES)) == []


def test_pictures_with_status_and_in_flight(link: Link) -> None:
    accept(link, H, "name")
    assert [key for piece in audit.with_status(link) for key in piece] == [H.encode()]
    assert [key for piece in audit.in_flight(link) for key in piece] == [H.encode()]


def test_a_standing_tells_where_a_picture_is(link: Link) -> None:
    accept(link, H, "name")
    assert audit.standings(link, [H, OTHER]) == [
        Standing(H, "pending", 0, in_flight=True, named=False, encodings=0),
        Standing(OTHER, None, 0, in_flight=False, named=False, encodings=0),
    ]


@pytest.mark.parametrize(
    "document", ["no json", "[]", "{}", '{"state": "done", "faces": 3}', '{"state": "done", "faces": [3]}']
)
def test_a_damaged_status_is_called_so(document: str, link: Link) -> None:
    rest = (
        '"accepted": 0, "finished": 1, "model": "m", "code": null, "reason": null, "names": [], "hash": "x"'
    )
    link.ask((0, "SET", status_key(H), document.replace('{"state"', '{%s, "state"' % rest)))  # noqa: UP031 -- braces
    assert audit.standings(link, [H])[0].state == "damaged"


def test_faces_that_are_not_indexed_do_not_count(link: Link) -> None:
    document = (
        f'{{"hash": "{H}", "state": "done", "accepted": 0, "finished": 1, "model": "m", "code": null,'
        ' "reason": null, "names": [], "faces": [{}, {"indexed": true}, {"indexed": false}]}'
    )
    link.ask((0, "SET", status_key(H), document))
    assert audit.standings(link, [H])[0].indexed == 2


def test_namings(link: Link) -> None:
    link.ask((1, "SET", "a", H), (2, "SADD", H, "a", "b"))
    pairs = [(b"a", H.encode()), (b"b", H.encode()), (b"c", OTHER.encode())]
    assert audit.namings(link, pairs) == [
        Naming(H.encode(), member=True),
        Naming(None, member=True),
        Naming(None, member=False),
    ]
    assert audit.owners(link, [b"a", b"c"]) == [H.encode(), None]
    assert audit.names_of(link, [OTHER]) == [[]]


def test_nothing_asked_is_nothing_answered(link: Link) -> None:
    for question in (audit.encodings, audit.matches, audit.owners, audit.namings, audit.standings):
        assert question(link, []) == []


def test_the_journal_is_read_from_a_position(link: Link) -> None:
    link.ask((0, "RPUSH", "journal", "a", "b", "c"))
    assert audit.journal_lines(link) == [b"a", b"b", b"c"]
    assert audit.journal_lines(link, 2) == [b"c"]


def test_the_tolerance_of_the_data(link: Link) -> None:
    assert audit.tolerance(audit.made_with(link)) is None
    link.ask((0, "HSET", META, "tolerance", "0.55", "model", "m"))
    assert audit.made_with(link) == [None, b"m", b"0.55"]
    assert audit.tolerance(audit.made_with(link)) == 0.55
    with pytest.raises(StoreError, match="wide"):
        audit.tolerance([b"1", b"m", b"wide"])
