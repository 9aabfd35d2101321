"""A graph of ONNX operators, written one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

OPSET = 17
"""Old enough for every runtime of these years, new enough for all operators used."""

IR_VERSION = 8
"""The version of the file format that came with that set of operators."""


END = np.iinfo(np.int64).max
"""Past the last row or column, as ONNX writes it."""


class Graph:
    """Grows by operators; each method that adds one returns the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []

    def input(self, name: str, element_type: int, shape: Sequence[int | str]) -> None:
        """Declare an input; a word in the shape is a size that each run may choose."""
        self._inputs.append(helper.make_tensor_value_info(name, element_type, shape))

    def output(self, name: str, shape: Sequence[int | str], value: str) -> None:
        """Declare `value` an output, float32, under a name of its own."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, values: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """Store an array in the model."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Apply an operator of ONNX."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def convolution(self, x: str, weights: ArrayLike, bias: ArrayLike, *, stride: int, padding: int) -> str:
        """Cross-correlate with `weights` (filters, channels, side, side) and add `bias` (filters,)."""
        values = self.constant(weights), self.constant(bias)
        return self.add("Conv", x, *values, strides=[stride, stride], pads=[padding] * 4)

    def planes(self, chips: str) -> str:
        """Turn bytes (n, rows, columns, channels) into float32 (n, channels, rows, columns)."""
        return self.add("Cast", self.add("Transpose", chips, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)

    def padded(self, x: str, *, channels: int = 0, side: int = 0) -> str:
        """Fill up with zeros: channels after the last, `side` rows below and columns at the right."""
        if not channels and not side:
            return x
        return self.add("Pad", x, self.constant([0, 0, 0, 0, 0, channels, side, side], np.int64))

    def sliced(self, x: str, *, channel: int, columns: tuple[int, int]) -> str:
        """Take one channel of (n, channels, rows, columns), and its columns from the first to before the second.

        A second column of 0 is the end, a negative one counts from there.
        """
        start, stop = columns
        bounds = [channel, start], [channel + 1, stop or END], [1, 3]
        return self.add("Slice", x, *(self.constant(bound, np.int64) for bound in bounds))

    def model(self, name: str) -> ModelProto:
        """Return the graph as a model that ONNX's own checker accepts."""
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="facefleet"
        )
        checker.check_model(model, full_check=True)
        return model
