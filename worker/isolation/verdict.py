"""What a fault of the engine means for the one picture that it was at: a pure function."""

from __future__ import annotations

from faces.errors import FacefleetError, PictureError, PoisonError, ShortageError
from worker.isolation.engine_process import Fault

KILLED = "SIGKILL"  # by the kernel, which ran out of memory, or by an operator


def verdict(fault: Fault, *, crowded: bool) -> FacefleetError:
    """Return the picture's error.

    A shortage of memory is the picture's fault only where the worker's index is small, so that an empty worker
    could not take it either; else it is tried elsewhere. `crowded` says that the index is not small.
    """
    match fault.kind:
        case "hang":
            return PoisonError(f"the engine did not finish with it: {fault}", code="timeout")
        case "failed":
            return PictureError(f"the engine failed on it: {fault}", code="engine_failed")
        case "crash" if str(fault) != KILLED:
            return PoisonError(f"the engine crashed on it ({fault})")
        case "memory" if not crowded:
            reason = "it needs more memory than a worker has; send a smaller one"
            return PictureError(reason, code="out_of_memory")
        case _:
            return ShortageError("the worker had too little memory left for it")
