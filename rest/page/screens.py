"""The screens: which there are, who may see them, and how one is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus

from flask import Response, current_app, request
from jinja2 import Environment, PackageLoader, StrictUndefined

from faces import api_key
from faces.config import Settings
from faces.distances import COMPARE_TOLERANCE
from faces.errors import StoreError
from faces.odds import DEVIATION, own_mean
from rest.auth.authenticator import EXTENSION, Authenticator
from rest.auth.scopes import PUBLIC
from rest.openapi import Routes
from rest.page.files import VERSION_PATH, version
from rest.parts import parts

screens = Routes("screens")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen: its template and its module have its name."""

    name: str
    path: str
    title: str
    scope: str  # of the key that may see it
    listed: bool = True  # in the navigation


SCREENS = (
    Screen("pictures", "/", "Pictures", api_key.READ),
    Screen("picture", "/pictures/<hash>", "Picture", api_key.READ, listed=False),
    Screen("people", "/people", "People", api_key.READ),
    Screen("person", "/people/<person>", "Person", api_key.READ, listed=False),
    Screen("videos", "/videos", "Videos", api_key.READ),
    Screen("video", "/videos/<hash>", "Video", api_key.READ, listed=False),
    Screen("review", "/review", "Review", api_key.PEOPLE),
    Screen("history", "/review/history", "History", api_key.READ, listed=False),
    Screen("search", "/search", "Search", api_key.SEARCH),
    Screen("compare", "/compare", "Compare", api_key.SEARCH, listed=False),
    Screen("fleet", "/fleet", "Fleet", api_key.READ),
)


def show(screen: Screen) -> Response:
    """Render a screen, or the sign-in form in its place.

    A browser is always answered with a page, and the root always with 200: load balancers probe it.
    """
    try:
        scopes = _scopes()
    except StoreError:
        return render("unavailable", screen=screen)
    if scopes is None:
        return render("sign_in", screen=screen, next=request.full_path.rstrip("?"), problem=None)
    if screen.scope not in scopes:
        return render("forbidden", screen=screen, scopes=scopes)
    return render(screen.name, screen=screen, scopes=scopes)


def render(template: str, status: int = HTTPStatus.OK, **values: object) -> Response:
    """Render a template as a page."""
    values = {
        "scopes": (),
        "signed_in": current_app.extensions.get(EXTENSION) is not None,
        "screens": SCREENS,
        "static": VERSION_PATH + version(),
        "originals": parts().settings.keeps_originals,
        "crops": parts().settings.keeps_crops,
        "same": _same(parts().settings),
        **values,
    }
    text = _templates().get_template(f"{template}.html").render(values)
    response = Response(text, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Referrer-Policy"] = "same-origin"  # so that a form names its origin
    return response


def wants_a_page() -> bool:
    """Tell whether the caller would rather have HTML than JSON; curl and probes take either."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def _scopes() -> tuple[str, ...] | None:
    """What the caller may do: everything where no keys are needed; None: it has to sign in."""
    authenticator: Authenticator | None = current_app.extensions.get(EXTENSION)
    if authenticator is None:
        return api_key.SCOPES
    key = authenticator.signed_in()
    return None if key is None else key.scopes


def _same(settings: Settings) -> dict[str, float]:
    """How far apart pictures of one person usually are."""
    return {"mean": own_mean(settings.model), "deviation": DEVIATION, "tolerance": COMPARE_TOLERANCE}


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("rest.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def _view(screen: Screen, **_path: str) -> Response:
    return show(screen)


for _screen in SCREENS[1:]:  # the root has JSON for programs, too: rest.contract
    _shown = partial(_view, _screen)
    _shown.scope = PUBLIC  # type: ignore[attr-defined]  # read by rest.auth.scopes
    screens.add_url_rule(_screen.path, _screen.name, _shown)
