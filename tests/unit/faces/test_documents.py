from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from faces.documents import from_json, to_json
from faces.errors import StoreError
from faces.store.status import Status, done, failed, pending


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
def test_a_damaged_status_document_is_one_error(text: bytes) -> None:
    with pytest.raises(StoreError):
        Status.from_json(text)
