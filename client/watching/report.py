"""What a watcher tells, in the log of its process."""

from __future__ import annotations

import logging

from client.sending import Picture
from faces.process.process_log import about

log = logging.getLogger(__name__)


class Report:
    """Tells what became of pictures, and what keeps them waiting."""

    def __init__(self) -> None:
        self._failures = 0
        self._troubles: set[str] = set()

    @property
    def clean(self) -> bool:
        """Whether no picture failed or was refused, and nothing keeps one waiting."""
        return not self._failures and not self._troubles

    def finished(self, picture: Picture) -> None:
        """Tell that a picture is done, failed or was refused."""
        fields = {"name": picture.name, "hash": picture.hash}
        if picture.state == "done":
            log.info("done", extra=about(**fields, faces=picture.faces))
            return
        self._failures += 1
        log.warning(picture.state, extra=about(**fields, code=picture.code, reason=picture.reason))

    def trouble(self, key: str, reason: str) -> None:
        """Tell what keeps a file or the whole folder waiting, once until `resolved`."""
        if key not in self._troubles:
            self._troubles.add(key)
            log.warning("trying again: %s", reason)

    def resolved(self, key: str) -> None:
        """Note that a trouble is over."""
        self._troubles.discard(key)
