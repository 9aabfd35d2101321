"""The index answers the same on processors without the instructions that this one may have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.simd.processor import compiles_for

TESTS = str(Path(__file__).with_name("test_index.py"))
PROCESSORS = {
    "plain": ("generic", ""),
    "avx2": ("haswell", "+avx2,+avx,+fma,+bmi,+bmi2,+popcnt,+sse4.2,+ssse3"),
}


def environment(processor: str) -> dict[str, str]:
    name, features = PROCESSORS[processor]
    return {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_equals_brute_force_without_newer_instructions(tmp_path: Path, processor: str) -> None:
    if processor == "avx2" and not compiles_for("avx2"):
        pytest.skip("this processor has no AVX2")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            TESTS,
            "-k",
            "every_fill or any_scale",
            "-p",
            "no:cacheprovider",
        ],
        env={**environment(processor), "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "15 passed" in run.stdout


@pytest.mark.parametrize(("processor", "avx2"), [("plain", False), ("avx2", True)])
def test_no_instruction_is_asked_of_a_processor_without_it(processor: str, avx2: bool) -> None:
    code = (
        "from worker.simd.processor import compiles_for as c; print(c('avx2'), c('avx512f'), c('avx512vnni'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment(processor), capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(avx2), "False", "False"]
