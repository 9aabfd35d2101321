"""Taking a picture in, before it is published; and taking that back when it cannot be published.

The status document is written first. So a worker that gets the message always finds it, and a message without
one is a picture that was erased or withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from faces.store import events, listing
from faces.store.client import Command, RedisClient, Session
from faces.store.keys import COUNTS, HOME, INFLIGHT, SEQUENCE, pending_key, status_key
from faces.store.names import NameClaim, settle
from faces.store.status import Size, Status, pending


@dataclass(frozen=True, slots=True)
class Receipt:
    """A picture taken in: the sending it stands for, and its status before."""

    sending: NameClaim
    before: Status | None
    size: Size | None = None

    @property
    def known(self) -> bool:
        """The picture is done already: its new name has been set, and nothing is to be published."""
        return self.before is not None and self.before.state == "done"


def accept(redis: RedisClient, picture_id: str, name: str, size: Size | None = None) -> Receipt:
    """Take in a picture under a name, or give the name to a picture that is done.

    Raises:
        StoreError: Redis is away; the picture may or may not have been taken in, and sending it again is safe.
    """
    while True:
        with redis.session() as session:
            number, _, document = session.ask(
                (HOME, "INCR", SEQUENCE),
                (HOME, "WATCH", status_key(picture_id)),
                (HOME, "GET", status_key(picture_id)),
            )
            receipt = Receipt(NameClaim(number, name, picture_id), Status.from_json(document), size)
            if session.commit(*_taking_in(session, receipt)) is not None:
                return receipt


def withdraw(redis: RedisClient, receipt: Receipt) -> bool:
    """Take a sending back that could not be published.

    Returns:
        False if it is too late, because another sending of the same picture has meanwhile made it done.
    """
    while True:
        with redis.session() as session:
            picture_id = receipt.sending.picture_id
            _, senders = session.ask(
                (HOME, "WATCH", status_key(picture_id), pending_key(picture_id)),
                (HOME, "HKEYS", pending_key(picture_id)),
            )
            if str(receipt.sending.number).encode() not in senders:
                return False
            commands = _taking_back(receipt, alone=len(senders) == 1)
            if session.commit(*commands) is not None:
                return True


def _taking_in(session: Session, receipt: Receipt) -> list[Command]:
    sending, before = receipt.sending, receipt.before
    if receipt.known:
        return settle(session, [sending])
    picture_id = sending.picture_id
    name_waits: Command = (HOME, "HSET", pending_key(picture_id), sending.number, sending.name)
    if before is not None and before.state == "pending":
        return [name_waits]
    counted: Command = (
        (HOME, "HINCRBY", COUNTS, "accepted", 1)
        if before is None
        else (HOME, "HINCRBY", COUNTS, "failed", -1)
    )
    status = pending(picture_id, receipt.size)
    return [
        name_waits,
        counted,
        (HOME, "SET", status_key(picture_id), status.to_json()),
        listing.added(picture_id, status.accepted),
        (HOME, "ZADD", INFLIGHT, sending.number, picture_id),
        events.note("accepted", picture_id),
    ]


def _taking_back(receipt: Receipt, *, alone: bool) -> list[Command]:
    picture_id = receipt.sending.picture_id
    forget_name: Command = (HOME, "HDEL", pending_key(picture_id), receipt.sending.number)
    if not alone:
        return [forget_name]
    return [
        forget_name,
        (HOME, "ZREM", INFLIGHT, picture_id),
        events.note(
            "failed", picture_id, "code", "not_queued", "reason", "nothing was accepted: send it again"
        ),
        *_restore(picture_id, receipt.before),
    ]


def _restore(picture_id: str, before: Status | None) -> list[Command]:
    if before is not None and before.state == "failed":
        return [
            (HOME, "SET", status_key(picture_id), before.to_json()),
            listing.added(picture_id, before.accepted),
            (HOME, "HINCRBY", COUNTS, "failed", 1),
        ]
    return [
        (HOME, "DEL", status_key(picture_id)),
        listing.removed(picture_id),
        (HOME, "HINCRBY", COUNTS, "accepted", -1),
    ]
