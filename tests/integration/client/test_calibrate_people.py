"""Calibrating on the people that users have named."""

from __future__ import annotations

import json

import pytest

from client.__main__ import main
from faces.store import people
from faces.store.client import RedisClient
from faces.store.statements import NewStatement, submit
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower

pytestmark = pytest.mark.usefixtures("terminal")

PEOPLE, EACH = 6, 5


def name_some(redis: RedisClient, *names: str) -> None:
    """Commit people, five pictures each, and name the first ones."""
    Fleet(redis).commit({n: [n // EACH] for n in range(PEOPLE * EACH)})
    with answering(caught_up(follower(redis))):
        for somebody, name in zip(people.people(redis).people, names, strict=False):
            submit(redis, NewStatement(kind="name", people=(somebody.id,), name=name))


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
