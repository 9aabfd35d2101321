"""Accepting a picture, before it is published; and withdrawing it if it cannot be published.

The status document is written first. So a worker that gets the message always finds it, and a message without
one is of a picture that was erased or withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from faces.errors import PictureError, StoreError
from faces.store import memory
from faces.store.client import Command, RedisClient, Session
from faces.store.events import stream
from faces.store.keys import COUNTS, HOME, INFLIGHT, SEQUENCE, pending_key, removing_key, status_key
from faces.store.pictures import listing, removal
from faces.store.pictures.names import NameClaim, resolve
from faces.store.pictures.status import Size, Status, pending


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted picture: the claim to its name, and its status before."""

    claim: NameClaim
    before: Status | None
    size: Size | None = None

    @property
    def known(self) -> bool:
        """Whether the picture was done already: its new name is set, and there is nothing to publish."""
        return self.before is not None and self.before.state == "done"


def accept(
    redis: RedisClient, picture_id: str, name: str, size: Size | None = None, *, replayed: bool = False
) -> Receipt:
    """Accept a picture under a name, or give the name to a picture that is done.

    Args:
        redis: the Redis client.
        picture_id: the picture's hash.
        name: the name it was sent with.
        size: the picture's size, if it is known.
        replayed: the name was sent long ago: it is taken only if no other picture has it, and the picture is not
            accepted if it was erased meanwhile.

    Raises:
        PictureError: `not_found`: it was to be replayed, and was erased.
        StoreFullError: Redis is near its memory limit; nothing was accepted.
        StoreError: Redis is unavailable, or the picture is being erased; it may have been accepted, and sending it
            again is safe.
    """
    while True:
        with redis.session() as session:
            info, number, _, document, removals = session.ask(
                memory.READ_LIMIT,
                (HOME, "INCR", SEQUENCE),
                (HOME, "WATCH", status_key(picture_id), removing_key(picture_id)),
                (HOME, "GET", status_key(picture_id)),
                removal.count(picture_id),
            )
            memory.check_room(info)
            before = Status.from_json(document)
            if before is not None and before.state == "damaged":
                raise StoreError(
                    f"the status document of picture {picture_id} is damaged: erase it and send it again"
                )
            if before is None and replayed:
                raise PictureError("the picture was erased meanwhile", code="not_found")
            if before is None and removals:
                raise StoreError("the picture is being erased")
            claim = NameClaim(-number if replayed else number, name, picture_id)
            receipt = Receipt(claim, before, size)
            if session.commit(*_accepting(session, receipt)) is not None:
                return receipt


def withdraw(redis: RedisClient, receipt: Receipt) -> bool:
    """Withdraw a picture that could not be published.

    Returns:
        False if it is too late: the same picture, sent by someone else, was processed or erased meanwhile.
    """
    while True:
        with redis.session() as session:
            picture_id = receipt.claim.picture_id
            _, senders, document = session.ask(
                (HOME, "WATCH", status_key(picture_id), pending_key(picture_id)),
                (HOME, "HKEYS", pending_key(picture_id)),
                (HOME, "GET", status_key(picture_id)),
            )
            status = Status.from_json(document)
            if str(receipt.claim.number).encode() not in senders or status is None:
                return False
            after = status if len(senders) > 1 else status.earlier_failure
            if session.commit(*_withdrawing(receipt, after)) is not None:
                return True


def _accepting(session: Session, receipt: Receipt) -> list[Command]:
    claim, before = receipt.claim, receipt.before
    if receipt.known:
        return resolve(session, [claim])
    picture_id = claim.picture_id
    name_waits: Command = (HOME, "HSET", pending_key(picture_id), claim.number, claim.name)
    if before is not None and before.state == "pending":
        return [name_waits]
    counted: Command = (
        (HOME, "HINCRBY", COUNTS, "accepted", 1)
        if before is None
        else (HOME, "HINCRBY", COUNTS, "failed", -1)
    )
    status = pending(picture_id, receipt.size, before)
    return [
        name_waits,
        counted,
        (HOME, "SET", status_key(picture_id), status.to_json()),
        listing.added(picture_id, status.accepted),
        (HOME, "ZADD", INFLIGHT, abs(claim.number), picture_id),
        stream.note("accepted", picture_id),
    ]


def _withdrawing(receipt: Receipt, after: Status | None) -> list[Command]:
    picture_id = receipt.claim.picture_id
    forget_name: Command = (HOME, "HDEL", pending_key(picture_id), receipt.claim.number)
    if after is not None and after.state == "pending":
        return [forget_name]
    reason = "nothing was accepted: send it again"
    ended: list[Command] = [
        forget_name,
        (HOME, "ZREM", INFLIGHT, picture_id),
        stream.note("failed", picture_id, "code", "not_queued", "reason", reason),
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
        listing.added(picture_id, after.accepted),
        (HOME, "HINCRBY", COUNTS, "failed", 1),
    ]
