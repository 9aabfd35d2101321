"""Accept pictures as they are sent: look at each, hash it, accept and publish it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from faces.errors import Permanent, PictureError, PictureNameError, Transient
from faces.formats.header import check_header
from faces.formats.limits import Limits
from faces.formats.signatures import PictureBytes
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.picture_id import picture_id_of
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.status import Size
from faces.usecases.publication import Offer, PublishAll, accept_and_publish_all

MAX_NAME_LENGTH = 512  # characters of a name or URL


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was sent, and its name; None: its hash."""

    data: PictureBytes
    name: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted picture; `new` means that it is still to be processed."""

    picture_id: str
    new: bool


Outcome = Accepted | Permanent | Transient
"""An accepted picture, or why it was not accepted."""


@dataclass(frozen=True)
class Ingest:
    """Accepts pictures. Threads may share this object if they may share its parts."""

    redis: RedisClient
    publish_all: PublishAll
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
        (outcome,) = self.accept_all([Upload(data, name)], request_id=request_id, key=key)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome

    def accept_all(self, uploads: Sequence[Upload], *, request_id: str, key: str = "") -> list[Outcome]:
        """Accept pictures together; tell what became of each. One that is refused is refused alone."""
        looked_at = [self._looked_at(one, request_id) for one in uploads]
        outcomes = self._accepted([one for one in looked_at if isinstance(one, Offer)], request_id, key)
        return [next(outcomes) if isinstance(one, Offer) else one for one in looked_at]

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
        self._audit(key, [known], request_id)
        return Accepted(known, new=False)

    def _looked_at(self, upload: Upload, request_id: str) -> Offer | PictureNameError | PictureError:
        """See that a picture may be accepted."""
        try:
            if upload.name is not None:
                check_name(upload.name)
            header = check_header(upload.data, self.limits)
        except (PictureNameError, PictureError) as error:
            return error
        picture_id = picture_id_of(upload.data)
        travels = bytes(upload.data) if self.image_store is None else None
        message = Message(picture_id, picture_id if upload.name is None else upload.name, travels, request_id)
        return Offer(message, upload.data, Size(len(upload.data), header.width, header.height, header.format))

    def _accepted(self, offers: Sequence[Offer], request_id: str, key: str) -> Iterator[Outcome]:
        picture_ids = [offer.message.picture_id for offer in offers]
        try:
            self._audit(key, picture_ids, request_id)
        except Transient as error:
            yield from [error] * len(offers)
            return
        outcomes = accept_and_publish_all(self.redis, self.publish_all, self.image_store, offers)
        for picture_id, outcome in zip(picture_ids, outcomes, strict=True):
            yield Accepted(picture_id, outcome) if isinstance(outcome, bool) else outcome

    def _audit(self, key: str, picture_ids: Sequence[str], request_id: str) -> None:
        if key and picture_ids:
            self.audit_log.note_all(key, "scan", picture_ids, request_id)


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
