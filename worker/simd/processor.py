"""The processor that kernels are compiled for."""

from __future__ import annotations

from llvmlite.binding import get_host_cpu_features
from numba.core import config


def compiles_for(feature: str) -> bool:
    """Tell whether Numba compiles for a processor with this feature (NUMBA_CPU_FEATURES, or this machine's)."""
    asked: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]  # set as numba is imported
    if asked is None:
        return bool(get_host_cpu_features().get(feature, False))
    return f"+{feature}" in asked.split(",")
