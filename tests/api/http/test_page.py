"""The web page, in Chromium, over a server with the tiny encoder."""

import base64
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.api.http.server_process import Server, serving

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Page]:
    """The page as it opens, in three forms; it may ask nothing of other addresses and say nothing to the console."""
    phone = request.param == "phone"
    size = {"width": 360, "height": 740} if phone else {"width": 1200, "height": 900}
    scheme = "dark" if request.param == "dark" else "light"
    with chromium.new_context(viewport=size, color_scheme=scheme, has_touch=phone) as context:  # type: ignore[arg-type]
        made = context.new_page()
        complaints: list[str] = []
        made.on("console", lambda message: complaints.append(message.text))
        made.on("pageerror", lambda error: complaints.append(str(error)))
        asked: list[str] = []
        made.on("request", lambda made_request: asked.append(made_request.url))
        made.goto(server.url)
        made.get_by_label("Collection").select_option("walls")
        expect(made.get_by_role("status")).to_contain_text("4 photos and 8 sentences")
        yield made
        assert all(url.startswith((server.url, "blob:", "data:")) for url in asked)
        assert complaints == []


def check(page: Page, folder: Path, name: str) -> None:
    """Take a screenshot; no scrolling sideways, nothing that axe finds wrong."""
    page.screenshot(path=folder / f"{name}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def drop_photo(page: Page, photo: Path) -> None:
    """Drop a file on the page as a person does, as far as the page can tell."""
    page.evaluate(
        """([content, name]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name, { type: "image/png" }));
            for (const kind of ["dragover", "drop"]) {
                document.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
            }
        }""",
        [base64.b64encode(photo.read_bytes()).decode(), photo.name],
    )


def test_a_query_finds_photos_and_its_words_light_their_regions(page: Page, tmp_path: Path) -> None:
    check(page, tmp_path, "start")
    page.get_by_role("searchbox").fill("painted zzwall wall")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("4 photos; not understood: zzwall")
    expect(page.locator(".card")).to_have_count(4)
    expect(page.locator(".frame rect")).to_have_count(0)
    page.get_by_role("button", name="painted", exact=True).hover()
    expect(page.locator(".card svg:has(rect.over)")).to_have_count(4)
    page.mouse.move(0, 0)
    expect(page.locator(".frame rect")).to_have_count(0)
    page.get_by_role("button", name="wall", exact=True).focus()
    expect(page.locator(".card svg:has(rect.over)")).to_have_count(4)
    check(page, tmp_path, "hits")


def test_a_hit_opens_and_closes_by_keyboard_and_asks_further(page: Page, tmp_path: Path) -> None:
    page.get_by_role("searchbox").fill("painted wall")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_have_text("4 photos")
    page.locator(".open").first.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="wall", exact=True).hover()
    expect(dialog.locator("rect.over")).to_have_count(1)
    check(page, tmp_path, "photo")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.locator(".open").first.click()
    dialog.get_by_role("button", name="Photos like this").click()
    expect(page.locator("#results .card")).to_have_count(4)
    expect(page.locator("#query .card")).to_have_count(1)


def test_a_dropped_photo_finds_sentences_with_their_boxes(page: Page, walls: Path, tmp_path: Path) -> None:
    drop_photo(page, walls / "blue.png")
    expect(page.get_by_role("status")).to_have_text("8 sentences")
    page.locator(".sentences .word").first.hover()
    expect(page.locator(".asked rect.over")).to_have_count(1)
    check(page, tmp_path, "sentences")


def test_sentences_are_found_by_text(page: Page) -> None:
    page.get_by_label("sentences", exact=True).check()
    page.get_by_role("searchbox").fill("a blue wall")
    page.keyboard.press("Enter")
    expect(page.locator(".sentences li").first).to_contain_text("A blue wall.")


def test_a_collection_without_photos_says_how_to_index(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Collection").select_option("a/b")
    expect(page.get_by_text("dvsa index ~/Pictures --collection a/b")).to_be_visible()
    check(page, tmp_path, "empty")


def test_an_error_is_one_sentence(chromium: Browser, server: Server) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(server.url)
        page.get_by_role("searchbox").fill("zzqq")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("knows none of the words")
        page.get_by_label("Photo…").set_input_files(
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo at all"}
        )
        expect(page.get_by_role("alert")).to_contain_text("not a photo")


def test_a_home_without_collections_says_how_to_index(chromium: Browser, tmp_path: Path) -> None:
    with (
        serving([sys.executable, "-m", "tests.api.http.tiny_server", tmp_path]) as server,
        chromium.new_context() as context,
    ):
        page = context.new_page()
        page.goto(server.url)
        expect(page.get_by_text("dvsa index ~/Pictures")).to_be_visible()
        expect(page.get_by_role("searchbox")).to_be_hidden()
        check(page, tmp_path, "nothing")
