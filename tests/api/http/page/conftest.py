"""Chromium, and the page as it opens over the collection `walls`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.api.http.page.browser import CHROMIUM, opened
from tests.api.http.server_process import Server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, for a module: while it is there, asyncio.run is not to be had."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """The page over the collection `walls`."""
    with opened(chromium, f"{server.url}/?collection=walls") as made:
        expect(made.get_by_role("status").first).to_have_text("4 photos · 8 sentences")
        yield made
