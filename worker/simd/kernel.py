"""How kernels are compiled, and the names of what they work on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Bytes: TypeAlias = NDArray[np.uint8]
Shorts: TypeAlias = NDArray[np.int16]
Integers: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = Any  # several numbers in one register, see `lanes`


def kernel(function: Function) -> Function:
    """Compile a function with Numba at its first call; it runs without the GIL, and the code is kept on disk.

    Arrays are one-dimensional; several rows or planes lie in one, and arguments say where each begins.
    """
    compiled: Any = njit(nogil=True, cache=True)(function)
    return cast("Function", compiled)
