"""Calibrating on what users have said: who is who, and who is the same."""

from __future__ import annotations

import json

import pytest

from client.__main__ import main
from faces.store.client import RedisClient
from faces.store.people import directory
from faces.store.people.statements import NewStatement, submit, withdraw
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower

pytestmark = pytest.mark.usefixtures("terminal")

PEOPLE, EACH = 6, 5


def name_some(redis: RedisClient, *names: str) -> None:
    """Commit people, five pictures each, and name the first ones."""
    Fleet(redis).commit({n: [n // EACH] for n in range(PEOPLE * EACH)})
    with answering(caught_up(follower(redis))):
        for somebody, name in zip(directory.people(redis).people, names, strict=False):
            submit(redis, NewStatement(kind="name", people=(somebody.id,), name=name))


def answer_some(redis: RedisClient, same: int, different: int, withdrawn: int = 0) -> None:
    """Commit people, merge the first one with so many others, tell them from so many more; withdraw the last."""
    Fleet(redis).commit({n: [n // EACH] for n in range(PEOPLE * EACH)})
    with answering(caught_up(follower(redis))):
        first, *others = directory.people(redis).people
        for other in others[:same]:
            submit(redis, NewStatement(kind="same", people=(first.id, other.id)))
        for other in others[same : same + different]:
            submit(redis, NewStatement(kind="different", people=(first.id, other.id)))
        for _ in range(withdrawn):
            withdraw(redis)


def test_answers_are_labels(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer_some(redis, same=1, different=3)
    assert main(["calibrate", "--answers", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["labelled"]
    assert (found["pairs"], found["of_two_people"]) == (4 * 20, 3 * 20)
    assert (found["true_accepts"], found["false_matches"]) == (0.0, 0.0), "all are strangers to the eye"
    assert main(["calibrate", "--answers"]) == 0
    assert "Only look-alikes are asked about" in capsys.readouterr().err


def test_a_withdrawn_answer_is_no_label(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer_some(redis, same=1, different=1, withdrawn=1)
    assert main(["calibrate", "--answers"]) == 2
    assert "the answers give 20 pairs of one person and 0 of two: too few" in capsys.readouterr().err


def test_named_people_are_labels(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    name_some(redis, "Ann", "Bob", "Eve", "Kim", "Kim")
    assert main(["calibrate", "--people", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["labelled"]
    of_one = 5 * EACH * (EACH - 1) // 2
    assert (found["pairs"], found["of_two_people"]) == (2 * of_one, of_one)
    assert (found["true_accepts"], found["false_matches"]) == (1.0, 0.0)
    assert main(["calibrate", "--people"]) == 0
    output = capsys.readouterr()
    assert "labelled pairs" in output.out
    assert "by construction" in output.err


def test_namesakes_are_not_two_people(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    name_some(redis, "Kim", "Kim")
    assert main(["calibrate", "--people"]) == 2
    assert "2 people are named, with 10 faces: too few" in capsys.readouterr().err


def test_without_names_there_are_no_labels(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    name_some(redis)
    assert main(["calibrate", "--people"]) == 2
    assert "0 people are named" in capsys.readouterr().err
