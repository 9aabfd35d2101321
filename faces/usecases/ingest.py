"""Accept a picture and publish it: hash it, record it, store it, publish it. In that order, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from faces.errors import PictureNameError, Transient
from faces.formats.header import check_header
from faces.formats.limits import Limits
from faces.formats.signatures import PictureBytes
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.picture_id import picture_id_of
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.pictures import accept, queries
from faces.store.pictures.status import Size
from faces.usecases.originals import remove_unknown

MAX_NAME_LENGTH = 512  # characters of a name or URL

Publish = Callable[[Message], None]
"""Publishes a message; returns once RabbitMQ has confirmed it, else raises Transient."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted picture; `new` means that it is still to be processed."""

    picture_id: str
    new: bool


@dataclass(frozen=True)
class Ingest:
    """Accepts pictures. Threads may share this object if they may share its parts."""

    redis: RedisClient
    publish: Publish
    image_store: ImageStore | None
    limits: Limits
    audit_log: AuditLog

    def accept(self, data: PictureBytes, name: str | None, *, request_id: str, key: str = "") -> Accepted:
        """Accept a picture under a name (None: its hash); `key` is the id of the caller's API key, if any.

        Raises:
            PictureNameError: the name is empty, too long or not text.
            PictureError: no worker would accept these bytes.
            Transient: Redis, RabbitMQ or the image store is unavailable; nothing was accepted.
        """
        if name is not None:
            check_name(name)
        header = check_header(data, self.limits)
        picture_id = picture_id_of(data)
        self._audit(key, picture_id, request_id)
        size = Size(len(data), header.width, header.height, header.format)
        travels = bytes(data) if self.image_store is None else None
        message = Message(picture_id, picture_id if name is None else name, travels, request_id)
        new = accept_and_publish(
            self.redis, self.publish, self.image_store, message, original=data, size=size
        )
        return Accepted(picture_id, new)

    def accept_url(
        self, url: str, fetch: Callable[[str], bytes], *, request_id: str, key: str = ""
    ) -> Accepted:
        """Accept the picture at a URL, under that URL; one that is already known is not fetched again.

        Raises:
            FetchError: the URL cannot be fetched; and whatever `accept` raises.
        """
        check_name(url)
        known = queries.picture_named(self.redis, url)
        if known is None:
            return self.accept(fetch(url), url, request_id=request_id, key=key)
        self._audit(key, known, request_id)
        return Accepted(known, new=False)

    def _audit(self, key: str, picture_id: str, request_id: str) -> None:
        if key:
            self.audit_log.note(key, "scan", picture_id, request_id)


def accept_and_publish(
    redis: RedisClient,
    publish: Publish,
    image_store: ImageStore | None,
    message: Message,
    *,
    original: PictureBytes | None = None,
    size: Size | None = None,
    replayed: bool = False,
) -> bool:
    """Record a picture as accepted, store its original and publish it; False if nothing was left to publish.

    Args:
        redis: the connection to Redis.
        publish: publishes the message.
        image_store: where the original goes; None: nowhere.
        message: the picture; it carries the bytes where no image store has them.
        original: the bytes to store; None: the image store has them, or there is none.
        size: of the picture, for its status document.
        replayed: the name was sent long ago, see `accept`.

    Raises:
        PictureError: `not_found`: it was to be replayed, and was erased meanwhile.
        Transient: Redis, RabbitMQ or the image store is unavailable; nothing was accepted.
    """
    receipt = accept.accept(redis, message.picture_id, message.name, size, replayed=replayed)
    if receipt.known:
        return False
    try:
        if image_store is not None and original is not None:
            image_store.put(message.picture_id, original)
            remove_unknown(redis, image_store, message.picture_id)  # it may have been erased meanwhile
        publish(message)
    except Transient:
        withdrawn = accept.withdraw(redis, receipt)
        if image_store is not None:
            with suppress(Transient):  # `reconcile --sweep` finds what is left
                remove_unknown(redis, image_store, message.picture_id)
        if withdrawn:
            raise
        return False  # the same bytes, sent by someone else, were processed in the meantime
    return True


def check_name(name: str, longest: int = MAX_NAME_LENGTH) -> None:
    """See that a name can be stored.

    Raises:
        PictureNameError: it is empty, has more than `longest` characters, or is not text.
    """
    if not name:
        raise PictureNameError("the name is empty: put it at the end of the path, /scan/image/<name>")
    if len(name) > longest:
        raise PictureNameError(f"the name has {len(name)} characters; at most {longest} are allowed")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise PictureNameError("the name is not valid Unicode: it has an unpaired surrogate") from error
