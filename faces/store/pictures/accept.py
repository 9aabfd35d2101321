"""Accepting pictures, before they are published; and withdrawing those that cannot be published.

The status document is written first. So a worker that gets the message always finds it, and a message without
one is of a picture that was erased or withdrawn. Pictures that came together are accepted in one transaction, which
leaves what it would leave if each had one of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
class Sending:
    """A picture that was sent: its hash, the name it was sent with, and its size, if that is known."""

    picture_id: str
    name: str
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted picture: the claim to its name, and its status before."""

    claim: NameClaim
    before: Status | None

    @property
    def known(self) -> bool:
        """Whether the picture was done already: its new name is set, and there is nothing to publish."""
        return self.before is not None and self.before.state == "done"

    @property
    def waits(self) -> bool:
        """Whether the picture was sent before and is still pending: its new name waits with the others."""
        return self.before is not None and self.before.state == "pending"

    @property
    def begins(self) -> bool:
        """Whether the picture is put in flight by this sending."""
        return not (self.known or self.waits)


Refusal = PictureError | StoreError


def accept(
    redis: RedisClient, picture_id: str, name: str, size: Size | None = None, *, replayed: bool = False
) -> Receipt:
    """Accept a picture under a name, or give the name to a picture that is done.

    Args:
        redis: the Redis client.
        picture_id: the picture's hash.
        name: the name it was sent with.
        size: the picture's size, if it is known.
        replayed: see `accept_all`.

    Raises:
        PictureError: `not_found`: it was to be replayed, and was erased.
        StoreFullError: Redis is near its memory limit; nothing was accepted.
        StoreError: Redis is unavailable, or the picture is being erased; it may have been accepted, and sending it
            again is safe.
    """
    (outcome,) = accept_all(redis, [Sending(picture_id, name, size)], replayed=replayed)
    if isinstance(outcome, Receipt):
        return outcome
    raise outcome


def accept_all(
    redis: RedisClient, sendings: Sequence[Sending], *, replayed: bool = False
) -> list[Receipt | Refusal]:
    """Accept pictures in the order in which they were sent, in one transaction.

    Args:
        redis: the Redis client.
        sendings: the pictures; one may be among them several times.
        replayed: the names were sent long ago: each is taken only if no other picture has it, and a picture is not
            accepted if it was erased meanwhile.

    Returns:
        Of each picture its receipt, or why it alone was refused: a `PictureError` with the code `not_found`, for it
        was to be replayed and was erased; a `StoreError`, for its status document is damaged or it is being erased.

    Raises:
        StoreFullError: Redis is near its memory limit; nothing was accepted.
        StoreError: Redis is unavailable; the pictures may have been accepted, and sending them again is safe.
    """
    while sendings:
        with redis.session() as session:
            numbers, statuses, leaving = _read(session, sendings)
            outcomes: list[Receipt | Refusal] = []
            begun: dict[str, Status] = {}
            for number, sending in zip(numbers, sendings, strict=True):
                before = begun.get(sending.picture_id, statuses[sending.picture_id])
                leaves = sending.picture_id in leaving
                outcome = _judged(sending, number, before, leaves=leaves, replayed=replayed)
                outcomes.append(outcome)
                if isinstance(outcome, Receipt) and outcome.begins:
                    begun[sending.picture_id] = pending(sending.picture_id, sending.size, before)
            receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
            if session.commit(*_accepting(session, receipts, begun)) is not None:
                return outcomes
    return []


def _read(
    session: Session, sendings: Sequence[Sending]
) -> tuple[Sequence[int], Mapping[str, Status | None], Collection[str]]:
    """Watch the pictures; return a number for each sending, the statuses, and the pictures that are being erased.

    Raises:
        StoreFullError: there is no room for more.
    """
    picture_ids = list(dict.fromkeys(sending.picture_id for sending in sendings))
    keys = [status_key(picture_id) for picture_id in picture_ids]
    info, last, _, documents, *removals = session.ask(
        memory.READ_LIMIT,
        (HOME, "INCRBY", SEQUENCE, len(sendings)),
        (HOME, "WATCH", *keys, *map(removing_key, picture_ids)),
        (HOME, "MGET", *keys),
        *map(removal.count, picture_ids),
    )
    memory.check_room(info)
    statuses = dict(zip(picture_ids, map(Status.from_json, documents), strict=True))
    leaving = {picture_id for picture_id, count in zip(picture_ids, removals, strict=True) if count}
    return range(last - len(sendings) + 1, last + 1), statuses, leaving


def _judged(
    sending: Sending, number: int, before: Status | None, *, leaves: bool, replayed: bool
) -> Receipt | Refusal:
    if before is not None and before.state == "damaged":
        return StoreError(
            f"the status document of picture {sending.picture_id} is damaged: erase it and send it again"
        )
    if before is None and replayed:
        return PictureError("the picture was erased meanwhile", code="not_found")
    if before is None and leaves:
        return StoreError("the picture is being erased")
    claim = NameClaim(-number if replayed else number, sending.name, sending.picture_id)
    return Receipt(claim, before)


def _accepting(session: Session, receipts: Sequence[Receipt], begun: Mapping[str, Status]) -> list[Command]:
    known = [receipt.claim for receipt in receipts if receipt.known]
    names_wait: list[Command] = [
        (HOME, "HSET", pending_key(receipt.claim.picture_id), receipt.claim.number, receipt.claim.name)
        for receipt in receipts
        if not receipt.known
    ]
    beginning = [receipt for receipt in receipts if receipt.begins]
    numbers = [abs(receipt.claim.number) for receipt in beginning]
    return [
        *names_wait,
        *(_beginning(beginning, numbers, begun) if beginning else []),
        *resolve(session, known, joining=numbers),
    ]


def _beginning(
    beginning: Sequence[Receipt], numbers: Sequence[int], begun: Mapping[str, Status]
) -> list[Command]:
    """Commands that put pictures in flight, with these numbers and statuses."""
    new = sum(receipt.before is None for receipt in beginning)
    again = len(beginning) - new
    documents = [word for status in begun.values() for word in (status_key(status.hash), status.to_json())]
    flying = [
        word for n, receipt in zip(numbers, beginning, strict=True) for word in (n, receipt.claim.picture_id)
    ]
    return [
        *([(HOME, "HINCRBY", COUNTS, "accepted", new)] if new else []),
        *([(HOME, "HINCRBY", COUNTS, "failed", -again)] if again else []),
        (HOME, "MSET", *documents),
        listing.added(*begun.values()),
        (HOME, "ZADD", INFLIGHT, *flying),
        *(stream.note("accepted", picture_id) for picture_id in begun),
    ]
