"""Bringing pictures in and looking at them, as a visitor does: with a mouse, with keys alone, and on a phone."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph
from tests.support.servers.file_server import serving

SOON = SECONDS * 1000  # milliseconds


@pytest.fixture
def web(photographs: Path) -> Iterator[str]:
    with serving(photographs) as address:
        yield address


def done(page: Page, count: int) -> None:
    expect(page.locator("#batch-title")).to_have_text(re.compile(rf"^{count} pictures? done"), timeout=SOON)


def test_a_first_visitor_is_told_what_to_do_and_samples_are_a_click_away(
    page: Page, watched: Watched, web: str
) -> None:
    here = [f"{web}/astronaut.png", f"{web}/coffee.png", f"{web}/nowhere.jpg"]
    page.route(
        "**/samples.json", lambda route: route.fulfill(body=json.dumps(here), content_type="application/json")
    )
    page.goto("/")
    expect(page.get_by_role("heading", name="Who is in your pictures?")).to_be_visible()
    accessible(page)
    photograph(page, "first-visit")
    narrow_enough(page)
    page.get_by_role("button", name="Try six sample pictures").click()
    done(page, 3)
    rows = page.locator(".rows li")
    expect(rows.nth(0)).to_contain_text("face")
    expect(rows.nth(1)).to_contain_text("no face")
    expect(rows.nth(2)).to_contain_text("404")
    expect(page.locator(".wall .tile")).to_have_count(2)


def test_files_show_their_way_and_their_pictures_appear(page: Page, photographs: Path) -> None:
    page.goto("/")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add pictures").click()
    chooser.value.set_files([photographs / "obama.jpg", photographs / "obama2.jpg", Path(__file__)])
    expect(page.get_by_role("status").filter(has_text="1 file is not a picture")).to_be_visible()
    photograph(page, "sending")
    done(page, 2)
    accessible(page)
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".wall .tile")).to_have_count(4)
    expect(page.locator("#count")).to_have_text("4")


FILE = """(name, base64) =>
    new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt())], name, {type: "image/jpeg"})"""


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files on the page."""
    transfer = page.evaluate_handle(
        f"""(files) => {{
            const transfer = new DataTransfer();
            for (const [name, base64] of Object.entries(files)) transfer.items.add(({FILE})(name, base64));
            return transfer;
        }}""",
        {name: b64encode(data).decode() for name, data in files.items()},
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop pictures or folders anywhere")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_hidden()


def test_what_is_dropped_is_sent_and_a_damaged_picture_says_why(
    page: Page, watched: Watched, photographs: Path
) -> None:
    watched.tolerated = ["422"]
    page.goto("/")
    picture = (photographs / "obama3.jpg").read_bytes()
    drop(page, {"obama3.jpg": picture, "half.jpg": picture[:2000]})
    done(page, 2)
    half = page.locator(".rows li", has_text="half.jpg")
    expect(half).to_have_attribute("data-state", "failed")
    expect(half.locator(".state")).not_to_be_empty()


def test_what_is_pasted_is_sent(page: Page, photographs: Path) -> None:
    page.goto("/")
    page.evaluate(
        f"""(base64) => {{
            const clipboardData = new DataTransfer();
            clipboardData.items.add(({FILE})("image.jpg", base64));
            dispatchEvent(new ClipboardEvent("paste", {{clipboardData}}));
        }}""",
        b64encode((photographs / "biden.jpg").read_bytes()).decode(),
    )
    done(page, 1)
    expect(page.locator(".rows li")).to_contain_text(re.compile(r"pasted-\d{8}-\d{6}\.jpg.*1 face"))


def test_addresses_are_fetched_by_the_server(page: Page, web: str) -> None:
    page.goto("/")
    page.get_by_role("button", name="From the web").click()
    accessible(page)
    photograph(page, "links")
    page.get_by_label("Addresses of pictures").fill(f"{web}/chelsea.png\n{web}/rocket.jpg")
    page.get_by_role("button", name="Fetch them").click()
    done(page, 2)


def test_the_wall_is_filtered_and_the_address_keeps_the_filter(page: Page, page_fleet: Fleet) -> None:
    page.goto("/")
    expect(page.locator(".wall .tile").first).to_be_visible()
    accessible(page)
    photograph(page, "wall")
    narrow_enough(page)
    page.get_by_role("radio", name="No face").check()
    expect(page).to_have_url(re.compile("show=without"))
    expect(page.get_by_role("link", name="coffee.png, no face").first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("obama"))).to_have_count(0)
    page.get_by_label("Name begins with").fill("nothing-like-it")
    expect(page.get_by_role("heading", name="No pictures found")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("link", name="coffee.png, no face").first).to_be_visible()


def test_keys_alone_lead_over_the_wall_into_a_picture_and_on_to_the_next(
    page: Page, page_fleet: Fleet
) -> None:
    page.goto("/")
    tiles = page.locator(".wall .tile")
    expect(tiles.first).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if tiles.first.evaluate("tile => tile === document.activeElement"):
            break
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tiles.last).to_be_focused()
    page.keyboard.press("Home")
    second = tiles.nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    expect(page.locator(".about h1")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(str(second)))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/$"))


def test_without_the_server_the_page_says_so_and_goes_on_when_it_is_back(
    page: Page, watched: Watched, page_fleet: Fleet
) -> None:
    watched.tolerated = ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page.goto("/")
    expect(page.locator(".wall .tile").first).to_be_visible()
    watched.context.set_offline(offline=True)
    expect(page.locator("#offline")).to_be_visible()
    photograph(page, "offline")
    page.get_by_role("radio", name="Failed").check()
    expect(page.get_by_role("heading", name="This could not be loaded")).to_be_visible()
    accessible(page)
    watched.context.set_offline(offline=False)
    expect(page.locator("#offline")).to_be_hidden(timeout=SOON)
    expect(page.get_by_role("heading", name="This could not be loaded")).to_be_hidden()
