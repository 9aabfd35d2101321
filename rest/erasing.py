"""Erasing a picture at a request, whichever route it came by."""

from __future__ import annotations

from flask import g
from werkzeug.exceptions import NotFound

from faces.usecases.erase import Erased, erase_picture
from rest.parts import parts


def erase_requested(picture_id: str) -> Erased:
    """Erase a picture with everything made from it, in the name of the caller.

    Raises:
        NotFound: there was nothing to erase.
        Transient: Redis, the image store or RabbitMQ is unavailable; erasing again completes what was begun.
    """
    erased = erase_picture(
        parts().redis,
        parts().image_store,
        parts().audit_log,
        parts().remove_messages,
        picture_id,
        actor=g.key,
        request_id=g.request_id,
    )
    if not erased.anything:
        raise NotFound("no picture with this hash is known: it was never accepted, or is erased")
    g.outcome = {"faces": erased.receipt.faces, "names": len(erased.receipt.names)}
    return erased
