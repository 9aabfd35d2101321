"""Who may do what: the API key that a request shows, its scope, its limits.

No key is needed while the server listens on loopback alone: only this machine reaches it there. Each route declares
its scope (`rest.auth.scopes`); one that declares none needs `admin`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from flask import Flask, Request, current_app, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from faces import api_key
from faces.api_key import Key
from faces.config import Settings
from faces.store import api_keys
from faces.store.client import RedisClient
from rest.auth.rate_limits import KeyLimits, RefusalLimits, Windows
from rest.auth.scopes import is_public, scope_of


def keys_needed(settings: Settings) -> bool:
    """Tell whether requests must show a key."""
    return settings.api_keys == "required" or (
        settings.api_keys == "auto" and not is_loopback(settings.rest_host)
    )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; of names, `localhost` alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True)
class Authenticator:
    """Lets requests through that present a valid key, with the route's scope, within the key's limits."""

    redis: RedisClient
    limits: KeyLimits
    refusals: RefusalLimits

    @classmethod
    def of(cls, settings: Settings, redis: RedisClient) -> Authenticator | None:
        """The guard that the settings ask for; None where no key is needed."""
        if not keys_needed(settings):
            return None
        windows = Windows(redis)
        limits = KeyLimits(windows, settings.key_per_minute, settings.key_per_day)
        return cls(redis, limits, RefusalLimits(windows))

    def install(self, app: Flask) -> None:
        """Have every request of an app pass here."""
        app.before_request(self.check)

    def check(self) -> None:
        """Let the request pass, or raise what it is answered with.

        Raises:
            Unauthorized: no key, or an invalid one.
            Forbidden: the key lacks the scope.
            TooManyRequests: the key's limit is reached, or that of invalid keys from one address.
            StoreError: Redis is away.
        """
        if (
            request.endpoint is None
            or is_public(current_app, request.endpoint)
            or request.method == "OPTIONS"
        ):
            return
        scope = scope_of(current_app, request.endpoint)
        self.admit(_token(request), scope, request.remote_addr or "::", _tell)

    def admit(self, token: str, scope: str, address: str, tell: Callable[[str], None]) -> None:
        """Let the bearer of a token pass, or raise what the request is answered with; see `check`.

        Args:
            token: the API key that was sent; empty: none was.
            scope: what the key must be for.
            address: where the request comes from.
            tell: is told the key's id, once the token has proved valid.
        """
        key = self._key(token, address)
        tell(key.id)
        if wait := self.limits.wait(key):
            raise TooManyRequests(f"this key's limit is reached: try again in {wait} s", retry_after=wait)
        if scope not in key.scopes:
            raise Forbidden(
                f"this key has no scope {scope!r}: it may {', '.join(key.scopes) or 'do nothing'}"
            )

    def _key(self, token: str, address: str) -> Key:
        number = api_key.id_of(token)
        key = api_keys.find(self.redis, number) if number else None
        if key is None or not key.opens(token):
            self._count_refusal(token, address)
            raise Unauthorized(
                "a valid API key is required, as Authorization: Bearer <key> or X-API-Key: <key>",
                www_authenticate=WWWAuthenticate("bearer", {"realm": "facefleet"}),
            )
        return key

    def _count_refusal(self, token: str, address: str) -> None:
        """Count an invalid key; a valid one is let through whatever came from its address before.

        A proxy and all behind it share an address: a stranger there must not be able to shut the others out.
        """
        if token and (wait := self.refusals.wait(address)):
            raise TooManyRequests(
                f"too many invalid API keys from this address: try again in {wait} s",
                retry_after=wait,
            )


def _tell(key_id: str) -> None:
    g.key = key_id


def _token(asked: Request) -> str:
    authorization = asked.authorization
    if authorization is not None and authorization.type == "bearer":
        return authorization.token or ""
    return asked.headers.get("X-API-Key", "")
