"""The plots, read back."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from client.calibration.impostors import NORMAL, Tail
from client.calibration.plots import distribution, roc
from client.calibration.verification import Trial

SVG = "{http://www.w3.org/2000/svg}"


def known(count: int = 20_000) -> Trial:
    """Distances of one person around 0.4, of two around 0.8, each with a deviation of 0.1."""
    rng = np.random.default_rng(3)
    same = np.arange(count) % 2 == 0
    return Trial(rng.normal(np.where(same, 0.4, 0.8), 0.1), same)


def test_the_roc_curve_runs_where_the_figures_say() -> None:
    drawing = ElementTree.fromstring(roc({"a <b> & c": known()}))  # noqa: S314 -- our own
    (curve,) = drawing.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
    assert points[0] == (60.0, 420.0), "no accepts, no false matches: both at their axes' ends"
    assert points[-1] == (580.0, 60.0)
    assert [text.text for text in drawing.iter(f"{SVG}text")][-1] == "a <b> & c"


def test_the_distribution_shows_pairs_fit_and_tolerance() -> None:
    trial = known()
    drawing = ElementTree.fromstring(distribution(trial.distances, Tail(NORMAL, 0.8, 0.1), 0.6))  # noqa: S314
    curves = list(drawing.iter(f"{SVG}polyline"))
    assert len(curves) == 3
    assert len(curves[0].attrib["points"].split()) == len(curves[1].attrib["points"].split()) == 100
    assert "different people, as fitted" in [text.text for text in drawing.iter(f"{SVG}text")]
    assert distribution(trial.distances, None, 0.6).count("<polyline") == 2
