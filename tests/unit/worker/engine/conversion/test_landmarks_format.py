"""What a predictor's file holds, and what is said of other files."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.support.models.dlib_writer import integer, integers
from tests.support.models.predictor_writer import column, floats, made_up, vector
from worker.engine.conversion.landmarks_format import LEAF, LEAVES, packed, parse

GOOD = made_up(2, 6)


def test_sizes() -> None:
    forests = parse(GOOD)
    assert forests.sizes == (2, 3)
    assert len(forests.initial) == 4
    assert forests.starts[:, [0, -1]].tolist() == [[0, 6], [0, 6]]
    assert len(forests.nodes) == 2 * 3 * LEAVES
    assert len(forests.leaves) == 2 * 3 * LEAVES * LEAF


@pytest.mark.parametrize(
    ("threshold", "kept"), [(0.0, 0), (-0.5, -1), (12.7, 12), (254.9, 254), (300.0, 255), (-999.0, -256)]
)
def test_a_threshold_becomes_whole_and_decides_the_same(threshold: float, kept: int) -> None:
    node, unused = packed(np.array([[5, 1023]]), np.array([threshold], np.float32)).tolist()
    assert (node & 1023, node >> 10 & 1023, node >> 20, unused) == (5, 1023, kept, 0)
    differences = np.arange(-255, 256)
    np.testing.assert_array_equal(differences > kept, differences > np.float32(threshold))


def test_every_shorter_file_ends_early() -> None:
    for end in range(0, len(GOOD), 7):
        with pytest.raises(ValueError, match=r"it ends|starts no integer|has \d+ forests"):
            parse(GOOD[:end])


def test_what_is_left_over() -> None:
    with pytest.raises(ValueError, match="2 numbers are left over"):
        parse(GOOD + integers(1, 2))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"hello", "byte 0 starts no integer"),
        (integer(2), r"\[2\] where a predictor of landmarks has \[1\]"),
        (integers(1, -18), "18 coordinates"),
        (integers(1, -3, -1), "3 coordinates"),
        (integers(1, -2, -2), r"\[-2\] where"),
        (integer(1) + integers(-2, -1, 1, 32000, 1, 0), "not finite"),
        (integer(1) + column([0, 0]) + integers(0, 5), "0 forests of 5 trees"),
        (integer(1) + column([0, 0]) + integers(1 << 30, 1 << 30), "it ends"),
        (made_up(2, 6, leaves=8), "16 leaves|it ends"),
        (made_up(2, 1025), "compares 1025 pixels"),
    ],
)
def test_other_files(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse(data)


def test_indices_that_lead_nowhere() -> None:
    tree = vector([integers(0, 9) + floats([1])] * 15) + vector([column([0, 0])] * 16)
    head = integer(1) + column([0, 0]) + vector([vector([tree])])
    anchors, offsets = vector([vector([integer(0)] * 6)]), vector([vector([floats([0, 0])] * 6)])
    with pytest.raises(ValueError, match="names a pixel 0 or 9 and has 6"):
        parse(head + anchors + offsets)
    with pytest.raises(ValueError, match="names a landmark 4 or 4 and has 1"):
        parse(head + vector([vector([integer(4)] * 6)]) + offsets)
    with pytest.raises(ValueError, match="6 pixels and knows where 5 are"):
        parse(head + anchors + vector([vector([floats([0, 0])] * 5)]))


def test_damage_of_any_kind_is_a_predictor_or_a_value_error() -> None:
    rng = random.Random(4)
    refused = 0
    for _ in range(1000):
        data = bytearray(GOOD)
        for _ in range(rng.choice((1, 3))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse(bytes(data))
        except ValueError:
            refused += 1
    assert refused > 500
