"""Plots as SVG: how far apart pairs are, and true accepts against false matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

import numpy as np

from client.calibration.impostors import Tail
from client.calibration.verification import Distances, Trial

WIDTH, HEIGHT, MARGIN = 640, 480, 60
MIN_RATE, MIN_ACCEPTS = 1e-4, 0.8
BINS, MIN_SHARE = 100, 1e-7
COLOURS = ("#444444", "#1b6ca8", "#d1495b", "#2e8b57", "#e09f3e", "#7b4fa3")

Scale = Callable[[float], float]
Points = Iterable[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from values to 0..1, where its grid lies, and what it measures."""

    scale: Scale
    ticks: Sequence[float]
    label: str


def roc(trials: Mapping[str, Trial]) -> str:
    """Draw one curve for each trial; the text of an SVG file."""
    across = Axis(_decades(MIN_RATE), (1e-4, 1e-3, 1e-2, 1e-1, 1.0), "false matches")
    up = Axis(_between(MIN_ACCEPTS, 1), (0.8, 0.85, 0.9, 0.95, 1.0), "true accepts")
    tolerances = np.linspace(0.2, 1.2, 400)
    curves = {
        name: [(trial.false_matches(t), trial.true_accepts(t)) for t in tolerances]
        for name, trial in trials.items()
    }
    return _drawn(across, up, curves)


def reliability(curves: Mapping[str, Points]) -> str:
    """Draw the actual shares against the predicted ones, and the diagonal; the text of an SVG file."""
    tenths = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    across, up = (Axis(_between(0, 1), tenths, label) for label in ("predicted to be right", "are right"))
    return _drawn(across, up, {"ideal": [(0.0, 0.0), (1.0, 1.0)], **curves})


def distribution(distances: Distances, tail: Tail | None, tolerance: float) -> str:
    """Draw the shares of pairs by distance, what the fitted tail expects, and the tolerance; an SVG file."""
    most = max(float(distances.max()), tolerance, 1.0)
    across = Axis(_between(0, most), np.arange(0, most + 0.01, 0.2).round(1).tolist(), "distance of a pair")
    up = Axis(_decades(MIN_SHARE), [10.0**k for k in range(-7, 1)], "share of pairs")
    counts, edges = np.histogram(distances, BINS, (0, most))
    middles = (edges[:-1] + edges[1:]) / 2
    curves: dict[str, Points] = {"pairs": zip(middles, counts / len(distances), strict=True)}
    if tail:
        expected = np.diff([tail.share(edge) for edge in edges])
        curves["different people, as fitted"] = zip(middles, expected, strict=True)
    curves[f"tolerance {tolerance:g}"] = [(tolerance, MIN_SHARE), (tolerance, 1)]
    return _drawn(across, up, curves)


def _drawn(across: Axis, up: Axis, curves: Mapping[str, Points]) -> str:
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_grid(across, up),
    ]
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{_x(across, x):.1f},{_y(up, y):.1f}" for x, y in points)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{drawn}"/>')
        place = f'x="{WIDTH - MARGIN - 6}" y="{HEIGHT - MARGIN - 8 - 16 * number}"'
        lines.append(f'<text {place} fill="{colour}" text-anchor="end">{escape(name)}</text>')
    return "\n".join([*lines, "</svg>\n"])


def _grid(across: Axis, up: Axis) -> Iterable[str]:
    for tick in across.ticks:
        x = _x(across, tick)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{MARGIN}" y2="{HEIGHT - MARGIN}" stroke="#dddddd"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{tick:g}</text>'
    for tick in up.ticks:
        y = _y(up, tick)
        yield f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 16}" text-anchor="middle">{across.label}</text>'
    yield f'<text x="{MARGIN}" y="{MARGIN - 12}">{up.label}</text>'


def _x(axis: Axis, value: float) -> float:
    return MARGIN + axis.scale(value) * (WIDTH - 2 * MARGIN)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - MARGIN - axis.scale(value) * (HEIGHT - 2 * MARGIN)


def _between(least: float, most: float) -> Scale:
    return lambda value: (max(value, least) - least) / (most - least)


def _decades(least: float) -> Scale:
    """Logarithmic up to 1; what is less than the least stands on the axis."""
    return lambda value: 1 - log10(max(value, least)) / log10(least)
