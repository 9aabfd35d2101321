"""The kernels answer the same on processors without the instructions that this one may have.

Unit tests of kernels run once more in a process in which Numba compiles for such a processor.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from local.process import ROOT
from worker.simd.processor import compiles_for

UNIT = "tests/unit/worker"
SIMD = f"{UNIT}/test_simd.py"
INDEX = (
    f"{UNIT}/index/test_index.py::test_equals_brute_force_at_every_fill_of_a_block",
    f"{UNIT}/index/test_index.py::test_equals_brute_force_at_any_scale",
)
CHIPS = f"{UNIT}/engine/alignment/test_chips.py::test_a_chip_is_what_dlib_cuts"
ENCODER = (
    f"{UNIT}/engine/runtime/test_convolution.py::test_the_encoder_is_that_of_onnx_runtime_whatever_the_batch"
)

PROCESSORS = {
    "plain": ("generic", ""),
    "ssse3": ("generic", "+ssse3,+sse4.1"),
    "avx2": ("haswell", "+avx2,+avx,+fma,+bmi,+bmi2,+popcnt,+sse4.2,+ssse3"),
}


def environment(processor: str) -> dict[str, str]:
    name, features = PROCESSORS[processor]
    return {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}


@pytest.fixture(scope="module")
def compiled() -> Path:
    """Folder with the compiled kernels, kept as long as nothing changes that any of them is made of."""
    sources = [path.read_bytes() for path in sorted((ROOT / "worker").rglob("*.py"))]
    made_of = sha256(b"".join(text for text in sources if b"numba" in text or b"worker.simd" in text))
    folder = ROOT / "var" / "kernels" / made_of.hexdigest()
    for old in folder.parent.glob("*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return folder


@pytest.mark.parametrize(
    ("processor", "tests"),
    [("plain", (SIMD, *INDEX, CHIPS, ENCODER)), ("ssse3", (SIMD,)), ("avx2", (SIMD, *INDEX))],
)
def test_kernels_answer_the_same(compiled: Path, processor: str, tests: tuple[str, ...]) -> None:
    if processor != "plain" and not compiles_for(processor):
        pytest.skip(f"this processor has no {processor.upper()}")
    if processor == "avx2" and not compiles_for("avx512f"):
        pytest.skip("AVX2 is what the kernels are compiled for here anyway")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env={**environment(processor), "NUMBA_CACHE_DIR": str(compiled)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(("processor", "avx2"), [("plain", False), ("avx2", True)])
def test_no_instruction_is_asked_of_a_processor_without_it(processor: str, avx2: bool) -> None:
    code = (
        "from worker.simd.processor import compiles_for as c; print(c('avx2'), c('avx512f'), c('avx512vnni'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(processor), capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(avx2), "False", "False"]
