import numpy as np
import pytest
from numpy.testing import assert_allclose

from worker.engine.runtime.convolution.toom_cook import filtering
from worker.engine.runtime.convolution.transform import KINDS


@pytest.mark.parametrize(("m", "r"), [(1, 1), (1, 3), (3, 1), *KINDS])
def test_a_filtering_is_the_correlation(m: int, r: int) -> None:
    rng = np.random.default_rng(m * 10 + r)
    inputs, taps = rng.normal(size=m + r - 1), rng.normal(size=r)
    matrices = filtering(m, r)
    results = matrices.results @ ((matrices.filters @ taps) * (matrices.inputs @ inputs))
    assert_allclose(results, np.correlate(inputs, taps), rtol=0, atol=1e-13)


def test_the_matrices_of_three_taps_and_two_results_are_winograds() -> None:
    matrices = filtering(2, 3)
    assert matrices.filters.tolist() == [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
    assert matrices.inputs.tolist() == [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]
    assert matrices.results.tolist() == [[1, 1, 1, 0], [0, 1, -1, 1]]


@pytest.mark.parametrize(("m", "r"), KINDS)
def test_inputs_are_transformed_by_whole_numbers(m: int, r: int) -> None:
    inputs = filtering(m, r).inputs
    assert (inputs == np.round(inputs)).all()
    assert np.abs(inputs).max() <= 160
