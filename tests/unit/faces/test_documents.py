from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from faces.documents import from_json, to_json
from faces.store.pictures.status import DAMAGED, Status, done, failed, pending


@dataclass(frozen=True)
class Point:
    x: int
    names: tuple[str, ...]


def test_typed_values_become_plain_json() -> None:
    assert to_json(Point(1, ("a", "é"))) == '{"x": 1, "names": ["a", "\\u00e9"]}'


def test_one_value_twice_is_written_twice() -> None:
    inner = {"box": 1}
    assert from_json(to_json([inner, inner])) == [inner, inner]


def test_nothing_is_rebuilt_into_an_object(tmp_path: Path) -> None:
    target = tmp_path / "executed"
    attack = f'{{"py/reduce": [{{"py/function": "os.mkdir"}}, {{"py/tuple": ["{target}"]}}]}}'
    assert set(from_json(attack)) == {"py/reduce"}
    assert not target.exists()


def test_a_status_document_comes_back_as_it_was() -> None:
    before = pending("ab" * 32)
    for status in (before, done(before, "model", [{"box": {}}]), failed(before, "truncated", "why", ["a"])):
        assert Status.from_json(status.to_json().encode()) == status
    assert Status.from_json(None) is None


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"py/object": "os.system"}', b'"pending"'])
def test_a_damaged_status_document_is_an_error_of_its_picture_alone(text: bytes) -> None:
    assert Status.from_json(text) is DAMAGED


@pytest.mark.parametrize(
    "field", [{"state": "lost"}, {"faces": 5}, {"names": [1]}, {"accepted": "then"}, {"hash": 1}]
)
def test_a_value_of_a_wrong_type_is_damage(field: dict[str, object]) -> None:
    document = to_json(pending("ab" * 32).shown() | field)
    assert Status.from_json(document.encode()) is DAMAGED


def test_what_another_release_did_not_write_or_wrote_besides_does_no_harm() -> None:
    found = Status.from_json(b'{"hash": "ab", "state": "done", "since": "0.9"}')
    assert found == Status(hash="ab", state="done")


def test_a_picture_sent_again_remembers_its_failure() -> None:
    failure = failed(pending("ab" * 32), "truncated", "why", ["a"])
    again = Status.from_json(pending("ab" * 32, before=failure).to_json().encode())
    assert again is not None
    assert again.earlier_failure == failure
    assert "earlier" not in again.shown()


def test_a_failure_that_another_release_has_written_is_remembered() -> None:
    failure = failed(pending("ab" * 32), "truncated", "why", ["a"])
    newer = {**failure.shown(), "since": "0.9"}
    assert replace(pending("ab" * 32), earlier=newer).earlier_failure == failure
    assert replace(pending("ab" * 32), earlier={"hash": 5}).earlier_failure is None
