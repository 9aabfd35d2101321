"""What the index answers is what brute force in float64 answers."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.near_faces import NO_FACES, Faces, assert_exact, distances, filled, people, picture
from worker.index import Index


@pytest.mark.parametrize("count", [1, 15, 16, 17, 4095, 4096, 4097, 9000])
def test_equals_brute_force_at_every_fill_of_a_block(count: int) -> None:
    faces = people(count)
    queries = np.concatenate([faces[-3:], faces[:3], people(3, seed=1)])
    assert assert_exact(filled(faces), faces, queries) >= min(count, 6)


def test_equals_brute_force_with_more_queries_than_one_pass_takes() -> None:
    faces = people(300)
    assert assert_exact(filled(faces), faces, faces) > 300


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e-6, 1e-3, 1e3, 1e15, 1e30])
def test_equals_brute_force_at_any_scale(scale: float) -> None:
    faces = (people(1000) * np.float32(scale)).astype(np.float32)
    for tolerance in np.sort(distances(faces[0], faces))[[1, 50, 100, 200, 400, 600, 800]].tolist():
        assert assert_exact(filled(faces, tolerance), faces, faces[:2]) >= 2


@pytest.mark.parametrize("offset", [0, 1, 1e3])
@pytest.mark.parametrize("rank", [0, 1, 3, 40, 63, 64, 65])
def test_equals_brute_force_when_faces_vary_in_few_dimensions(rank: int, offset: float) -> None:
    random = np.random.default_rng(rank)
    varied = random.normal(size=(1000, rank)) @ random.normal(size=(rank, 128)) * 0.05
    faces = (varied + offset).astype(np.float32)
    tolerance = float(np.median(distances(faces[0], faces)))
    assert assert_exact(filled(faces, tolerance), faces, faces[:5]) >= 500


def test_equals_brute_force_when_later_faces_are_unlike_the_first() -> None:
    near = people(1000)
    far = people(1500, seed=2) * 40 - 3
    index = filled(near)
    index.extend([picture(i) for i in range(1000, 2500)], np.ones(1500, np.int64), far)
    faces = np.concatenate([near, far])
    assert assert_exact(index, faces, faces[::100]) > 25


def test_equals_brute_force_for_queries_unlike_any_face() -> None:
    faces = people(500)
    queries = np.concatenate([np.zeros((1, 128)), people(1) * 1e3, np.full((1, 128), 3e38)]).astype(
        np.float32
    )
    index = filled(faces, 1e5)
    assert assert_exact(index, faces, queries) == 1000


def test_equal_faces_match_at_tolerance_zero() -> None:
    faces = np.concatenate([np.zeros((3, 128)), people(40)]).astype(np.float32)
    assert assert_exact(filled(faces, 0.0), faces, faces) == 3 * 3 + 40


def test_faces_at_the_tolerance_and_a_step_beside_it() -> None:
    faces = people(500)
    for query in faces[:3]:
        apart = np.sort(distances(query, faces))[[1, 3, 50]]
        for tolerance in np.concatenate([apart, np.nextafter(apart, 0), np.nextafter(apart, 9)]).tolist():
            assert_exact(filled(faces, tolerance), faces, query[None])


@settings(max_examples=40)
@given(st.data())
def test_faces_placed_around_the_tolerance(data: st.DataObject) -> None:
    """Every face lies within a few float32 steps of the tolerance, in a direction of its own."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    size = data.draw(st.sampled_from([0.0, 1.0, 1e-3, 1e3]))
    tolerance = data.draw(st.sampled_from([0.6, 0.1, 1e-4, 2.5]))
    random = np.random.default_rng(seed)
    centre = (random.normal(size=128) * size).astype(np.float32)
    ways = random.normal(size=(400, 128)) * (
        random.random((400, 128)) < data.draw(st.sampled_from([0.02, 0.3, 1]))
    )
    ways[:, 0] += 1e-9
    faces = (centre + ways * (tolerance / np.linalg.norm(ways, axis=1, keepdims=True))).astype(np.float32)
    faces[::2] = np.nextafter(faces[::2], np.float32(random.choice([-1e9, 1e9])))
    exact = distances(centre, faces)
    assert_exact(filled(faces, tolerance), faces, centre[None])
    assert_exact(filled(faces, float(random.choice(exact))), faces, centre[None])


