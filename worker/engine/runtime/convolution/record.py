"""One step of a program of layers, as a record: what its kernel does, and where its maps and weights lie.

All maps lie in one array, all weights in another. A position of maps is that of pixel (0, 0) of the first picture,
inside the border.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEP = np.dtype(
    [
        (name, np.int64)
        for name in (
            "operation",
            "source",
            "area",  # numbers of one picture's maps, border included; 0: maps that all pictures use in turn
            "pitch",  # pixels of a row, border included
            "channels",
            "out",
            "out_area",
            "out_pitch",
            "filters",
            "height",
            "width",
            "stride",
            "above",  # rows and columns of padding before the first result
            "before",
            "rows",  # of a filter
            "columns",
            "weights",
            "bias",
            "panel",
            "kind",  # of Winograd's filtering
            "results",  # along one side of a tile
            "add",
            "relu",
        )
    ]
)
"""A step; `height` and `width` are the results', `out...` describes the maps that they are written to."""

READ, WINOGRAD, GATHERED, DIRECT, MEAN, LARGEST = range(6)
"""The operations."""

Step = Any
"""A record of type STEP."""
