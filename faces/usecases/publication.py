"""Accept pictures and publish them: record them, store them, publish them. In that order, or not at all.

Pictures that came together take each step together. What goes wrong with one of them is wrong with it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from faces.errors import PictureError, Transient
from faces.formats.signatures import PictureBytes
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import Receipt, Sending, accept_all
from faces.store.pictures.status import Size
from faces.store.pictures.withdraw import withdraw_all
from faces.usecases.originals import remove_unknown

Publish = Callable[[Message], None]
"""Publishes a message; returns once RabbitMQ has confirmed it, else raises Transient."""

PublishAll = Callable[[Sequence[Message]], Sequence[Transient | None]]
"""Publishes messages; returns of each None once RabbitMQ has confirmed it, or why it has not. Never raises that."""

Outcome = bool | PictureError | Transient
"""What became of a picture: whether there was anything to publish; or why it was not accepted."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A picture to accept.

    `message` carries the bytes where no image store has them. `original` has the bytes to store; None: the image
    store has them, or there is none. `size` is for its status document.
    """

    message: Message
    original: PictureBytes | None = None
    size: Size | None = None


@dataclass(eq=False, slots=True)
class _Picture:
    """A picture on its way: what becomes of it, by what is known so far."""

    offer: Offer
    receipt: Receipt
    outcome: Outcome

    @property
    def picture_id(self) -> str:
        return self.offer.message.picture_id


def one_by_one(publish: Publish) -> PublishAll:
    """What publishes messages with what publishes one."""

    def tried(message: Message) -> Transient | None:
        try:
            publish(message)
        except Transient as error:
            return error
        return None

    return lambda messages: list(map(tried, messages))


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
        message: see `Offer`, as for the next two.
        original: the bytes to store.
        size: of the picture.
        replayed: the name was sent long ago, see `accept_all`.

    Raises:
        PictureError: `not_found`: it was to be replayed, and was erased meanwhile.
        Transient: Redis, RabbitMQ or the image store is unavailable; nothing was accepted.
    """
    offer = Offer(message, original, size)
    (outcome,) = accept_and_publish_all(redis, one_by_one(publish), image_store, [offer], replayed=replayed)
    if isinstance(outcome, bool):
        return outcome
    raise outcome


def accept_and_publish_all(
    redis: RedisClient,
    publish_all: PublishAll,
    image_store: ImageStore | None,
    offers: Sequence[Offer],
    *,
    replayed: bool = False,
) -> list[Outcome]:
    """Record pictures as accepted, store their originals and publish them; tell what became of each.

    One that cannot be stored or published is withdrawn: it is as if it had not been sent.
    """
    sendings = [Sending(offer.message.picture_id, offer.message.name, offer.size) for offer in offers]
    try:
        receipts = accept_all(redis, sendings, replayed=replayed)
    except Transient as error:
        return [error] * len(offers)
    entries = [
        _Picture(offer, receipt, not receipt.known) if isinstance(receipt, Receipt) else receipt
        for offer, receipt in zip(offers, receipts, strict=True)
    ]
    _finish(redis, publish_all, image_store, [one for one in entries if isinstance(one, _Picture)])
    return [one.outcome if isinstance(one, _Picture) else one for one in entries]


def _finish(
    redis: RedisClient,
    publish_all: PublishAll,
    image_store: ImageStore | None,
    accepted: Sequence[_Picture],
) -> None:
    """Store and publish what was accepted, or withdraw it."""
    new = [picture for picture in accepted if picture.outcome is True]
    if image_store is not None:
        _store(redis, image_store, new)
    _publish(publish_all, [picture for picture in new if picture.outcome is True])
    failed = [picture for picture in new if picture.outcome is not True]
    if failed:
        _withdraw(redis, failed)
        if image_store is not None:
            with suppress(Transient):  # `reconcile --sweep` finds what is left
                _remove_unknown(redis, image_store, failed)


def _store(redis: RedisClient, image_store: ImageStore, pictures: Sequence[_Picture]) -> None:
    """Store originals."""
    stored = []
    for picture in pictures:
        if picture.offer.original is not None:
            try:
                image_store.put(picture.picture_id, picture.offer.original)
            except Transient as error:
                picture.outcome = error
            else:
                stored.append(picture)
    try:
        _remove_unknown(redis, image_store, stored)  # they may have been erased meanwhile
    except Transient as error:
        for picture in stored:
            picture.outcome = error


def _publish(publish_all: PublishAll, pictures: Sequence[_Picture]) -> None:
    """Publish pictures."""
    if pictures:
        answers = publish_all([picture.offer.message for picture in pictures])
        for picture, answer in zip(pictures, answers, strict=True):
            picture.outcome = answer or True


def _withdraw(redis: RedisClient, pictures: Sequence[_Picture]) -> None:
    """Withdraw pictures that cannot be published."""
    try:
        withdrawn = withdraw_all(redis, [picture.receipt for picture in pictures])
    except Transient as error:
        for picture in pictures:
            picture.outcome = error
        return
    for picture, done in zip(pictures, withdrawn, strict=True):
        if not done:
            picture.outcome = False  # the same bytes, sent by someone else, were processed in the meantime


def _remove_unknown(redis: RedisClient, image_store: ImageStore, pictures: Sequence[_Picture]) -> None:
    """Remove the originals of pictures without a record."""
    picture_ids = [picture.picture_id for picture in pictures]
    for picture_id, status in zip(picture_ids, queries.statuses(redis, picture_ids), strict=True):
        if status is None:
            remove_unknown(redis, image_store, picture_id)
