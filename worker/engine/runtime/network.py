"""What every runtime gives: a network of one input and one output."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

LARGE = 64 << 20
"""Bytes of a batch above which a runtime frees the memory of a run: large pictures are rare, and the memory it
would keep is many times their size."""

Batch: TypeAlias = NDArray[Any]


class Network(Protocol):
    """A network of one input and one output. One thread at a time may run it."""

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the network's output for `batch`, the caller's to keep."""
        ...
