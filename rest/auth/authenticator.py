"""Who may do what: the API key that a request shows, its scope, its limits.

No key is needed while the server listens on loopback alone: only this machine reaches it there. Each route declares
its scope (`rest.auth.scopes`); one that declares none needs `admin`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Request, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from faces import api_key
from faces.api_key import Key
from faces.config import Settings
from faces.store.access import api_keys, sessions
from faces.store.client import RedisClient
from rest.auth.origins import is_loopback, own_page
from rest.auth.rate_limits import KeyLimits, RefusalLimits, ViewLimits, Windows
from rest.auth.scopes import is_public, scope_of

EXTENSION = "authenticator"
COOKIE = "facefleet"
VIEWED = "pictures"  # the routes that a page shows pictures from, dozens at a glance
SAFE = ("GET", "HEAD")


def keys_needed(settings: Settings) -> bool:
    """Tell whether requests must show a key."""
    return settings.api_keys == "required" or (
        settings.api_keys == "auto" and not is_loopback(settings.rest_host)
    )


@dataclass(frozen=True)
class Authenticator:
    """Lets requests through that present a valid key, with the route's scope, within the key's limits."""

    redis: RedisClient
    limits: KeyLimits
    views: ViewLimits
    refusals: RefusalLimits

    @classmethod
    def of(cls, settings: Settings, redis: RedisClient) -> Authenticator | None:
        """The guard that the settings ask for; None where no key is needed."""
        if not keys_needed(settings):
            return None
        windows = Windows(redis)
        limits = KeyLimits(windows, settings.key_per_minute, settings.key_per_day)
        return cls(redis, limits, ViewLimits(windows), RefusalLimits(windows))

    def install(self, app: Flask) -> None:
        """Have every request of an app pass here."""
        app.extensions[EXTENSION] = self
        app.before_request(self.check)

    def check(self) -> None:
        """Let the request pass, or raise what it is answered with.

        Raises:
            Unauthorized: no key, or an invalid one.
            Forbidden: the key lacks the scope, or another site's page makes use of a session.
            TooManyRequests: the key's limit is reached, or that of invalid keys from one address.
            StoreError: Redis is unavailable.
        """
        if (
            request.endpoint is None
            or is_public(current_app, request.endpoint)
            or request.method == "OPTIONS"
        ):
            return
        key = self._caller(_token(request))
        g.key = key.id
        _check(key, scope_of(current_app, request.endpoint), self._wait(key))

    def admit(self, token: str, scope: str, address: str, tell: Callable[[str], None]) -> None:
        """Let the bearer of a token pass, or raise what they are answered with, as `check` does.

        Args:
            token: the API key that was sent; empty: none was.
            scope: what it must be for.
            address: where it was sent from.
            tell: is told the key's id, once the token has proved valid.
        """
        key = self.opened(token, address)
        tell(key.id)
        _check(key, scope, self.limits.wait(key))

    def signed_in(self) -> Key | None:
        """The key that this browser signed in with; None if it did not, or the key is revoked.

        Raises:
            StoreError: Redis is unavailable.
        """
        token = request.cookies.get(COOKIE)
        number = sessions.key_id_of(self.redis, token) if token else None
        return api_keys.find(self.redis, number) if number else None

    def opened(self, token: str, address: str) -> Key:
        """The key that a token is, which was sent from an address.

        Raises:
            Unauthorized: it is no valid key.
            TooManyRequests: too many invalid keys came from this address.
            StoreError: Redis is unavailable.
        """
        number = api_key.id_of(token)
        key = api_keys.find(self.redis, number) if number else None
        if key is None or not key.opens(token):
            self._count_refusal(token, address)
            raise Unauthorized(
                "a valid API key is required, as Authorization: Bearer <key> or X-API-Key: <key>",
                www_authenticate=WWWAuthenticate("bearer", {"realm": "facefleet"}),
            )
        return key

    def _caller(self, token: str) -> Key:
        """The key of this request; a token outranks a session."""
        key = None if token else self.signed_in()
        if key is None:
            return self.opened(token, source_address())
        if request.method not in SAFE and not own_page():
            raise Forbidden("a session works for this server's pages only: other programs need an API key")
        return key

    def _wait(self, key: Key) -> int:
        """Count the request; pictures that a signed-in browser shows have a limit of their own."""
        viewed = request.blueprint == VIEWED and not _token(request)
        return self.views.wait(key) if viewed else self.limits.wait(key)

    def _count_refusal(self, token: str, address: str) -> None:
        """Count an invalid key; a valid one is let through whatever came from its address before.

        A proxy and all behind it share an address: a stranger there must not be able to shut the others out.
        """
        if token and (wait := self.refusals.wait(address)):
            raise TooManyRequests(
                f"too many invalid API keys from this address: try again in {wait} s",
                retry_after=wait,
            )


def source_address() -> str:
    """Where this request comes from."""
    return request.remote_addr or "::"


def _check(key: Key, scope: str, wait: int) -> None:
    if wait:
        raise TooManyRequests(f"this key's rate limit is reached: try again in {wait} s", retry_after=wait)
    if scope not in key.scopes:
        raise Forbidden(f"this key has no scope {scope!r}: it may {', '.join(key.scopes) or 'do nothing'}")


def _token(asked: Request) -> str:
    authorization = asked.authorization
    if authorization is not None and authorization.type == "bearer":
        return authorization.token or ""
    return asked.headers.get("X-API-Key", "")
