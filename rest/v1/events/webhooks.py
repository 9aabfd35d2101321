"""Webhooks: events posted to a URL."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, Field, field_validator
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.store.events import stream
from faces.store.events import webhooks as store
from faces.store.events.stream import order
from faces.store.events.webhooks import Progress
from rest.answers import answer
from rest.events.signature import check_secret, new_secret
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.events.kinds import Kinds

LONGEST_URL = 2048

webhooks = Routes("webhooks")


class WantedHook(Parameters):
    """Where to post which events; default: all."""

    url: str = Field(max_length=LONGEST_URL, description="https:// outside of your own network")
    secret: str = Field(
        default="", description="whsec_ followed by 24 to 64 bytes in base64; generated if left out"
    )
    kinds: Kinds = Field(default=[])
    hash: str = Field(default="", max_length=64)
    prefix: str = Field(default="", max_length=512, description="What one of the picture's names begins with")
    person: str = Field(default="", max_length=64, description="A person's id")

    @field_validator("secret")
    @classmethod
    def _usable(cls, secret: str) -> str:
        if secret:
            check_secret(secret)
        return secret


class Hook(BaseModel):
    """A webhook, and how far it has been served; times are Unix seconds."""

    id: str
    url: str
    kinds: list[str]
    hash: str
    prefix: str
    person: str
    created: float
    after: str = Field(description="Id of the last event that it took or did not ask for")
    state: str = Field(description="active, failing or paused")
    failures: int = Field(description="Failed attempts at the next event")
    retry_at: float | None = Field(description="When the next attempt is due, while it fails")
    error: str = Field(description="Why the last attempt failed")


class NewHook(Hook):
    """A new webhook, with its secret: it is not shown again."""

    secret: str


class HookPath(BaseModel):
    """The webhook."""

    webhook_id: str


class HookList(BaseModel):
    """All webhooks."""

    webhooks: list[Hook]


class Replay(Parameters):
    """From where to post again."""

    after: str = Field(
        description="Id of the event before the first one to post; 0-0: from the first that is kept"
    )

    @field_validator("after")
    @classmethod
    def _readable(cls, after: str) -> str:
        order(after)
        return after


@webhooks.operation(
    "POST", "/v1/webhooks", scope=api_key.ADMIN, answers={201: NewHook}, problems=(502,), max_body=16384
)
def add(body: WantedHook) -> Response:
    """Have events posted to a URL from now on.

    Each is a POST of JSON with `type`, `timestamp` and `data`, signed as in the Standard Webhooks specification:
    `webhook-id`, `webhook-timestamp`, `webhook-signature`. In order, and at least once: `webhook-id` tells a
    repetition. Any answer from 200 to 299 takes it; anything else is tried again, for a day at most. A message of
    the type `gap` tells of lost events.
    """
    parts().hook_sender.check(body.url)
    secret = body.secret or new_secret()
    asked = store.Webhook(
        id="",
        url=body.url,
        secret=secret,
        kinds=tuple(body.kinds),
        hash=body.hash,
        prefix=body.prefix,
        person=body.person,
    )
    after = stream.latest(parts().redis)
    hook = store.add(parts().redis, asked, after)
    shown = _shown(hook, Progress(after=after))
    return answer(NewHook(**shown.model_dump(), secret=secret), HTTPStatus.CREATED)


@webhooks.operation("GET", "/v1/webhooks", scope=api_key.ADMIN, answers={200: HookList})
def show() -> Response:
    """All webhooks, and how far each has been served."""
    progress = store.progress(parts().redis)
    hooks = [_shown(hook, progress[hook.id]) for hook in store.every(parts().redis) if hook.id in progress]
    return answer(HookList(webhooks=hooks))


@webhooks.operation(
    "DELETE", "/v1/webhooks/<webhook_id>", scope=api_key.ADMIN, answers={204: None}, problems=(404,)
)
def remove(path: HookPath) -> Response:
    """Stop posting."""
    if not store.remove(parts().redis, path.webhook_id):
        raise NotFound("there is no webhook with this id")
    return Response(status=HTTPStatus.NO_CONTENT)


@webhooks.operation(
    "POST",
    "/v1/webhooks/<webhook_id>/replay",
    scope=api_key.ADMIN,
    answers={200: Hook},
    problems=(404,),
    max_body=8192,
)
def replay(path: HookPath, body: Replay) -> Response:
    """Post again everything after an event, and resume if it was paused."""
    hook = store.find(parts().redis, path.webhook_id)
    if hook is None:
        raise NotFound("there is no webhook with this id")
    store.replay(parts().redis, hook.id, body.after)
    return answer(_shown(hook, Progress(after=body.after)))


def _shown(hook: store.Webhook, progress: Progress) -> Hook:
    state = "paused" if progress.paused else "failing" if progress.failures else "active"
    return Hook(
        id=hook.id,
        url=hook.url,
        kinds=list(hook.kinds),
        hash=hook.hash,
        prefix=hook.prefix,
        person=hook.person,
        created=hook.created,
        after=progress.after,
        state=state,
        failures=progress.failures,
        retry_at=progress.retry_at if state == "failing" else None,
        error=progress.error,
    )
