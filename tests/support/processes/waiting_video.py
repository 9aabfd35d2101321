"""A real video process that has few frames in flight, so that it stands still in the middle until workers start.

`python -m tests.support.processes.waiting_video`.
"""

from __future__ import annotations

import sys

from video import job
from video.__main__ import main

FRAMES = 4

if __name__ == "__main__":
    job.IN_FLIGHT = FRAMES
    sys.exit(main())
