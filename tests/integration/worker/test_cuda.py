"""The networks on an NVIDIA GPU give what they give on the processor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import MODELS
from worker.engine.detection.cnn import load_detector
from worker.engine.encoder import MODEL_MIRROR, MODEL_PLAIN, load_encoder
from worker.engine.portrait import portrait
from worker.engine.runtime.selection import has_cuda

pytestmark = pytest.mark.skipif(not has_cuda(), reason="no NVIDIA GPU, or onnxruntime without CUDA")


@pytest.mark.parametrize("model", [MODEL_PLAIN, MODEL_MIRROR])
@pytest.mark.parametrize("count", [1, 3, 17])
def test_encodings_are_those_of_the_processor(model: str, count: int) -> None:
    chips = np.random.default_rng(count).integers(0, 256, (count, 150, 150, 3), dtype=np.uint8)
    gpu, reason = load_encoder(MODELS, model=model, engine="cuda")
    cpu, _ = load_encoder(MODELS, model=model, engine="onnxruntime")
    assert reason.startswith("cuda, as asked")
    assert np.abs(gpu.encode(chips) - cpu.encode(chips)).max() < 5e-3


@pytest.mark.parametrize(("height", "width"), [(160, 160), (240, 427), (480, 853), (1080, 1920)])
def test_the_cnn_finds_the_same_boxes(height: int, width: int) -> None:
    pixels = np.full((height, width, 3), 90, np.uint8)
    side = min(height, width) * 3 // 4
    pixels[:side, :side] = portrait(side)
    gpu, _ = load_detector(MODELS, engine="cuda")
    cpu, _ = load_detector(MODELS, engine="onnxruntime")
    found, expected = gpu.detect(pixels), cpu.detect(pixels)
    assert expected
    assert [replace(face, score=0.0) for face in found] == [replace(face, score=0.0) for face in expected]
    assert [face.score for face in found] == pytest.approx([face.score for face in expected], abs=1e-2)
