"""Videos in a browser: the list, and a timeline that jumps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from benchmarks.material.films import portraits, unmoved, write
from local.process import until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.browser import accessible, narrow_enough, photograph


@pytest.fixture(scope="module")
def film(empty_fleet: Fleet, photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of a film of two people, sent and processed."""
    shots = portraits(photographs, ["obama.jpg", "biden.jpg"], 2.0)
    path = write(tmp_path_factory.mktemp("film") / "film.mp4", unmoved(shots, (480, 360)))
    store = {"IMAGE_STORE_URL": f"file://{empty_fleet.processes[0].log.parent}/originals"}
    process = empty_fleet.start("video", **store)
    with path.open("rb") as file:
        sent = requests.post(f"{empty_fleet.url}/v1/videos?name=film.mp4", data=file, timeout=60).json()

    def done() -> bool:
        about = requests.get(f"{empty_fleet.url}{sent['location']}", timeout=60).json()
        return about["state"] == "done" and not about["ungrouped"] and about["frames"]["pending"] == 0

    assert until(done, SECONDS), process.last_lines()
    return str(sent["hash"])


def test_the_timeline_jumps_to_when_somebody_is_seen(page: Page, film: str) -> None:
    page.goto("/videos")
    page.get_by_role("link", name="film.mp4").click()
    expect(page).to_have_url(re.compile(f"/videos/{film}$"))
    expect(page.get_by_role("heading", name="film.mp4")).to_be_visible()
    rows = page.locator(".seen")
    expect(rows).to_have_count(2)
    first, second = rows.nth(0), rows.nth(1)
    before = page.locator(".shown").get_attribute("src")
    second.locator(".span").click()
    expect(page.locator(".at")).to_contain_text("0:02")
    assert page.locator(".shown").get_attribute("src") != before
    first.locator(".span").click()
    expect(page.locator(".shown")).to_have_attribute("src", before or "")
    page.get_by_role("slider", name="Frame").press("ArrowRight")
    expect(page.locator(".at")).to_contain_text("0:02")
    accessible(page)
    photograph(page, "video")
    narrow_enough(page)


def test_the_list_of_videos(page: Page, film: str) -> None:
    page.goto("/videos")
    expect(page.get_by_role("link", name="film.mp4")).to_contain_text("0:04")
    accessible(page)
    photograph(page, "videos")
    narrow_enough(page)


def test_a_video_is_added_and_erased(page: Page, film: str, tmp_path: Path, photographs: Path) -> None:
    shots = portraits(photographs, ["coffee.png"], 1.0)
    path = write(tmp_path / "coffee.mkv", unmoved(shots, (320, 240)))
    page.goto("/videos")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a video").click()
    chooser.value.set_files(path)
    expect(page.get_by_role("heading", name="coffee.mkv")).to_be_visible()
    expect(page.get_by_text("Nobody was found in it.")).to_be_visible()
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("button", name="Erase it").click()
    expect(page).to_have_url(re.compile("/videos$"))
    expect(page.get_by_role("link", name="film.mp4")).to_be_visible()
    expect(page.get_by_role("link", name="coffee.mkv")).to_have_count(0)


def test_a_video_that_is_not_there_says_so(page: Page, watched: object, film: str) -> None:
    watched.tolerated.append("404")  # type: ignore[attr-defined]  # the answer that is expected
    page.goto(f"/videos/{'0' * 64}")
    expect(page.get_by_text("There is no video here")).to_be_visible()
