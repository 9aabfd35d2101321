from __future__ import annotations

import pytest

from local.demo import HALVES, OBAMA, SHOWN, Result, surprises


def results(**changed: Result) -> dict[str, Result]:
    """What is expected, and what a test puts in its place, by the name before the dot."""
    expected = {name: Result(name, 1, frozenset(OBAMA - {name} if name in OBAMA else ())) for name in SHOWN}
    return expected | {result.name: result for result in changed.values()}


def test_nothing_is_surprising_in_what_is_expected() -> None:
    assert surprises(results()) == []


def test_halves_of_the_face_may_match() -> None:
    more = frozenset(OBAMA - {"obama.jpg"} | set(HALVES))
    assert surprises(results(obama=Result("obama.jpg", 1, more))) == []


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("obama.jpg", {"obama2.jpg"}),
        ("obama.jpg", set()),
        ("obama.jpg", {"obama2.jpg", "obama3.jpg", "biden.jpg"}),
        ("biden.jpg", {"obama.jpg"}),
        ("chelsea.png", {"coffee.png"}),
    ],
)
def test_a_match_too_many_or_too_few_is_a_surprise(name: str, matches: set[str]) -> None:
    (sentence,) = surprises(results(it=Result(name, 1, frozenset(matches))))
    assert sentence.startswith(name)


def test_a_failed_picture_is_a_surprise() -> None:
    failed = Result("rocket.jpg", 0, frozenset(), "it is not a picture")
    assert surprises(results(it=failed)) == ["rocket.jpg failed: it is not a picture"]
