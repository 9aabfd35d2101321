"""The scope that a route needs, as the route itself declares it."""

from __future__ import annotations

from flask import Flask

from faces import api_key

PUBLIC = "public"


def scope_of(app: Flask, endpoint: str | None) -> str:
    """The scope for an endpoint; `admin` for a route that declares none, so that a new one is closed."""
    return str(getattr(app.view_functions.get(endpoint or ""), "scope", api_key.ADMIN))


def is_public(app: Flask, endpoint: str | None) -> bool:
    """Whether an endpoint needs no API key."""
    return scope_of(app, endpoint) == PUBLIC
