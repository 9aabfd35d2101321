"""Erase a picture: the audit log first, then the databases, the original, and messages that are set aside."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from faces.image_store.pictures import Deleted, ImageStore
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.pictures.erase import ErasedReceipt, erase
from faces.store.pictures.removal import removing

RemoveMessages = Callable[[Collection[str]], int]
"""Removes the dead letters of pictures and their messages on the retry ladder; returns how many there were."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased from the databases and from the image store, and how many messages were removed."""

    receipt: ErasedReceipt
    original: bool
    crops: bool
    messages: int

    @property
    def anything(self) -> bool:
        """Whether there was anything to erase."""
        found = self.receipt
        return self.original or self.crops or bool(self.messages or found.state or found.names or found.faces)


def erase_picture(
    redis: RedisClient,
    image_store: ImageStore | None,
    audit_log: AuditLog,
    remove_messages: RemoveMessages,
    picture_id: str,
    *,
    actor: str,
    request_id: str = "",
) -> Erased:
    """Erase a picture and everything made from it; `actor` goes into the audit log, unless it is empty.

    Raises:
        Transient: Redis, the image store or RabbitMQ is unavailable; erasing again completes what was begun.
    """
    if actor:
        audit_log.note(actor, "erase", picture_id, request_id)
    receipt, deleted = _erased(redis, image_store, picture_id)
    return Erased(receipt, deleted.original, deleted.crops, remove_messages([picture_id]))


def _erased(
    redis: RedisClient, image_store: ImageStore | None, picture_id: str
) -> tuple[ErasedReceipt, Deleted]:
    if image_store is None:
        return erase(redis, picture_id), Deleted(original=False, crops=False)
    with removing(redis, picture_id):
        return erase(redis, picture_id), image_store.delete(picture_id)
