"""A network in OpenVINO. Imported only where OpenVINO is chosen: it is an optional dependency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from worker.engine.runtime.network import LARGE, Batch

PRIMITIVES_KEPT = 500
"""Compiled operators kept for shapes that come again. Without a bound each new shape takes 0.6 MB for good."""


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVino:
    """A network in OpenVINO: in bfloat16 where the processor has it, else in float32."""

    def __init__(self, model: Path) -> None:
        config = {
            "CPU_RUNTIME_CACHE_CAPACITY": PRIMITIVES_KEPT,
            "INFERENCE_NUM_THREADS": 1,
            "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32",
            "NUM_STREAMS": 1,
        }
        self._compiled = openvino.compile_model(model, "CPU", config)
        self._request = self._compiled.create_infer_request()

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the network's output for `batch`, which is filled up to 1, 2, 4, 8... samples.

        Each new shape costs a compilation (some 5 to 15 ms), so few sizes of batches are better than all.
        """
        count = len(batch)
        missing = (1 << (count - 1).bit_length()) - count
        if missing:
            batch = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)])
        output: NDArray[np.float32] = self._request.infer([batch], share_inputs=True)[0]
        if batch.nbytes > LARGE:
            self._request = self._compiled.create_infer_request()
            self._compiled.release_memory()
        return output[:count]