def test_a_face_takes_at_most_600_bytes() -> None:
    index = Index()
    faces = people(50_000)
    index.extend([picture(i) for i in range(50_000)], np.ones(50_000, np.int64), faces)
    index.add(picture(50_000), faces[:1])
    spare_block_and_table = 4096 * 560 + 50_000 * 2
    assert index.nbytes <= 598 * len(index) + spare_block_and_table


def test_the_capacity_is_set_aside_once() -> None:
    index = Index(capacity=5000)
    assert index.nbytes < 5000 * 40
    index.add(picture(0), people(1))
    assert len(index) == 1


def test_an_empty_index_and_no_queries() -> None:
    index = Index()
    assert (len(index), index.pictures, picture(0) in index) == (0, 0, False)
    assert index.matches(people(2)) == [[], []]
    index.add(picture(0), NO_FACES)
    assert (len(index), index.pictures, picture(0) in index) == (0, 1, True)
    assert index.matches(people(2)) == [[], []]
    index.add(picture(1), people(1))
    assert index.matches(NO_FACES) == []
    assert index.remove(picture(0))
    assert (len(index), index.pictures) == (1, 1)


def test_what_is_no_picture_is_not_contained() -> None:
    index = filled(people(3))
    assert all(stranger not in index for stranger in (b"", b"short", picture(0).hex(), 0, None))


def bad(value: float) -> Faces:
    faces = people(3)
    faces[1, 77] = value
    return faces


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (bad(np.nan), "finite"),
        (bad(np.inf), "finite"),
        (bad(-np.inf), "finite"),
        (np.full((3, 128), 1e300), "finite"),
        (np.zeros((3, 127), np.float32), r"\(3, 127\)"),
        (np.zeros(128, np.float32), r"\(128,\)"),
    ],
)
def test_refuses_what_is_no_encoding(faces: Faces, message: str) -> None:
    index = filled(people(5))
    for refused in (index.matches, lambda faces: index.add(picture(9), faces)):
        with pytest.raises(ValueError, match=message):
            refused(faces)
    assert (len(index), index.pictures, picture(9) in index) == (5, 5, False)


@pytest.mark.parametrize(
    ("pictures", "counts", "message"),
    [
        ([picture(7), picture(7)], [1, 2], "twice"),
        ([picture(7), picture(7)], [0, 3], "twice"),
        ([picture(7), picture(4)], [1, 2], "known already"),
        ([picture(7), picture(5)], [3, 0], "known already"),
        ([picture(7), b"short"], [1, 2], "5 bytes"),
        ([picture(7)], [1], "add up"),
        ([picture(7)], [1, 2], "add up"),
        ([picture(7), picture(8)], [4, -1], "-1"),
        ([], [], "add up"),
    ],
)
def test_refuses_a_batch_whole(pictures: list[bytes], counts: Iterable[int], message: str) -> None:
    index = filled(people(5))
    index.remove(picture(0))
    index.add(picture(5), NO_FACES)
    with pytest.raises(ValueError, match=message):
        index.extend(pictures, np.array(counts, np.int64), people(3))
    assert (len(index), index.pictures, picture(7) in index) == (4, 5, False)


def test_refuses_more_faces_in_a_picture_than_it_can_number() -> None:
    with pytest.raises(ValueError, match="65536"):
        Index().add(picture(0), np.zeros((65536, 128), np.float32))


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, np.inf])
def test_refuses_a_tolerance_that_is_no_distance(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        Index(tolerance)


def test_digests_that_share_a_slot_stay_apart() -> None:
    """A table finds its slot by the first eight bytes: these all have the same."""
    faces = people(300)
    names = [bytes(30) + number.to_bytes(2, "little") for number in range(100)]
    index = Index()
    index.extend(names, np.full(100, 3), faces)
    for name in names[::2]:
        assert index.remove(name)
    assert [name in index for name in names] == [False, True] * 50
    assert [index.matches(faces[3 * i : 3 * i + 1])[0].count(names[i]) for i in range(100)] == [0, 1] * 50
