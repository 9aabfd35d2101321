"""The protocol's figures, on distances that can be counted by hand."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from client.calibration.verification import Pair, Trial, read_pairs
from client.errors import UsageError

SAME = [0.1, 0.2, 0.3, 0.7]
OTHERS = [0.4, 0.5, 0.8, 0.9]


def trial(distances: list[float], same: list[bool]) -> Trial:
    return Trial(np.array(distances), np.array(same))


TRIAL = trial(SAME + OTHERS, [True] * 4 + [False] * 4)


def test_pairs_are_read_as_lfw_writes_them(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("1\nAda_L\t1\t12\nAda_L\t2\tBob\t3\n")
    assert read_pairs(tmp_path / "pairs.txt") == [
        Pair("Ada_L/Ada_L_0001.jpg", "Ada_L/Ada_L_0012.jpg", same=True),
        Pair("Ada_L/Ada_L_0002.jpg", "Bob/Bob_0003.jpg", same=False),
    ]


@pytest.mark.parametrize("line", ["one", "A 1", "A 1 x", "A one B 2", "A 1 B 2 C"])
def test_a_line_that_is_no_pair_is_told(line: str, tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(f"1\n{line}\n")
    with pytest.raises(UsageError, match="is not a pair"):
        read_pairs(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    for path in (tmp_path / "picture", tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="cannot be read as a file of pairs"):
            read_pairs(path)


@pytest.mark.parametrize(("tolerance", "accuracy"), [(0.35, 7 / 8), (0.6, 5 / 8), (0.0, 4 / 8)])
def test_accuracy_is_the_share_of_pairs_told_rightly(tolerance: float, accuracy: float) -> None:
    assert TRIAL.accuracy(tolerance) == accuracy


def test_a_pair_without_a_face_is_wrong_either_way() -> None:
    assert trial([np.inf, np.inf], [True, False]).accuracy(0.6) == 0


def test_the_rates_at_a_tolerance() -> None:
    assert TRIAL.true_accepts(0.3) == 0.75
    assert TRIAL.false_matches(0.45) == 0.25


def test_the_tolerance_at_a_rate_passes_no_more_than_that() -> None:
    for rate, passed in ((0.0, 0), (0.25, 1), (0.3, 1), (0.5, 2)):
        assert TRIAL.false_matches(TRIAL.tolerance_at(rate)) == passed / 4


def test_each_tenth_is_judged_by_the_threshold_of_the_others() -> None:
    apart = trial([0.4, 0.8] * 20, [True, False] * 20)
    accuracy, threshold = apart.ten_fold()
    assert accuracy == 1
    assert 0.4 <= threshold < 0.8


def test_the_figures_are_those_of_the_distributions() -> None:
    rng, same = np.random.default_rng(3), np.arange(20_000) % 2 == 0
    drawn, normal = Trial(rng.normal(np.where(same, 0.4, 0.8), 0.1), same), NormalDist()
    assert drawn.accuracy(0.6) == pytest.approx(normal.cdf(2), abs=0.005)
    assert drawn.true_accepts(0.5) == pytest.approx(normal.cdf(1), abs=0.01)
    assert drawn.false_matches(0.7) == pytest.approx(normal.cdf(-1), abs=0.01)
    accuracy, threshold = drawn.ten_fold()
    assert (accuracy, threshold) == pytest.approx((normal.cdf(2), 0.6), abs=0.02)
    tolerance = drawn.tolerance_at(0.01)
    assert tolerance == pytest.approx(0.8 + 0.1 * normal.inv_cdf(0.01), abs=0.01)
    assert drawn.false_matches(tolerance) <= 0.01 < drawn.false_matches(tolerance + 0.01)
