"""The index answers the same on a processor without the instructions that this one may have."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = str(Path(__file__).with_name("test_index.py"))


def test_equals_brute_force_without_special_instructions(tmp_path: Path) -> None:
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
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
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "15 passed" in run.stdout


def test_the_instruction_is_not_asked_of_a_processor_without_it() -> None:
    code = "from worker.index.scan import vnni; assert not vnni()"
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **plain}, check=True)
