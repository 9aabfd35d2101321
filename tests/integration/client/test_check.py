"""The check finds what is wrong, and nothing else, also while others write."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import pytest

from client.__main__ import main
from client.checking import bookkeeping, snapshot
from client.checking.brute_force import matching
from client.checking.faults import Faults
from client.commands.check import Report, check, compare
from faces.config import Settings
from faces.errors import StoreError
from faces.store.client import Command, RedisClient
from faces.store.collection import inspection
from faces.store.keys import status_key
from faces.store.pictures.accept import accept
from faces.store.pictures.status import pending
from local.process import until
from tests.support import writing
from tests.support.writing import TOLERANCE, Writer, picture

A, B, LONER, STRANGER = picture(0), picture(7), picture(1), picture(999)


@pytest.fixture
def seeded(redis: RedisClient) -> RedisClient:
    """Nine pictures; 0 and 7 show the same person, 1 nobody that another shows."""
    Writer(redis).add(*(number for number in range(9) if number != 8))
    return redis


def checked(redis: RedisClient) -> tuple[Report, Faults]:
    faults = Faults()
    return check(redis, TOLERANCE, faults), faults


def test_a_sound_state_has_no_faults(seeded: RedisClient) -> None:
    report, faults = checked(seeded)
    assert (report.pictures, report.faces, report.edges, report.names) == (8, 12, 1, 8)
    assert faults.first == []


def test_nothing_at_all_has_no_faults(redis: RedisClient) -> None:
    report, faults = checked(redis)
    assert (report.pictures, faults.count) == (0, 0)


def test_pending_and_failed_pictures_have_no_faults(seeded: RedisClient) -> None:
    accept(seeded, STRANGER, "waiting")
    _, faults = checked(seeded)
    assert faults.first == []


FAULTS: dict[str, tuple[Sequence[Command], int, str]] = {
    "edge missing": ([(4, "SREM", A, B), (4, "SREM", B, A)], 3, "lacks"),
    "edge too many": ([(4, "SADD", A, LONER), (4, "SADD", LONER, A)], 3, "no pair of their faces"),
    "edge one way only": ([(4, "SREM", A, B)], 2, "not the reverse"),
    "match of itself": ([(4, "SADD", A, A)], 2, "match of itself"),
    "edge to an unknown picture": ([(4, "SADD", A, STRANGER)], 2, "does not exist"),
    "edges of an unknown picture": ([(4, "SADD", STRANGER, A)], 2, "does not exist"),
    "faces of an unknown picture": ([(3, "RPUSH", STRANGER, bytes(512))], 2, "does not exist"),
    "faces gone": ([(3, "DEL", A)], 3, "no encodings"),
    "faces fewer than the status says": ([(3, "LPOP", A)], 3, "2 faces, but db 3 has 1"),
    "encoding too short": ([(3, "LSET", A, 0, bytes(511))], 3, "512 bytes"),
    "encoding without sense": ([(3, "LSET", A, 0, b"\xff" * 512)], 3, "not a number"),
    "encoding of someone else": ([(3, "LSET", A, 0, bytes([0, 0, 128, 63]) * 128)], 3, "no pair of their"),
    "name without its picture's knowledge": ([(2, "SREM", A, "0")], 1, "db 1 gives the name 0"),
    "name that its picture claims in vain": ([(1, "DEL", "0")], 1, "db 2 gives the name 0"),
    "name claimed by two": ([(2, "SADD", B, "0")], 1, "db 2 gives the name 0"),
    "name of an unknown picture": ([(1, "SET", "x", STRANGER)], 1, "db 1 gives the name x"),
    "done picture without status": ([(0, "DEL", status_key(A))], 4, "status is absent"),
    "status damaged": ([(0, "SET", status_key(A), "{}")], 4, "cannot be read"),
    "done picture in flight": ([(0, "ZADD", "inflight", 1, A)], 3, "it is in flight"),
    "pending, not in flight": ([(0, "SET", status_key(STRANGER), pending(STRANGER).to_json())], 4, "not in"),
    "counts wrong": ([(0, "HINCRBY", "counts", "accepted", 1)], 5, "9 accepted are not 8 done"),
    "counts wrong together": (
        [(0, "HINCRBY", "counts", "accepted", 1), (0, "HINCRBY", "counts", "done", 1)],
        5,
        "the counts say 9 done",
    ),
    "journal damaged": ([(0, "RPUSH", "journal", "short")], 3, "journal is damaged"),
    "key that is no hash": ([(2, "SADD", "odd", "name")], 3, "not a hash"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_found(kind: str, seeded: RedisClient) -> None:
    commands, rule, words = FAULTS[kind]
    seeded.ask(*commands)
    _, faults = checked(seeded)
    assert any(fault.rule == rule and words in fault.where for fault in faults.first), faults.first


def test_the_tolerance_is_that_of_the_data(seeded: RedisClient) -> None:
    seeded.ask((0, "HSET", "meta", "tolerance", "0.01"))
    report, faults = checked(seeded)
    assert report.tolerance == 0.01
    assert {fault.rule for fault in faults.first} == {3}


def test_pictures_that_come_and_go_between_the_readings_are_no_faults(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "PIECE", 3)
    writer, faults = Writer(redis), Faults()
    for _ in range(30):
        writer.step()
    taken = snapshot.take(redis, faults, lambda _: writer.step())
    expected = matching(taken.faces, taken.owners, len(taken.picture_ids), TOLERANCE)
    compare(taken, expected, faults)
    assert faults.first == []
    assert 20 < taken.present < len(taken.picture_ids)
    assert len(taken.edges) > 20


def test_a_fault_among_pictures_that_stay_is_found_while_others_come_and_go(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "PIECE", 3)
    writer, faults = Writer(redis), Faults()
    for _ in range(10):
        writer.step()
    ((stays, other),) = [sorted(writer.known)[:2]]
    monkeypatch.setattr(writing, "erase", lambda *_: None)
    redis.ask((4, "SADD", stays, STRANGER), (4, "SADD", other, other))
    taken = snapshot.take(redis, faults, lambda _: writer.step())
    compare(taken, matching(taken.faces, taken.owners, len(taken.picture_ids), TOLERANCE), faults)
    assert sorted(fault.where.split()[3] for fault in faults.first) == sorted([stays, other])


def test_the_check_holds_while_a_worker_works(redis: RedisClient, store_settings: Settings) -> None:
    stopping = threading.Event()
    failures: list[BaseException] = []
    steps = 0

    def work() -> None:
        nonlocal steps
        with closing(RedisClient(store_settings)) as own:
            writer = Writer(own)
            try:
                while not stopping.is_set():
                    writer.step()
                    steps += 1
            except BaseException as error:
                failures.append(error)
                raise

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert until(lambda: steps > 0, 60), "the first worker says what the data is made with"
        while steps < 80 and worker.is_alive():
            _, faults = checked(redis)
            assert faults.first == []
    finally:
        stopping.set()
        worker.join(60)
    assert not failures
    report, faults = checked(redis)
    assert faults.first == []
    assert report.edges > 20


@pytest.mark.parametrize("command", [(0, "DEL", "journal"), (0, "HSET", "meta", "model", "another")])
def test_data_replaced_during_the_check_is_said(command: Command, seeded: RedisClient) -> None:
    with pytest.raises(StoreError, match="replaced"):
        snapshot.take(seeded, Faults(), lambda _: seeded.ask(command))


def test_names_that_move_are_no_faults(seeded: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    look = inspection.namings

    def move_first(
        redis: RedisClient, pairs: Sequence[tuple[bytes, bytes]]
    ) -> list[inspection.NameOwnership]:
        accept(redis, LONER, "0")
        return look(redis, pairs)

    monkeypatch.setattr(inspection, "namings", move_first)
    faults = Faults()
    assert bookkeeping.check_names(seeded, faults) == 8
    assert faults.first == []


@pytest.mark.usefixtures("terminal")
def test_the_command_says_that_all_is_well(seeded: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    output = capsys.readouterr().out
    assert "all rules hold" in output
    assert seeded is not None
    assert main(["check", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["faults"], document["listed"], document["pictures"]) == (0, [], 8)


@pytest.mark.usefixtures("terminal")
def test_the_command_lists_at_most_twenty_faults(
    seeded: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    seeded.ask(*((1, "SET", f"name {n}\x1b", STRANGER) for n in range(25)))
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("rule 1")]) == 20
    assert "and 5 more" in lines
    assert all("\x1b" not in line for line in lines)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    "command",
    [
        (0, "HSET", status_key(A), "x", 1),
        (1, "LPUSH", "x", 1),
        (2, "SET", A, "x"),
        (3, "SET", A, "x"),
        (4, "SET", A, "x"),
    ],
)
def test_values_of_a_wrong_type_are_faults(
    seeded: RedisClient, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    database, _, key, *_ = command
    seeded.ask((database, "DEL", key), command)
    assert main(["check"]) == 1
    assert "wrong type" in capsys.readouterr().out


def test_edges_of_all_pictures_are_compared(redis: RedisClient) -> None:
    Writer(redis).add(*range(30))
    taken = snapshot.take(redis, Faults())
    assert len(taken.faces) == 45
    assert np.array_equal(matching(taken.faces, taken.owners, 30, TOLERANCE), taken.edges)
    assert len(taken.edges) > 100
