"""Erase a picture: the audit log first, then the databases, then the original."""

from __future__ import annotations

from dataclasses import dataclass

from faces.image_store import ImageStore
from faces.store.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.erase import ErasedReceipt, erase


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased from the databases, and whether an original was removed."""

    receipt: ErasedReceipt
    original: bool

    @property
    def anything(self) -> bool:
        """Whether there was anything to erase."""
        found = self.receipt
        return self.original or bool(found.state or found.names or found.faces)


def erase_picture(
    redis: RedisClient,
    image_store: ImageStore | None,
    audit_log: AuditLog,
    picture_id: str,
    *,
    actor: str,
    request_id: str = "",
) -> Erased:
    """Erase a picture and everything made from it; `actor` goes into the audit log, unless it is empty.

    Raises:
        Transient: Redis or the image store is unavailable; erasing again completes what was begun.
    """
    if actor:
        audit_log.note(actor, "erase", picture_id, request_id)
    receipt = erase(redis, picture_id)
    return Erased(receipt, image_store is not None and image_store.delete(picture_id))
