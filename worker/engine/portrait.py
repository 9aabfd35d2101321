"""A face drawn by arithmetic, for trying detectors without anyone's photograph."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = tuple[int, int, int]

BACKGROUND = (90, 100, 120)
SKIN = (205, 160, 135)

ELLIPSES: tuple[tuple[float, float, float, float, Colour, float], ...] = (
    (0.0, -0.15, 0.62, 0.72, (50, 35, 30), 4.0),  # hair
    (0.0, 0.0, 0.5, 0.68, SKIN, 4.0),
    (-0.2, -0.22, 0.15, 0.035, (75, 55, 45), 1.0),  # brows
    (0.2, -0.22, 0.15, 0.035, (75, 55, 45), 1.0),
    (-0.2, -0.1, 0.13, 0.09, (135, 100, 90), 1.0),  # sockets
    (0.2, -0.1, 0.13, 0.09, (135, 100, 90), 1.0),
    (-0.2, -0.1, 0.045, 0.045, (30, 20, 20), 1.0),  # pupils
    (0.2, -0.1, 0.045, 0.045, (30, 20, 20), 1.0),
    (0.0, 0.08, 0.05, 0.2, (230, 180, 150), 1.0),  # nose, nostrils and their shadow
    (-0.06, 0.2, 0.04, 0.03, (100, 80, 70), 1.0),
    (0.06, 0.2, 0.04, 0.03, (100, 80, 70), 1.0),
    (0.0, 0.24, 0.12, 0.03, (145, 110, 95), 1.0),
    (0.0, 0.38, 0.19, 0.05, (150, 60, 60), 1.0),  # lips
    (0.0, 0.38, 0.17, 0.015, (70, 20, 20), 1.0),
)
"""Centre x and y, radii, colour, hardness of the edge; a picture spans -1 to 1. Later ones cover earlier ones."""


def portrait(side: int) -> NDArray[np.uint8]:
    """Return a picture (side, side, 3) RGB of one face, in which dlib's detectors find it from 160 pixels on."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side * 2 - 1
    picture = np.full((side, side, 3), BACKGROUND, np.float64)
    for centre_x, centre_y, radius_x, radius_y, colour, hardness in ELLIPSES:
        distance = ((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2
        cover = np.clip((1 - distance) * hardness, 0, 1)[:, :, None]
        picture += cover * (np.array(colour) - picture)
    return picture.astype(np.uint8)


class Drawing:
    """A drawn face, as an engine sees a picture."""

    scale = 1.0

    def __init__(self, side: int) -> None:
        self.pixels = portrait(side)

    def whole(self) -> NDArray[np.uint8]:
        """The same pixels."""
        return self.pixels
