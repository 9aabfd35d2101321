"""A server that is killed when it first comes to publish a picture.

`python -m tests.support.processes.crashing_rest`.
"""

from __future__ import annotations

import sys

from rest import publishing
from rest.__main__ import main
from tests.support.processes.crashing_worker import die

if __name__ == "__main__":
    publishing.PublisherPool.publish_all = die  # type: ignore[method-assign]  # that is the point
    sys.exit(main())
