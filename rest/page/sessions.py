"""Signing in: an API key is traded for a session, of which the browser keeps a cookie that no script can read."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, request
from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

from faces.store.access import sessions as kept
from rest.auth.authenticator import COOKIE, EXTENSION, Authenticator, source_address
from rest.auth.origins import own_page
from rest.auth.scopes import PUBLIC
from rest.openapi import Routes
from rest.page.screens import SCREENS, render
from rest.parts import parts

sessions = Routes("sessions")

LARGEST = 8 << 10  # bytes of the form


@sessions.operation("POST", "/sign-in", scope=PUBLIC, answers={}, max_body=LARGEST, hidden=True)
def sign_in() -> Response:
    """Begin a session, and go on where the person was."""
    _check_page()
    onward = _local(request.form.get("next", "/"))
    authenticator: Authenticator | None = current_app.extensions.get(EXTENSION)
    if authenticator is None:
        return _to(onward)
    try:
        key = authenticator.opened(request.form.get("key", "").strip(), source_address())
    except Unauthorized:
        problem = (
            "This key is not valid. Check that it is complete: it begins with ff_ and has 59 characters."
        )
        return render("sign_in", HTTPStatus.UNAUTHORIZED, screen=SCREENS[0], next=onward, problem=problem)
    except TooManyRequests as error:
        return render(
            "sign_in",
            HTTPStatus.TOO_MANY_REQUESTS,
            screen=SCREENS[0],
            next=onward,
            problem=f"{str(error.description).capitalize()}.",
        )
    response = _to(onward)
    response.set_cookie(
        COOKIE,
        kept.begin(parts().redis, key.id),
        max_age=kept.LASTS,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure or request.headers.get("Origin", "").startswith("https:"),
    )
    return response


@sessions.operation("POST", "/sign-out", scope=PUBLIC, answers={}, max_body=LARGEST, hidden=True)
def sign_out() -> Response:
    """End the session."""
    _check_page()
    if token := request.cookies.get(COOKIE):
        kept.end(parts().redis, token)
    response = _to("/")
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
    return response


def _check_page() -> None:
    if not own_page():
        raise Forbidden("only this server's own pages sign in and out")


def _local(address: str) -> str:
    """An address on this server; its root for any other."""
    split = urlsplit(address)
    other = split.scheme or split.netloc or not address.startswith("/") or "\\" in address
    return "/" if other else address


def _to(address: str) -> Response:
    response: Response = redirect(address, HTTPStatus.SEE_OTHER)  # type: ignore[assignment]  # ours is Flask's
    return response
