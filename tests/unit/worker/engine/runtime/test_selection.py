import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from faces.errors import SettingError
from worker.engine.conversion.onnx_graph import Graph
from worker.engine.runtime import selection
from worker.engine.runtime.network import LARGE, Batch, Network
from worker.engine.runtime.selection import (
    Candidate,
    OnnxRuntime,
    Probe,
    fastest,
    has_cuda,
    load,
)

PROBE = Probe(np.ones((4, 3), np.float32), tolerance=0.01)


class Fake:
    """Doubles its input, a little wrong, after a while."""

    def __init__(self, *, seconds: float = 0.0, error: float = 0.0) -> None:
        self._seconds = seconds
        self._error = error

    def run(self, batch: Batch) -> NDArray[np.float32]:
        time.sleep(self._seconds)
        return np.asarray(2 * batch + self._error, np.float32)


class Remembering:
    """Doubles its input the first time, and knows the answer ever after."""

    def __init__(self) -> None:
        self._answer: NDArray[np.float32] | None = None

    def run(self, batch: Batch) -> NDArray[np.float32]:
        if self._answer is None:
            self._answer = np.asarray(2 * batch, np.float32)
        return self._answer


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network that doubles its input (n, 3)."""
    graph = Graph()
    graph.input("x", TensorProto.FLOAT, ("n", 3))
    graph.output("y", ("n", 3), graph.add("Mul", "x", graph.constant(2.0)))
    path = tmp_path / "double.onnx"
    path.write_bytes(graph.model("double").SerializeToString())
    return path


def test_the_fastest_runtime_is_chosen() -> None:
    reference = Candidate("slow", Fake(seconds=0.03))
    quick = Candidate("quick", Fake(error=0.005))
    network, reason = fastest(reference, [quick], PROBE)
    assert network is quick.network
    assert reason.startswith("quick is the fastest here: slow ")


def test_the_reference_stays_if_it_is_the_fastest() -> None:
    reference = Candidate("quick", Fake())
    assert fastest(reference, [Candidate("slow", Fake(seconds=0.03))], PROBE)[0] is reference.network


@pytest.mark.parametrize("error", [0.02, -0.02, np.nan, np.inf])
def test_a_runtime_that_answers_wrongly_is_not_chosen(error: float) -> None:
    reference = Candidate("slow", Fake(seconds=0.01))
    network, reason = fastest(reference, [Candidate("wrong", Fake(error=error))], PROBE)
    assert network is reference.network
    assert "wrong ruled out" in reason


def test_alone_the_reference_is_chosen_without_measuring() -> None:
    reference = Candidate("onnxruntime", Fake())
    assert fastest(reference, [], PROBE) == (
        reference.network,
        "onnxruntime: no other runtime fits this machine",
    )


def test_onnx_runtime_takes_batches_of_any_size(model: Path) -> None:
    network = OnnxRuntime(model)
    for count in (1, 5, 2):
        assert network.run(np.full((count, 3), 4, np.float32)).tolist() == [[8, 8, 8]] * count


def test_a_large_batch_is_answered_like_a_small_one(model: Path) -> None:
    network = OnnxRuntime(model)
    batch = np.ones((LARGE // 12 + 1, 3), np.float32)
    assert batch.nbytes > LARGE
    assert (network.run(batch) == 2).all()
    assert (network.run(batch[:2]) == 2).all()


def test_onnx_runtime_is_loaded_as_asked(model: Path) -> None:
    network, reason = load(model, PROBE, engine="onnxruntime")
    assert isinstance(network, OnnxRuntime)
    assert reason == "onnxruntime on the processor, as asked"


def test_an_unknown_engine_is_refused(model: Path) -> None:
    with pytest.raises(SettingError, match="there is no engine 'tensorflow': choose one of auto, kernels"):
        load(model, PROBE, engine="tensorflow")


def test_a_missing_openvino_is_named_when_asked_for(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="pip install openvino"):
        load(model, PROBE, engine="openvino")


@pytest.mark.skipif(has_cuda(), reason="this ONNX Runtime has CUDA")
def test_a_missing_cuda_is_named_when_asked_for(model: Path) -> None:
    with pytest.raises(SettingError, match="onnxruntime-gpu"):
        load(model, PROBE, engine="cuda")


@pytest.mark.skipif(has_cuda(), reason="this ONNX Runtime has CUDA")
def test_without_openvino_auto_is_onnx_runtime(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "find_spec", lambda _: None)
    network, reason = load(model, PROBE)
    assert isinstance(network, OnnxRuntime)
    assert "no other runtime fits this machine" in reason


@pytest.mark.skipif(has_cuda(), reason="this ONNX Runtime has CUDA")
def test_a_gpu_that_cannot_be_started_is_passed_over(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Network:
        raise SettingError("no driver")

    monkeypatch.setattr(selection, "has_cuda", lambda: True)
    monkeypatch.setattr(selection, "has_openvino", lambda: False)
    monkeypatch.setattr(selection, "_cuda", broken)
    assert isinstance(load(model, PROBE)[0], OnnxRuntime)


def test_an_engine_asked_for_that_answers_wrongly_is_refused(model: Path) -> None:
    with pytest.raises(SettingError, match="engine kernels differs from onnxruntime by 1"):
        load(model, PROBE, kernels=lambda: Fake(error=1), engine="kernels")


def test_kernels_are_taken_when_asked_for(model: Path) -> None:
    kernels = Fake(seconds=0.01)
    network, reason = load(model, PROBE, kernels=lambda: kernels, engine="kernels")
    assert network is kernels
    assert reason == "kernels, as asked; within 0 of onnxruntime"


def test_kernels_that_are_fastest_are_taken(model: Path) -> None:
    probe = Probe(np.ones((300_000, 3), np.float32), tolerance=0.01)
    kernels = Remembering()
    assert load(model, probe, kernels=lambda: kernels)[0] is kernels


def test_kernels_that_cannot_run_are_passed_over(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Network:
        raise RuntimeError("no folder for compiled code")

    assert not isinstance(load(model, PROBE, kernels=broken)[0], Fake)
    assert "skipping engine kernels: no folder for compiled code" in caplog.text


def test_a_network_without_kernels_stays_in_onnx_runtime(model: Path) -> None:
    network, reason = load(model, PROBE, engine="kernels")
    assert isinstance(network, OnnxRuntime)
    assert "there are no kernels for this network" in reason
