"""`python -m benchmarks.page`: what the page weighs, when its first picture shows, and whether a long wall scrolls.

Records of pictures are written into Redis, with originals: of two megapixels for those in the first view, else
small. A fresh browser, Debian's Chromium, opens the wall; `first picture` is the time from the navigation to the
first thumbnail, which the server draws in the first visit and has in memory in the later ones. The named peer is
the same page with a hundred pictures behind it, in the same run. Scrolling turns the wheel through the wall; a
frame at 60 Hz has 16.7 ms, and frames are counted from one animation callback to the next.
"""

from __future__ import annotations

import argparse
import io
import shutil
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from benchmarks.slow_clients import server
from faces.config import Settings
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.keys import COUNTS, HASHES, HOME, NAMES, status_key
from faces.store.pictures.listing import added
from faces.store.pictures.status import Status

FEW = 100
VIEWED = 100  # pictures with originals of two megapixels
PIECE = 1000  # pictures written in one round trip
LARGE, SMALL = (1632, 1224), (160, 120)
VIEWS = 5
WHEEL = 300  # turns
FACE = {"box": {"left": 600, "top": 300, "right": 900, "bottom": 600}, "indexed": True}

FRAMES = """() => { window.frames_ = []; let last = performance.now();
  const note = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(note); };
  requestAnimationFrame(note); }"""


@dataclass(frozen=True)
class View:
    """One look at the wall by a fresh browser."""

    first_picture: float  # milliseconds
    requests: int  # before the pictures
    bytes: int  # of these


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=100_000)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        few = measured(browser, FEW)
        many = measured(browser, options.pictures)
        browser.close()
    print(f"ratio of the first picture, {options.pictures:,} to {FEW}: {many / few:.2f}")


def measured(browser: Browser, pictures: int) -> float:
    """Print the figures with so many pictures; gives the median time to the first one, in milliseconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server(IMAGE_STORE_URL=f"file://{folder}") as (port, redis_port),
    ):
        settings = replace(Settings(), redis_host="127.0.0.1", redis_port=redis_port)
        with closing(RedisClient(settings)) as redis:
            write(redis, Path(folder), pictures)
        address = f"http://127.0.0.1:{port}/"
        cold = view(browser, address)
        views = [view(browser, address) for _ in range(VIEWS)]
        median = statistics.median(one.first_picture for one in views)
        weight = f"{cold.requests} requests and {cold.bytes / 1000:.1f} kB"
        print(f"{pictures:,} pictures: {weight} before the pictures")
        print(
            f"  first picture: {median:.0f} ms (median of {VIEWS}); not drawn yet: {cold.first_picture:.0f} ms"
        )
        scroll(browser, address)
    return median


def write(redis: RedisClient, store: Path, pictures: int) -> None:
    """Write records of pictures as if they were processed, the newest with originals."""
    now = time.time()
    for start in range(0, pictures, PIECE):
        commands: list[Any] = []
        for number in range(start, min(start + PIECE, pictures)):
            data = _picture(number, LARGE if number < VIEWED else SMALL)
            picture_id, name = picture_id_of(data), f"holiday/{number:06d}.jpg"
            original = (
                store / picture_id[:2] / picture_id
            )  # as the image store has it, which would wait for the disk
            original.parent.mkdir(exist_ok=True)
            original.write_bytes(data)
            size = {"bytes": len(data), "width": LARGE[0], "height": LARGE[1], "format": "JPEG"}
            accepted = now - number
            status = Status(
                hash=picture_id, state="done", accepted=accepted, finished=accepted, faces=[FACE], size=size
            )
            commands += [
                (HOME, "SET", status_key(picture_id), status.to_json()),
                added(status),
                (NAMES, "SET", name, picture_id),
                (HASHES, "SADD", picture_id, name),
            ]
        redis.ask(*commands)
    redis.ask((HOME, "HSET", COUNTS, "accepted", pictures, "done", pictures))


def view(browser: Browser, address: str) -> View:
    """Open the wall in a fresh browser context and wait for the first picture."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    urls: dict[str, str] = {}
    received: dict[str, float] = {}
    session.on("Network.responseReceived", lambda e: urls.update({e["requestId"]: e["response"]["url"]}))
    session.on("Network.loadingFinished", lambda e: received.update({e["requestId"]: e["encodedDataLength"]}))
    page.goto(address)
    page.locator(".wall img").first.evaluate("image => image.decode()")
    first = page.evaluate(
        "Math.min(...performance.getEntriesByType('resource')"
        ".filter(entry => entry.name.includes('/picture?')).map(entry => entry.responseEnd).filter(Boolean))"
    )
    page.wait_for_timeout(500)
    plain = [number for number, url in urls.items() if "/picture?" not in url and number in received]
    context.close()
    return View(first, len(plain), int(sum(received[number] for number in plain)))


def scroll(browser: Browser, address: str) -> None:
    """Turn the wheel through the wall and print how long its frames took."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.locator(".wall img").first.evaluate("image => image.decode()")
    page.evaluate(FRAMES)
    for _ in range(WHEEL):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(10)
    frames = sorted(page.evaluate("frames_"))
    reached = page.evaluate("scrollY")
    nodes = page.locator(".wall li").count()
    late = sum(frame > 50 for frame in frames)
    print(
        f"  scrolling: {reached:,.0f} pixels, {nodes} tiles in the document, frames: median "
        f"{statistics.median(frames):.1f} ms, 95% {frames[int(len(frames) * 0.95)]:.1f} ms, "
        f"{late} of {len(frames)} over 50 ms"
    )
    context.close()


def _picture(number: int, size: tuple[int, int]) -> bytes:
    """A picture of its own, by the number after its end."""
    return _gradient(size, number % 16) + b"%d" % number


@cache
def _gradient(size: tuple[int, int], colour: int) -> bytes:
    gradient = Image.linear_gradient("L").resize(size)
    tint = Image.new("RGB", size, (colour * 37 % 256, colour * 101 % 256, 160))
    file = io.BytesIO()
    Image.composite(tint, Image.new("RGB", size, "white"), gradient).save(file, "JPEG", quality=90)
    return file.getvalue()


if __name__ == "__main__":
    main()
