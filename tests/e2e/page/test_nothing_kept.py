"""A server that keeps no pictures: it shows what it can, asks for nothing in vain, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Browser, expect

from local.process import free_port, listening, until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.browser import Watched, accessible, narrow_enough, photograph


@pytest.fixture
def visitor(browser: Browser, page_fleet: Fleet) -> Iterator[Watched]:
    """A browser in front of a second server of the fleet, which has no image store."""
    port = free_port()
    process = page_fleet.start("rest", IMAGE_STORE_URL="", REST_PORT=str(port))
    assert until(lambda: listening(port), SECONDS)
    opened = Watched(browser, f"http://127.0.0.1:{port}")
    yield opened
    opened.close()
    process.kill()
    opened.check()


def test_names_boxes_and_matches_are_shown(visitor: Watched, sent: Mapping[str, str]) -> None:
    page = visitor.page
    page.goto("/")
    expect(page.get_by_text("This server keeps no originals")).to_be_visible()
    expect(page.locator(".wall .tile-name").first).to_be_visible()
    accessible(page)
    photograph(page, "nothing-kept")
    page.get_by_role("link", name="obama.jpg").click()
    expect(page.get_by_text("This picture is not kept")).to_be_visible()
    expect(page.locator(".mark")).to_have_count(1)
    expect(page.locator(".found .tile")).to_have_count(2)
    accessible(page)
    photograph(page, "picture-not-kept")
    narrow_enough(page)
