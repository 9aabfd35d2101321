"""The runtime that a network runs in."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class Network(Protocol):
    """A network of one input and one output."""

    def run(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the network's output for `batch`."""
        ...


class OnnxRuntime:
    """A network in ONNX Runtime."""

    def __init__(self, model: Path, provider: str = "CPUExecutionProvider", threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=[provider])
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the network's output for `batch`."""
        output: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return output
