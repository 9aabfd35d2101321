"""`facefleet people`: everything a user can state, list and withdraw at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from client.__main__ import main
from client.people_asked import ask
from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.people import directory, statements
from faces.store.pictures.erase import erase
from groups.follower import Follower
from tests.integration.groups.fleet import Fleet, answering, caught_up, follower
from tests.support.writing import picture

ANN, BOB = 1, 2

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def kept(redis: RedisClient) -> Iterator[Follower]:
    """Four pictures of Ann, two of Bob, one of both; the groups are kept meanwhile."""
    fleet = Fleet(redis)
    fleet.commit({0: [ANN], 1: [ANN], 2: [ANN], 3: [ANN], 4: [BOB], 5: [BOB], 6: [ANN, BOB]})
    process = caught_up(follower(redis))
    with answering(process):
        yield process


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["people", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def listed(capsys: pytest.CaptureFixture[str], *args: str) -> list[Any]:
    code, out, _ = run(capsys, *args, "--json")
    assert code == 0
    found: list[Any] = json.loads(out)
    return found


def test_people_are_listed_with_counts_and_examples(
    kept: Follower, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = listed(capsys, "list")
    assert (ann["count"], bob["count"]) == (5, 3)
    _, out, _ = run(capsys, "list")
    header, *rows = out.splitlines()
    assert header.split() == ["id", "faces", "name", "for", "example"]
    assert [row.split()[:3] for row in rows] == [[ann["id"], "5", "-"], [bob["id"], "3", "-"]]
    _, out, err = run(capsys, "list", "-n", "1")
    assert len(out.splitlines()) == 2
    assert "1 more" in err


def test_a_name_serves_instead_of_an_id(kept: Follower, capsys: pytest.CaptureFixture[str]) -> None:
    ann, _ = listed(capsys, "list")
    code, _, err = run(capsys, "name", ann["id"], "Ann")
    assert code == 0
    assert "statement 1" in err
    assert "(Ann): 5 faces" in err
    assert {face["names"][0] for face in listed(capsys, "show", "Ann")} == {"0", "1", "2", "3", "6"}
    assert main(["match", "--person", "Ann", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"0", "1", "2", "3", "6"}


def test_namesakes_are_told_apart_by_their_ids(kept: Follower, capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = listed(capsys, "list")
    run(capsys, "name", ann["id"], "Kim")
    run(capsys, "name", bob["id"], "Kim")
    code, _, err = run(capsys, "hide", "Kim")
    assert code == 2
    assert f"{ann['id']}, {bob['id']}" in err


def test_merging_and_undoing_it(kept: Follower, capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = listed(capsys, "list")
    assert run(capsys, "merge", ann["id"], bob["id"])[0] == 0
    assert [person["count"] for person in listed(capsys, "list")] == [8]
    code, _, err = run(capsys, "separate", ann["id"], bob["id"])
    assert code == 2
    assert "already the same person" in err
    assert run(capsys, "undo")[0] == 0
    assert [person["count"] for person in listed(capsys, "list")] == [5, 3]
    assert [s["kind"] for s in listed(capsys, "history")] == ["same"]
    _, out, _ = run(capsys, "history")
    assert "withdrawn" in out


def test_faces_are_given_by_the_names_of_pictures(
    kept: Follower, redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, bob = listed(capsys, "list")
    assert run(capsys, "reject", ann["id"], "6")[0] == 0  # of its two faces only one is Ann's
    assert directory.person(redis, ann["id"]).count == 4  # type: ignore[union-attr]  # she is there
    assert run(capsys, "assign", bob["id"], "6:0")[0] == 0
    assert directory.person(redis, bob["id"]).count == 4  # type: ignore[union-attr]  # as above
    assert run(capsys, "split", ann["id"], "0", "1")[0] == 0
    assert run(capsys, "cover", ann["id"], "2")[0] == 0
    assert directory.person(redis, ann["id"]).cover == f"{picture(2)}:0"  # type: ignore[union-attr]  # as above
    code, out, _ = run(capsys, "why", "6:0")
    assert code == 0
    assert f"person {bob['id']}" in out
    for face in ("6", "nothing", "6:7"):
        assert run(capsys, "why", face)[0] == 2


def test_hidden_people_are_listed_apart(kept: Follower, capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = listed(capsys, "list")
    run(capsys, "hide", bob["id"])
    assert [person["id"] for person in listed(capsys, "list")] == [ann["id"]]
    assert [person["id"] for person in listed(capsys, "list", "--hidden")] == [bob["id"]]
    run(capsys, "unhide", bob["id"])
    assert len(listed(capsys, "list")) == 2


def test_suggestions_are_asked_and_answered(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Fleet(redis)
    fleet.commit({0: [(ANN, 0.3)], 1: [(ANN, 0.3)], 2: [(ANN, 0.44)], 3: [(BOB, 0.3)]})
    kept = caught_up(follower(redis))
    found = directory.suggestions(redis)
    assert found, "a face of Ann's that is a little too far is suggested"
    assert {found[0].first.count, found[0].second.count} == {2, 1}
    answers = iter(["?", "nonsense", "u", "n"])
    with answering(kept):
        ask(redis, found[:1], lambda _: next(answers))
        ask(redis, found[:1], lambda _: next(answers))
    caught_up(kept)
    assert directory.suggestions(redis) == []
    kinds = [(s.kind, s.withdrawn is None) for s in statements.history(redis)]
    assert kinds == [("different", True), ("unsure", False)]


def test_somebody_else_is_named_at_once(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    Fleet(redis).commit({0: [(ANN, 0.3)], 1: [(ANN, 0.3)], 2: [(ANN, 0.44)], 3: [(BOB, 0.3)]})
    kept = caught_up(follower(redis))
    with answering(kept):
        (suggestion, *_) = directory.suggestions(redis)
        named, other = sorted((suggestion.first, suggestion.second), key=lambda person: -person.count)
        answers = iter(["e", "n"])
        ask(redis, [suggestion], lambda _: next(answers))
        assert next(answers, None) is None, "without a name there is nobody else: e is no answer"
        statements.withdraw(redis)
        run(capsys, "name", named.id, "Ann")
        (bob,) = (one for one in directory.people(redis).people if one.id not in {named.id, other.id})
        run(capsys, "name", bob.id, "Bob")
        for same, count in (("n", 1), ("y", 2)):
            answers = iter(["e", "Bob", same])
            ask(redis, [named_suggestion(redis, suggestion)], lambda _, given=answers: next(given))  # type: ignore[misc]  # bound now
            assert [person.name for person in directory.several(redis, [named.id, other.id]) if person] == [
                "Ann",
                "Bob",
            ]
            assert directory.person(redis, bob.id).count == count  # type: ignore[union-attr]  # they are there
            statements.withdraw(redis)
            statements.withdraw(redis)


def named_suggestion(redis: RedisClient, suggestion: directory.Suggestion) -> directory.Suggestion:
    """The same with the people as they are now."""
    first, second = directory.several(redis, [suggestion.first.id, suggestion.second.id])
    assert first
    assert second
    return replace(suggestion, first=first, second=second)


def test_the_groups_are_checked(
    kept: Follower, redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--groups"]) == 0
    assert "comply" in capsys.readouterr().out
    redis.ask((7, "HDEL", "pictures", bytes.fromhex(picture(0))))
    assert main(["check", "--groups", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["faults"] == 1


def test_nothing_of_an_erased_picture_is_left_in_groups(
    settings: Settings,
    redis: RedisClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RABBITMQ_HOST", settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))
    fleet = Fleet(redis)
    fleet.commit({0: [ANN], 1: [ANN]})
    kept = caught_up(follower(redis))
    erase(redis, picture(0))
    assert main(["check", "--residue", picture(0)]) == 1
    assert "groups" in capsys.readouterr().out
    caught_up(kept)
    assert main(["check", "--residue", picture(0)]) == 0
