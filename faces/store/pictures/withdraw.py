"""Withdrawing pictures that were accepted and cannot be published: then it is as if they had not been sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.store.client import Command, RedisClient, Session
from faces.store.events import stream
from faces.store.keys import COUNTS, HOME, INFLIGHT, pending_key, status_key
from faces.store.pictures import listing
from faces.store.pictures.accept import Receipt
from faces.store.pictures.status import Status

REASON = "nothing was accepted: send it again"


@dataclass
class _Picture:
    """A picture as it was read: its status, and the numbers of the sendings that wait with it."""

    status: Status | None
    senders: set[bytes]


def withdraw(redis: RedisClient, receipt: Receipt) -> bool:
    """Withdraw a picture that could not be published.

    Returns:
        False if it is too late: the same picture, sent by someone else, was processed or erased meanwhile.

    Raises:
        StoreError: Redis is unavailable.
    """
    (withdrawn,) = withdraw_all(redis, [receipt])
    return withdrawn


def withdraw_all(redis: RedisClient, receipts: Sequence[Receipt]) -> list[bool]:
    """Withdraw pictures in one transaction; of each, what `withdraw` returns.

    Raises:
        StoreError: Redis is unavailable.
    """
    while receipts:
        with redis.session() as session:
            pictures = _read(session, receipts)
            withdrawn, commands = list[bool](), list[Command]()
            for receipt in receipts:
                picture = pictures[receipt.claim.picture_id]
                withdrawn.append(picture.status is not None and _number(receipt) in picture.senders)
                if withdrawn[-1]:
                    commands += _withdrawing(receipt, picture)
            if not commands or session.commit(*commands) is not None:
                return withdrawn
    return []


def _read(session: Session, receipts: Sequence[Receipt]) -> dict[str, _Picture]:
    """Watch the pictures and read them."""
    picture_ids = list(dict.fromkeys(receipt.claim.picture_id for receipt in receipts))
    statuses, waiting = list(map(status_key, picture_ids)), list(map(pending_key, picture_ids))
    _, documents, *senders = session.ask(
        (HOME, "WATCH", *statuses, *waiting),
        (HOME, "MGET", *statuses),
        *((HOME, "HKEYS", key) for key in waiting),
    )
    return {
        picture_id: _Picture(Status.from_json(document), set(numbers))
        for picture_id, document, numbers in zip(picture_ids, documents, senders, strict=True)
    }


def _withdrawing(receipt: Receipt, picture: _Picture) -> list[Command]:
    """Commands that take back a sending; `picture` is afterwards as they leave it."""
    picture_id = receipt.claim.picture_id
    forget_name: Command = (HOME, "HDEL", pending_key(picture_id), receipt.claim.number)
    picture.senders.remove(_number(receipt))
    if picture.senders:
        return [forget_name]
    after = picture.status = picture.status.earlier_failure if picture.status else None
    ended: list[Command] = [
        forget_name,
        (HOME, "ZREM", INFLIGHT, picture_id),
        stream.note("failed", picture_id, "code", "not_queued", "reason", REASON),
    ]
    if after is None:
        return [
            *ended,
            (HOME, "DEL", status_key(picture_id)),
            listing.removed(picture_id),
            (HOME, "HINCRBY", COUNTS, "accepted", -1),
        ]
    return [
        *ended,
        (HOME, "SET", status_key(picture_id), after.to_json()),
        listing.added(after),
        (HOME, "HINCRBY", COUNTS, "failed", 1),
    ]


def _number(receipt: Receipt) -> bytes:
    """The number of a sending, as Redis has it."""
    return b"%d" % receipt.claim.number
