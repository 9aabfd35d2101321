"""A ROC plot as SVG: true accepts against false matches, the latter on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

import numpy as np

from benchmarks.verification import Trial

WIDTH, HEIGHT, MARGIN = 640, 480, 60
LEAST_RATE, LEAST_ACCEPTS = 1e-4, 0.8
COLOURS = ("#444444", "#1b6ca8", "#d1495b", "#2e8b57", "#e09f3e", "#7b4fa3")


def plot(trials: Mapping[str, Trial]) -> str:
    """Draw one curve for each trial; the text of an SVG file."""
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(trials))]
    curves = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{_curve(trial)}"/>'
        for colour, trial in zip(colours, trials.values(), strict=True)
    ]
    legend = [
        f'<text x="{WIDTH - MARGIN - 6}" y="{HEIGHT - MARGIN - 8 - 16 * number}" fill="{colour}"'
        f' text-anchor="end">{name}</text>'
        for number, (colour, name) in enumerate(zip(colours, trials, strict=True))
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            *_grid(),
            *curves,
            *legend,
            "</svg>\n",
        ]
    )


def _x(rate: float) -> float:
    return MARGIN + (log10(max(rate, LEAST_RATE)) / -log10(LEAST_RATE) + 1) * (WIDTH - 2 * MARGIN)


def _y(accepts: float) -> float:
    return MARGIN + (1 - max(accepts, LEAST_ACCEPTS)) / (1 - LEAST_ACCEPTS) * (HEIGHT - 2 * MARGIN)


def _curve(trial: Trial) -> str:
    tolerances = np.linspace(0.2, 1.2, 400)
    points = [(_x(trial.false_matches(t)), _y(trial.true_accepts(t))) for t in tolerances]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _grid() -> list[str]:
    lines = []
    for rate in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        x = _x(rate)
        lines.append(f'<line x1="{x}" x2="{x}" y1="{MARGIN}" y2="{HEIGHT - MARGIN}" stroke="#dddddd"/>')
        lines.append(f'<text x="{x}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">{rate:g}</text>')
    for accepts in (0.8, 0.85, 0.9, 0.95, 1.0):
        y = _y(accepts)
        lines.append(f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y}" y2="{y}" stroke="#dddddd"/>')
        lines.append(f'<text x="{MARGIN - 6}" y="{y + 4}" text-anchor="end">{accepts:g}</text>')
    middle = WIDTH / 2
    lines.append(f'<text x="{middle}" y="{HEIGHT - 16}" text-anchor="middle">false matches</text>')
    lines.append(f'<text x="{MARGIN}" y="{MARGIN - 12}">true accepts</text>')
    return lines
