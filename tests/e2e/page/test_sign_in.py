"""Signing in to a server that asks for keys, in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from faces import api_key
from faces.store.access import api_keys
from local.process import free_port, listening, until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph


@pytest.fixture(scope="module")
def locked(empty_fleet: Fleet) -> str:
    """The address of a second server of the same fleet, which asks for keys."""
    port = free_port()
    empty_fleet.start("rest", API_KEYS="required", REST_PORT=str(port))
    assert until(lambda: listening(port), SECONDS)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def visitor(browser: Browser, locked: str) -> Iterator[Watched]:
    opened = Watched(browser, locked)
    yield opened
    opened.close()
    opened.check()


def issue(fleet: Fleet, *scopes: str) -> tuple[str, str]:
    key, token = api_key.create("browser", scopes)
    api_keys.add(fleet.redis, key)
    return key.id, token


def test_a_key_opens_the_page_and_its_scopes_decide_what_is_shown(
    visitor: Watched, empty_fleet: Fleet
) -> None:
    page = visitor.page
    visitor.tolerated = ["401"]
    page.goto("/search?limit=5")
    accessible(page)
    photograph(page, "sign-in")
    narrow_enough(page)
    page.get_by_label("API key").fill("ff_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    number, token = issue(empty_fleet, api_key.READ)
    page.get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{page.url.split('/search')[0]}/search?limit=5")
    expect(page.get_by_role("heading", name="Your key does not allow this")).to_be_visible()
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation.get_by_role("link", name="Pictures")).to_be_visible()
    expect(navigation.get_by_role("link", name="Search")).to_have_count(0)
    (cookie,) = visitor.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert token not in cookie["value"]
    api_keys.remove(empty_fleet.redis, number)
    page.goto("/")
    expect(page.get_by_label("API key")).to_be_visible()


def test_signing_out_ends_the_session(visitor: Watched, empty_fleet: Fleet) -> None:
    page = visitor.page
    _, token = issue(empty_fleet, *api_key.SCOPES)
    page.goto("/")
    page.get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()
    (cookie,) = visitor.context.cookies()
    assert page.request.get("/v1/images").ok
    visitor.tolerated.append("401")  # of what the page asks while it is signed out
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    kept = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert page.request.get("/v1/images", headers=kept).status == 401
