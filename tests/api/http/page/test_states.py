"""Every state of the page in three forms: it fits, and axe finds nothing wrong."""

import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.http.page.browser import FORMS, check, drop, opened, search
from tests.api.http.server_process import Server, serving
from tests.workspace import Workspace


@pytest.mark.parametrize("form", FORMS)
def test_a_search_fits_and_is_accessible(
    chromium: Browser, server: Server, walls: Path, tmp_path: Path, form: str
) -> None:
    with opened(chromium, f"{server.url}/?collection=walls", form) as page:
        expect(page.locator(".try button").first).to_be_visible()
        check(page, tmp_path, "start")
        page.get_by_role("combobox").press_sequentially("a re")
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.press("ArrowDown")
        check(page, tmp_path, "suggestions")
        search(page, "painted zzwall wall")
        page.get_by_role("button", name="wall", exact=True).focus()
        expect(page.locator(".card svg:has(rect.lit)")).to_have_count(4)
        check(page, tmp_path, "hits")
        page.locator(".open").first.click()
        expect(page.get_by_role("dialog").locator(".regions button").filter(has_text="a part3")).to_be_visible()
        check(page, tmp_path, "photo")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Filter").click()
        check(page, tmp_path, "filters")
        drop(page, walls / "blue.png")
        page.locator(".sentences .word").first.focus()
        check(page, tmp_path, "sentences")


@pytest.mark.parametrize("form", FORMS)
def test_what_opens_above_the_page_fits_and_is_accessible(
    chromium: Browser, server: Server, tmp_path: Path, form: str
) -> None:
    with opened(chromium, f"{server.url}/?collection=a/b", form) as page:
        expect(page.get_by_text("dvsa index ~/Pictures --collection a/b")).to_be_visible()
        check(page, tmp_path, "empty")
        _open(page, "Keys and help")
        check(page, tmp_path, "keys")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Collection: a/b").click()
        check(page, tmp_path, "collections")
        page.get_by_role("button", name="Delete walls").click()
        expect(page.get_by_role("alertdialog")).to_contain_text("Delete “walls”?")
        check(page, tmp_path, "question")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog").get_by_text("walls")).to_be_visible()  # it was kept
        page.keyboard.press("Escape")
        _open(page, "Add photos")
        check(page, tmp_path, "upload")


def test_a_home_without_collections_says_what_to_do(chromium: Browser, tmp_path: Path) -> None:
    with (
        serving([sys.executable, "-m", "tests.api.http.tiny_server", tmp_path]) as server,
        opened(chromium, server.url) as page,
    ):
        expect(page.get_by_text("Nothing has been indexed yet")).to_be_visible()
        check(page, tmp_path, "nothing")
        page.get_by_role("button", name="Add photos").last.click()
        expect(page.get_by_label("Collection", exact=True)).to_have_value("photos")


def test_a_damaged_collection_says_so_above_what_the_state_before_finds(chromium: Browser, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(2):
        workspace.photo(f"{number}.png", number)
        workspace.index()
    shutil.rmtree(workspace.settings.collection_directory(1) / workspace.snapshots()[-1] / "regions")
    with (
        serving([sys.executable, "-m", "tests.api.http.tiny_server", workspace.settings.home]) as server,
        opened(chromium, f"{server.url}/?collection=test") as page,
    ):
        search(page, "red wall")
        expect(page.locator("#warnings")).to_contain_text("dvsa verify --repair --collection test")
        expect(page.locator(".card")).to_have_count(1)
        check(page, tmp_path, "damaged")
        page.get_by_role("button", name="Clear the search").first.click()
        expect(page.locator("#warnings")).to_be_hidden()


def _open(page: Page, name: str) -> None:
    page.locator("header").get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog")).to_be_visible()
