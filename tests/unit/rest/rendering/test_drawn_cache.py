from __future__ import annotations

from itertools import count

from rest.events.follower import Batch
from rest.rendering.drawn_cache import LARGEST, DrawnCache


def test_a_picture_is_drawn_once() -> None:
    cache, drawn = DrawnCache(), count()
    assert [cache.get("a", "200", lambda: b"%d" % next(drawn)) for _ in range(3)] == [b"0"] * 3
    assert cache.get("a", "320", lambda: b"%d" % next(drawn)) == b"1"


def test_what_was_not_asked_for_longest_makes_room() -> None:
    cache, drawn = DrawnCache(room=10), count()

    def ask(picture_id: str) -> int:
        return int(cache.get(picture_id, "", lambda: b"%05d" % next(drawn)))

    assert [ask("a"), ask("b"), ask("a"), ask("c"), ask("a"), ask("b")] == [0, 1, 0, 2, 0, 3]


def test_large_ones_are_not_kept() -> None:
    cache, drawn = DrawnCache(), count()
    for expected in b"0", b"1":
        assert cache.get("a", "", lambda: b"%d" % next(drawn) + bytes(LARGEST)).startswith(expected)


def test_nothing_is_left_of_an_erased_picture() -> None:
    cache, drawn = DrawnCache(), count()
    for version in "200", "320":
        cache.get("a", version, lambda: b"%d" % next(drawn))
    cache.get("b", "200", lambda: b"b")
    cache._look(Batch("0-0", "1-0", [{"kind": "erased", "hash": "a"}]))
    assert cache.get("a", "200", lambda: b"%d" % next(drawn)) == b"2"
    assert cache.get("b", "200", lambda: b"drawn anew") == b"b"
