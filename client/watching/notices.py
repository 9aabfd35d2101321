"""Notifications of changes in a folder, from the operating system."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, watch

TICK = 0.5  # seconds

log = logging.getLogger(__name__)


def notices(folder: Path) -> Iterator[set[Path]]:
    """Yield the paths that have changed; an empty set after every TICK without one.

    Network shares announce no changes of other machines, and some systems none at all.
    """
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    try:
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=200,
            rust_timeout=round(TICK * 1000),
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        ):
            yield {Path(path) for change, path in changes if change != Change.deleted}
    except (OSError, RuntimeError) as error:  # such as: no more watches allowed
        log.warning("no change notifications (%s): scanning the folder from time to time instead", error)
    while True:
        time.sleep(TICK)
        yield set()
