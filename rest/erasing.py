"""Erasing a picture at a request, whichever route it came by."""

from __future__ import annotations

from flask import g
from werkzeug.exceptions import NotFound

from faces.image_store.pictures import ImageStore
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.usecases.erase import Erased, RemoveMessages, erase_picture
from rest.parts import parts


def erase_requested(picture_id: str) -> Erased:
    """Erase a picture with everything made from it, in the name of the caller; see `erase_known`."""
    with parts().erasures.held():
        erased = erase_known(
            parts().redis,
            parts().image_store,
            parts().audit_log,
            parts().remove_messages,
            picture_id,
            actor=g.key,
            request_id=g.request_id,
        )
    g.outcome = {"faces": erased.receipt.faces, "names": len(erased.receipt.names)}
    return erased


def erase_known(
    redis: RedisClient,
    image_store: ImageStore | None,
    audit_log: AuditLog,
    remove_messages: RemoveMessages,
    picture_id: str,
    *,
    actor: str,
    request_id: str,
) -> Erased:
    """Erase a picture of which something is known.

    Raises:
        NotFound: there was nothing to erase.
        Transient: Redis, the image store or RabbitMQ is unavailable; erasing again completes what was begun.
    """
    erased = erase_picture(
        redis, image_store, audit_log, remove_messages, picture_id, actor=actor, request_id=request_id
    )
    if not erased.anything:
        raise NotFound("no picture with this hash is known: it was never accepted, or was erased")
    return erased
