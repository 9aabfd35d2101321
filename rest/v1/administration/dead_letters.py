"""`/v1/dead-letters`: messages that nobody could process, why, and a second chance."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Annotated

from flask import Response
from pydantic import BaseModel, Field

from faces import api_key
from faces.messaging.queue_scan import scan
from faces.messaging.topology import DEAD
from faces.usecases.dead_letters import EVERY, Replayer
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts

PATIENCE = 20.0  # seconds for RabbitMQ to show them
LIMIT = Annotated[int, Field(ge=1, le=500)]

dead_letters = Routes("dead letters")


class LetterQuery(Parameters):
    """How many to list."""

    limit: LIMIT = 100


class WantedLetters(Parameters):
    """Which to process once more."""

    hash: str = Field(max_length=64, description=f"A picture's hash, or `{EVERY}`")
    limit: LIMIT = 100


class DeadLetter(BaseModel):
    """A message that nobody could process; hash and name are what it claims."""

    hash: str
    name: str
    bytes: int
    reason: str
    now: str = Field(description="What became of it if it was to be replayed, else empty")


class LetterList(BaseModel):
    """Dead letters, the oldest first."""

    dead_letters: list[DeadLetter]


@dead_letters.operation("GET", "/v1/dead-letters", scope=api_key.ADMIN, answers={200: LetterList})
def list_letters(query: LetterQuery) -> Response:
    """List the messages that nobody could process, and why."""
    return _looked(None, query.limit)


@dead_letters.operation(
    "POST", "/v1/dead-letters/replay", scope=api_key.ADMIN, answers={200: LetterList}, max_body=8192
)
def replay_letters(body: WantedLetters) -> Response:
    """Process a picture's dead letters once more, or those of every picture, and say what became of each.

    Those whose picture was erased stay.
    """
    return _looked(body.hash, body.limit)


def _looked(wanted: str | None, limit: int) -> Response:
    replayer = Replayer(parts().redis, parts().publishers.publish, wanted)
    found = islice(scan(parts().settings, [DEAD], PATIENCE), limit)
    with parts().looks.held():
        letters = [DeadLetter(**asdict(replayer.look(letter))) for letter in found]
    return answer(LetterList(dead_letters=[x for x in letters if wanted is None or x.now]))
