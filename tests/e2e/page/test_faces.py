"""A picture's faces, the pictures that show them, searching and comparing, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local.process import free_port, listening, until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph


def test_a_face_leads_to_every_picture_that_shows_it_nearest_first(
    page: Page, sent: Mapping[str, str]
) -> None:
    page.goto(f"/pictures/{sent['obama.jpg']}")
    found = page.locator(".found .tile")
    expect(found).to_have_count(2)
    assert [tile.get_attribute("data-hash") for tile in found.all()] == [
        sent["obama3.jpg"],
        sent["obama2.jpg"],
    ]
    expect(page.locator(".caption b").first).to_have_text(re.compile(r"^0\.3"))
    accessible(page)
    photograph(page, "picture")
    narrow_enough(page)


def test_the_slider_leaves_out_what_is_far_and_the_address_keeps_it(
    page: Page, sent: Mapping[str, str]
) -> None:
    page.goto(f"/pictures/{sent['obama.jpg']}")
    expect(page.locator(".found .tile")).to_have_count(2)
    page.get_by_label("How alike?").fill("0.325")  # obama3 is 0.31 away, obama2 0.34
    expect(page.locator(".found .tile")).to_have_count(1)
    expect(page.locator(".said")).to_contain_text(re.compile(r"^1 picture"))
    page.reload()
    expect(page.locator(".found .tile")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"face=0&within=0\.325"))


def test_boxes_and_rows_light_each_other(page: Page, sent: Mapping[str, str]) -> None:
    page.goto(f"/pictures/{sent['astronaut.png']}")
    box = page.locator(".mark").first
    page.locator(".people li").first.hover()
    expect(box).to_have_class(re.compile("hovered"))
    page.locator(".people li").first.get_by_role("button").press("Enter")
    expect(box).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".said")).to_have_text("No other picture shows this face.")


def test_a_picture_is_erased_with_a_receipt(page: Page, page_fleet: Fleet, photographs: Path) -> None:
    picture = page_fleet.scan((photographs / "obama_partial_face.jpg").read_bytes(), "half.jpg")
    page_fleet.wait()
    page.goto(f"/pictures/{picture}")
    page.get_by_role("button", name="Erase…").click()
    accessible(page)
    page.get_by_role("button", name="Erase it").click()
    receipt = page.get_by_role("dialog", name="Erased")
    expect(receipt).to_contain_text("half.jpg")
    expect(receipt).to_contain_text(picture)
    accessible(page)
    photograph(page, "receipt")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".wall .tile").first).to_be_visible()
    assert page_fleet.status(picture)["state"] == "unknown"


def test_an_unknown_picture_is_told(page: Page, watched: Watched, page_fleet: Fleet) -> None:
    watched.tolerated = ["404"]
    page.goto(f"/pictures/{'0' * 64}")
    expect(page.get_by_role("heading", name="This picture is not here")).to_be_visible()


def test_a_picture_that_is_not_stored_finds_those_with_its_face(
    page: Page, sent: Mapping[str, str], photographs: Path
) -> None:
    page.goto("/search")
    accessible(page)
    photograph(page, "search-empty")
    page.locator("input[type=file]").first.set_input_files(photographs / "obama_partial_face2.jpg")
    expect(page.locator(".mark")).to_have_count(1)
    expect(page.locator(".found .tile").first).to_be_visible()
    assert page.locator(".found .tile").first.get_attribute("data-hash") in set(sent.values())
    accessible(page)
    photograph(page, "search")
    narrow_enough(page)
    page.get_by_role("button", name="Another picture").click()
    page.locator("input[type=file]").first.set_input_files(photographs / "rocket.jpg")
    expect(page.get_by_role("heading", name="No face found")).to_be_visible()


def test_two_pictures_are_compared_on_a_scale(page: Page, sent: Mapping[str, str], photographs: Path) -> None:
    page.goto(f"/compare?first={sent['obama.jpg']}")
    second = page.locator("#second")
    accessible(page)
    second.locator("input[type=file]").first.set_input_files(photographs / "obama3.jpg")
    expect(page.get_by_role("heading", name="Very likely the same person")).to_be_visible()
    expect(page.get_by_role("img", name="Distance 0.31")).to_be_visible()
    accessible(page)
    photograph(page, "compare")
    narrow_enough(page)
    second.get_by_role("button", name="Another picture").click()
    second.locator("input[type=file]").first.set_input_files(photographs / "biden.jpg")
    expect(page.get_by_role("heading", name=re.compile("two people"))).to_be_visible()


@pytest.fixture
def without_store(browser: Browser, page_fleet: Fleet) -> Iterator[Watched]:
    """A browser in front of a second server of the fleet, which has no image store."""
    port = free_port()
    process = page_fleet.start("rest", IMAGE_STORE_URL="", REST_PORT=str(port))
    assert until(lambda: listening(port), SECONDS)
    opened = Watched(browser, f"http://127.0.0.1:{port}")
    yield opened
    opened.close()
    process.kill()
    opened.check()


def test_a_server_that_keeps_no_pictures_shows_names_boxes_and_matches(
    without_store: Watched, sent: Mapping[str, str]
) -> None:
    page = without_store.page
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
