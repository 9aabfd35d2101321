"""A real browser in front of the page: what it complains of fails the test, and each screen is kept as pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from local.process import until
from tests.conftest import missing

SCREENS = Path(__file__).parents[3] / "var" / "screens"
WIDTHS = {360: 740, 768: 1024, 1440: 900}  # pixels, and how high
SERIOUS = {"serious", "critical"}
TELL = """addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""

LOADED = "[...document.images].every((image) => image.complete || image.loading === 'lazy')"
# Playwright's `wait_for_function` evaluates text in the page, which the policy forbids; `page.evaluate` does not.


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = shutil.which("chromium")
    if path is None:
        missing("chromium: apt-get install chromium")
    expect.set_options(timeout=30_000)  # milliseconds, on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"],
        )
        yield browser
        browser.close()


class Watched:
    """A page whose complaints are kept: errors of scripts, of the console, of the content security policy.

    `tolerated` are parts of messages that a test expects, as of a request that is meant to fail.
    """

    def __init__(self, browser: Browser, base: str, width: int = 1440) -> None:
        self.context = browser.new_context(
            base_url=base,
            viewport={"width": width, "height": WIDTHS.get(width, 900)},
            reduced_motion="reduce",
            locale="en-GB",
        )
        self.context.set_default_timeout(30_000)
        self.context.add_init_script(TELL)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.tolerated: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def check(self) -> None:
        """Fail where anything was complained of that is not tolerated."""
        found = [c for c in self.complaints if not any(part in c for part in self.tolerated)]
        assert not found, found

    def close(self) -> None:
        """Close the page with all that belongs to it."""
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = message.location or {}
            self.complaints.append(f"{message.text} ({where.get('url', '')})")


def accessible(page: Page) -> None:
    """Fail where axe finds something serious, in light or dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        serious = [
            (violation["id"], node["html"][:200], node.get("failureSummary"))
            for violation in violations
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]
        assert not serious, (scheme, serious)
    page.emulate_media(color_scheme="light")


def photograph(page: Page, name: str) -> None:
    """Keep a screen at all widths, light and dark, under var/screens."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert until(lambda: page.evaluate(LOADED), 60)
            page.screenshot(path=SCREENS / f"{name}-{width}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)


def narrow_enough(page: Page) -> None:
    """Fail where a phone would have to scroll sideways."""
    page.set_viewport_size({"width": 360, "height": WIDTHS[360]})
    assert until(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), 60)
