"""Take the screenshots of the web page that the README shows: docs/page-search.jpg and docs/page-photo.jpg.

    make demo
    .venv/bin/python -m scripts.screenshots                # or with the home of another collection `examples`

It needs Chromium. The letters are those of the font Inter where the machine has it (Debian: fonts-inter).
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.api.http.page.browser import CHROMIUM
from tests.api.http.server_process import ROOT, serving

SIZE = {"width": 1280, "height": 800}
QUALITY = 80  # of the JPEG; the photos in it are JPEGs already


def take(page: Page, name: str) -> None:
    """Write a screenshot once all photos that can be seen have come in."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=ROOT / "docs" / f"{name}.jpg", type="jpeg", quality=QUALITY)


def hits(page: Page, url: str) -> None:
    """Photos that a text found, a word of it lit in each."""
    page.goto(f"{url}/?collection=examples&q=a+bird+flies+over+the+water")
    expect(page.locator(".score").first).to_be_visible()
    page.get_by_role("button", name="bird", exact=True).hover()
    take(page, "page-search")


def photo(page: Page, url: str) -> None:
    """One photo, a region of it lit with its words and its caption."""
    page.goto(f"{url}/?collection=examples&q=a+man+plays+the+guitar")
    page.locator(".open").first.click()
    regions = page.locator(".regions button:has(b)")
    expect(regions.first).to_be_visible(timeout=30_000)
    regions.first.hover()
    take(page, "page-photo")


def main(home: Path) -> None:
    """Take them all."""
    with (
        serving([Path(sys.executable).with_name("dvsa"), "serve", "--port", "0"], DVSA_HOME=str(home)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        hits(page, server.url)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        photo(page, server.url)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".demo" / "home")
