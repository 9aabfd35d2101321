"""`python -m groups.warm`: compiles the search into Numba's cache, at set-up and while an image is built."""

from __future__ import annotations

import numpy as np

from groups.clustering.summary import Summary
from groups.clustering.table import Table


def warm_up() -> None:
    """Search a small table once, so that no face waits for the compiler."""
    table = Table()
    table[1] = Summary(1, np.zeros(128, np.float32), 0.0, 1.0)
    table.near(table[1], 0.5)


if __name__ == "__main__":
    warm_up()
