"""Chromium as the tests of the page use it."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DESKTOP: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
FORMS: dict[str, dict[str, Any]] = {
    "light": DESKTOP,
    "dark": DESKTOP | {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
}


@contextmanager
def opened(chromium: Browser, url: str, form: str = "light", expected: tuple[int, ...] = ()) -> Iterator[Page]:
    """Open the page; it may ask nothing of other addresses and say nothing to the console.

    Args:
        chromium: the browser.
        url: of the server; a path may follow.
        form: one of FORMS.
        expected: codes of refusals that the console names and that the test means to happen.
    """
    with chromium.new_context(**FORMS[form], reduced_motion="reduce") as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        yield page
        host = "/".join(url.split("/")[:3])
        assert all(address.startswith((host, f"blob:{host}")) for address in asked)
        meant = tuple(f"Failed to load resource: the server responded with a status of {code}" for code in expected)
        assert [text for text in complaints if not (meant and text.startswith(meant))] == []


def check(page: Page, folder: Path, state: str) -> None:
    """Take a screenshot of a state; no scrolling sideways, nothing that axe finds wrong."""
    page.screenshot(path=folder / f"{state}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), state
    found = Axe().run(page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


def search(page: Page, text: str) -> None:
    """Type a text and search for it."""
    page.get_by_role("combobox").fill(text)
    page.keyboard.press("Enter")


def drop(page: Page, *photos: Path) -> None:
    """Drop files on the page as a person does, as far as the page can tell."""
    page.evaluate(
        """(files) => {
            const carried = new DataTransfer();
            for (const [content, name] of files) {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                carried.items.add(new File([bytes], name, { type: "image/png" }));
            }
            for (const kind of ["dragover", "drop"]) {
                document.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
            }
        }""",
        [[base64.b64encode(photo.read_bytes()).decode(), photo.name] for photo in photos],
    )
