"""Selects the runtime of a network: our own kernels, ONNX Runtime on CPU or GPU, or OpenVINO in bfloat16.

Which is fastest depends on the processor, so it is measured at start, not guessed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from faces.errors import SettingError
from worker.engine.runtime.network import LARGE, Batch, Network

log = logging.getLogger(__name__)

ENGINES = ("auto", "kernels", "onnxruntime", "openvino", "cuda")

ROUNDS = 3
"""How often each runtime is timed; the best time counts, because other processes only slow it down."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A batch to test runtimes with, and the largest allowed difference from float32 per component."""

    batch: Batch
    tolerance: float


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network in one runtime, and the runtime's name."""

    name: str
    network: Network


class OnnxRuntime:
    """A network in ONNX Runtime, float32."""

    def __init__(self, model: Path, *, provider: str = "CPUExecutionProvider") -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # planning the memory of each new shape costs time and memory, and pictures come in all shapes
        options.enable_mem_pattern = False
        self._open = partial(onnxruntime.InferenceSession, model, options, providers=[provider])
        self._on_processor = provider == "CPUExecutionProvider"
        self._session = self._open()
        if provider not in self._session.get_providers():
            raise SettingError(f"ONNX Runtime offers {provider} but cannot start it: see its log above")
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: Batch) -> NDArray[np.float32]:
        """Return the network's output for `batch`."""
        # a session keeps the memory of its largest run; one of its own takes it along when it goes
        session = self._open() if self._on_processor and batch.nbytes > LARGE else self._session
        output: NDArray[np.float32] = session.run(None, {self._input: batch})[0]
        return output


Maker: TypeAlias = Callable[[], Network]
"""Loads the network into a runtime, or raises SettingError or RuntimeError."""


def load(
    model: Path, probe: Probe, *, kernels: Maker | None = None, engine: str = "auto"
) -> tuple[Network, str]:
    """Return the ONNX file `model` ready to run, and a sentence that says in what and why.

    kernels: makes the same network of kernels of our own, where there are some; they run on one thread.

    `auto` takes the fastest of the installed ones whose answer for the probe is within its tolerance of ONNX
    Runtime's on the processor. OpenVINO is available where it is installed and the processor computes in bfloat16.

    Raises:
        SettingError: `engine` is unknown, not installed, or answers wrongly.
    """
    if engine not in ENGINES:
        raise SettingError(f"there is no engine {engine!r}: choose one of {', '.join(ENGINES)}")
    reference = Candidate("onnxruntime", OnnxRuntime(model))
    if engine == "onnxruntime":
        return reference.network, "onnxruntime on the processor, as asked"
    makers: dict[str, Maker] = {
        "cuda": partial(_cuda, model),
        "openvino": partial(_openvino, model),
    }
    if kernels:
        makers["kernels"] = kernels
    if engine == "auto":
        return fastest(reference, _at_hand(makers), probe)
    if engine not in makers:
        return reference.network, "onnxruntime on the processor: there are no kernels for this network"
    return _checked(reference, Candidate(engine, makers[engine]()), probe)


def _at_hand(makers: Mapping[str, Maker]) -> list[Candidate]:
    fit = {"kernels": True, "cuda": has_cuda(), "openvino": has_openvino()}
    others = []
    for name, make in makers.items():
        if fit[name]:
            try:
                others.append(Candidate(name, make()))
            except (SettingError, RuntimeError) as error:  # what cannot be started is skipped
                log.warning("skipping engine %s: %s", name, error)
    return others


def has_cuda() -> bool:
    """Whether the ONNX Runtime that is installed can use an NVIDIA GPU."""
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def has_openvino() -> bool:
    """Whether OpenVINO is installed and the processor computes in bfloat16 (AMX or AVX512-BF16)."""
    if find_spec("openvino") is None:
        return False
    from worker.engine.runtime.openvino_network import has_bfloat16  # noqa: PLC0415 - optional, and slow to import

    return has_bfloat16()


def _cuda(model: Path) -> Network:
    if not has_cuda():
        raise SettingError("engine cuda needs the package onnxruntime-gpu in place of onnxruntime, and a GPU")
    return OnnxRuntime(model, provider="CUDAExecutionProvider")


def _openvino(model: Path) -> Network:
    if find_spec("openvino") is None:
        raise SettingError("engine openvino needs the package openvino: pip install openvino")
    from worker.engine.runtime.openvino_network import OpenVino  # noqa: PLC0415 - optional, and slow to import

    return OpenVino(model)


def _checked(reference: Candidate, asked: Candidate, probe: Probe) -> tuple[Network, str]:
    error = _error(asked, reference.network.run(probe.batch), probe)
    if not error <= probe.tolerance:
        raise SettingError(
            f"engine {asked.name} differs from onnxruntime by {error:.2g}, more than {probe.tolerance}:"
            " choose engine auto or onnxruntime"
        )
    return asked.network, f"{asked.name}, as asked; within {error:.1g} of onnxruntime"


def fastest(reference: Candidate, others: Sequence[Candidate], probe: Probe) -> tuple[Network, str]:
    """Return the fastest network whose answer for the probe is near enough to the reference's, and why it is."""
    if not others:
        return reference.network, f"{reference.name}: no other runtime fits this machine"
    expected = reference.network.run(probe.batch)
    errors = {other.name: _error(other, expected, probe) for other in others}
    near = [other for other in others if errors[other.name] <= probe.tolerance]
    times = _times([reference, *near], probe.batch)
    chosen = min([reference, *near], key=lambda candidate: times[candidate.name])
    tried = [f"{name} {seconds * 1000:.1f} ms" for name, seconds in times.items()]
    tried += [f"{name} ruled out, off by {error:.2g}" for name, error in errors.items() if name not in times]
    return chosen.network, f"{chosen.name} is the fastest here: {', '.join(tried)}"


def _error(candidate: Candidate, expected: NDArray[np.float32], probe: Probe) -> float:
    return float(np.abs(candidate.network.run(probe.batch) - expected).max())


def _times(candidates: Sequence[Candidate], batch: Batch) -> dict[str, float]:
    """Return each candidate's best time in seconds, taken in turns so that a busy moment hits all of them."""
    times = {candidate.name: float("inf") for candidate in candidates}
    for _ in range(ROUNDS):
        for candidate in candidates:
            start = time.perf_counter()
            candidate.network.run(batch)
            times[candidate.name] = min(times[candidate.name], time.perf_counter() - start)
    return times
