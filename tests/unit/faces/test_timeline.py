"""Who is seen from when to when."""

from __future__ import annotations

from faces.timeline import BRIDGED, Appearance, Sighting, timeline


def seen(person: str, since: float, until: float, worth: float = 1.0) -> Sighting:
    return Sighting(person, since, until, f"frame {since}", 0, worth)


def spans(found: list[Appearance]) -> dict[str, list[tuple[float, float]]]:
    return {appearance.person: appearance.spans for appearance in found}


def test_neighbouring_frames_are_joined() -> None:
    assert spans(timeline([seen("Ann", 0, 1), seen("Ann", 1, 2), seen("Ann", 2, 4)])) == {"Ann": [(0, 4)]}


def test_a_short_absence_is_bridged_and_a_long_one_is_not() -> None:
    found = timeline([seen("Ann", 0, 1), seen("Ann", 1 + BRIDGED, 4), seen("Ann", 4.1 + BRIDGED, 8)])
    assert spans(found) == {"Ann": [(0, 4), (4.1 + BRIDGED, 8)]}


def test_people_come_in_order_of_appearance_each_alone() -> None:
    found = timeline([seen("Bob", 3, 4), seen("Ann", 3, 5), seen("Cem", 0, 1)])
    assert list(spans(found)) == ["Cem", "Bob", "Ann"]
    assert [appearance.seconds for appearance in found] == [1, 1, 2]


def test_the_best_face_is_the_one_of_most_worth() -> None:
    (ann,) = timeline([seen("Ann", 0, 1, 1), seen("Ann", 1, 2, 3), seen("Ann", 2, 3, 2)])
    assert ann.best.picture_id == "frame 1"


def test_somebody_twice_in_a_frame_is_seen_once() -> None:
    assert spans(timeline([seen("Ann", 0, 1), seen("Ann", 0, 1)])) == {"Ann": [(0, 1)]}


def test_nobody_is_seen_in_nothing() -> None:
    assert timeline([]) == []
