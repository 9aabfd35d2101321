"""Taking a picture in: hash it, note it, keep it, publish it. In that order, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faces.errors import PictureNameError, Transient
from faces.identity import hash_of
from faces.images import ImageStore
from faces.message import Message
from faces.picture import Limits, check_header
from faces.store import intake, reading
from faces.store.link import Link
from faces.store.trail import Trail
from rest.publishing import Publishers


@dataclass(frozen=True, slots=True)
class Scan:
    """A picture that was accepted; `new` means that it is not processed yet."""

    hash: str
    new: bool


class Scans:
    """Takes pictures in. Threads may share this object."""

    def __init__(
        self,
        link: Link,
        publishers: Publishers,
        images: ImageStore | None,
        limits: Limits,
        trail: Trail,
        *,
        longest_name: int,
    ) -> None:
        self._link = link
        self._limits = limits
        self._trail = trail
        self._publishers = publishers
        self._images = images
        self._longest_name = longest_name

    def close(self) -> None:
        """Close this thread's connection to RabbitMQ."""
        self._publishers.close()

    @property
    def full(self) -> bool:
        """Whether the queue has lately had no room for a picture."""
        return self._publishers.full

    def check(self) -> None:
        """See that RabbitMQ is there.

        Raises:
            BrokerError: it is not.
        """
        self._publishers.check()

    def take(self, data: bytes, name: str, request_id: str, key: str = "") -> Scan:
        """Accept a picture under a name; `key` is the id of the API key that was shown, if any.

        Raises:
            PictureNameError: the name cannot be used.
            PictureError: the bytes cannot be a picture that a worker would take.
            Transient: Redis, RabbitMQ or the image store is away; nothing was accepted.
        """
        self._check_name(name)
        check_header(data, self._limits)
        picture = hash_of(data)
        self._note(key, picture, request_id)
        receipt = intake.accept(self._link, picture, name)
        if receipt.known:
            return Scan(picture, new=False)
        try:
            self._publish(Message(picture, name, data, request_id))
        except Transient:
            if intake.withdraw(self._link, receipt):
                raise
            return Scan(picture, new=False)  # another sending of the same bytes was done meanwhile
        return Scan(picture, new=True)

    def take_url(self, url: str, fetch: Callable[[str], bytes], request_id: str, key: str = "") -> Scan:
        """Accept the picture at an address, under that address; one already processed is not fetched again.

        Raises:
            FetchError: the address cannot be fetched; and what `take` raises.
        """
        self._check_name(url)
        known = reading.picture_named(self._link, url)
        if known is None:
            return self.take(fetch(url), url, request_id, key)
        self._note(key, known, request_id)
        return Scan(known, new=False)

    def _note(self, key: str, picture: str, request_id: str) -> None:
        if key:
            self._trail.note(key, "scan", picture, request_id)

    def _publish(self, message: Message) -> None:
        if self._images is not None and message.picture is not None:
            self._images.put(message.hash, message.picture)
            message = Message(message.hash, message.name, None, message.request_id)
        self._publishers.publish(message)

    def _check_name(self, name: str) -> None:
        if not name:
            raise PictureNameError("the name is empty: put it at the end of the path, /scan/image/<name>")
        if len(name) > self._longest_name:
            raise PictureNameError(
                f"the name has {len(name)} characters: use at most {self._longest_name}, or raise MAX_NAME_LENGTH"
            )
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise PictureNameError("the name is not text: it has half a surrogate pair in it") from error
