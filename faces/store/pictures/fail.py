"""The transaction that marks a picture as failed."""

from __future__ import annotations

from faces.store.client import RedisClient
from faces.store.events import stream
from faces.store.keys import HOME, INFLIGHT, pending_key, status_key
from faces.store.pictures.finish import finishing
from faces.store.pictures.outcome import Outcome, outcome_of
from faces.store.pictures.status import Status, failed, pending


def fail(redis: RedisClient, picture_id: str, code: str, reason: str) -> Outcome:
    """Mark an accepted picture as failed for good, with a stable code and a sentence."""
    while True:
        with redis.session() as session:
            _, document, names, in_flight = session.ask(
                (HOME, "WATCH", status_key(picture_id), pending_key(picture_id), INFLIGHT),
                (HOME, "GET", status_key(picture_id)),
                (HOME, "HVALS", pending_key(picture_id)),
                (HOME, "ZSCORE", INFLIGHT, picture_id),
            )
            status = Status.from_json(document)
            if status is not None and status.state == "damaged" and in_flight is not None:
                status = pending(picture_id)
            if status is None or status.state != "pending":
                session.confirm()
                return outcome_of(status)
            shown = sorted({name.decode() for name in names})
            commands = [
                *finishing({picture_id: failed(status, code, reason, shown).to_json()}, "failed"),
                stream.note("failed", picture_id, "code", code, "reason", reason),
            ]
            if session.commit(*commands) is not None:
                return Outcome.DONE
