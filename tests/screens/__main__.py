"""`python -m tests.screens`: takes the pictures of the page that the README shows, docs/screens/*.webp.

The fleet is real. The photographs are in the public domain or free of rights: variants of NASA's portrait of Eileen
Collins, and scikit-image's cat, coffee and rocket.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests
from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from benchmarks.system.servers import leading_to, servers
from local.photographs import fetch_photographs
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.browser import Watched, chromium

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "screens"
SIZE = {"width": 1200, "height": 760}
SOON = SECONDS * 1000  # milliseconds


def main() -> None:
    """Take the pictures."""
    TARGET.mkdir(exist_ok=True)
    photographs = fetch_photographs(ROOT / "var" / "photographs")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as fleet:
        sent = {name: fleet.scan(data, name) for name, data in pictures(photographs).items()}
        fleet.wait()
        name_her(fleet, sent["portrait.jpg"])
        with chromium() as browser:
            watched = Watched(browser, fleet.url)
            watched.page.set_viewport_size(SIZE)  # type: ignore[arg-type]  # two numbers
            take(watched.page, sent)
            watched.close()
            watched.check()


def take(page: Page, sent: Mapping[str, str]) -> None:
    """Open three screens."""
    page.goto("/")
    expect(page.locator(".wall .tile")).to_have_count(len(sent))
    keep(page, "wall")
    page.goto(f"/pictures/{sent['portrait.jpg']}")
    expect(page.locator(".found .tile")).to_have_count(4, timeout=SOON)
    keep(page, "picture", whole=True)
    page.goto(f"/compare?first={sent['launch.jpg']}&second={sent['press.jpg']}")
    expect(page.locator(".verdict")).to_be_visible(timeout=SOON)
    keep(page, "compare", whole=True)


def keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a screen as WebP."""
    page.wait_for_timeout(1500)  # thumbnails fade in
    shot = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    shot.save(TARGET / f"{name}.webp", quality=82, method=6)


def name_her(fleet: Fleet, picture: str) -> None:
    """Say who is in a picture, once the groups process has seen it."""
    for _ in range(int(SECONDS)):
        (face, *_) = requests.get(f"{fleet.url}/v1/images/{picture}", timeout=60).json()["faces"]
        if face["person"]:
            break
        requests.get(f"{fleet.url}/v1/images/{picture}?wait=1", timeout=60)
    person = requests.get(f"{fleet.url}/v1/people/{face['person']['id']}", timeout=60).json()
    statement = {
        "kind": "name",
        "people": [person["id"]],
        "name": "Eileen Collins",
        "versions": {person["id"]: person["version"]},
    }
    requests.post(f"{fleet.url}/v1/statements", json=statement, timeout=60).raise_for_status()


def pictures(folder: Path) -> dict[str, bytes]:
    """The photographs, oldest first."""
    astronaut = Image.open(folder / "astronaut.png").convert("RGB")
    portrait = astronaut.crop((70, 0, 400, 260))
    variants = {
        "archive.jpg": ImageOps.grayscale(astronaut.crop((100, 0, 380, 230))),
        "mirror.jpg": ImageOps.mirror(astronaut.crop((40, 0, 420, 300))),
        "press.jpg": astronaut.crop((130, 0, 340, 210)).resize((630, 630)),
        "launch.jpg": astronaut.crop((0, 0, 512, 330)),
        "portrait.jpg": portrait.resize((990, 780)),
    }
    found = {name: (folder / name).read_bytes() for name in ("coffee.png", "chelsea.png", "rocket.jpg")}
    return found | {name: _jpeg(image) for name, image in variants.items()}


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


@contextmanager
def running(folder: Path) -> Iterator[Fleet]:
    """A fleet with servers of its own, that keeps originals."""
    with ExitStack() as stack:
        fleet = Fleet(leading_to(*stack.enter_context(servers(folder))), folder)
        stack.callback(fleet.stop)
        fleet.start_all(IMAGE_STORE_URL=f"file://{folder}/originals")
        fleet.start("groups")
        yield fleet


if __name__ == "__main__":
    main()
