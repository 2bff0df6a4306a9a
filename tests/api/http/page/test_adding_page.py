"""Adding photos on the web page, with a real worker, and what can be done with them then."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from engine.settings import Settings
from indexer.index import index_paths
from tests.api.http.page.browser import check, drop, opened, search
from tests.api.http.server_process import Server, serving
from tests.api.http.working_server import SLOW_WIDTH
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

MANY = 80  # photos; more than two pages show, and the worker takes seconds for them
WAIT = 90_000  # milliseconds that a job may take; its worker loads torch first


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory, walls: Path) -> Iterator[Server]:
    """A server with a worker, over a home that these tests change."""
    home = tmp_path_factory.mktemp("working home")
    index_paths([walls], "walls", TinyEncoder(), Settings(home=home, database_url=None), captioner=TinyCaptioner())
    with serving([sys.executable, "-m", "tests.api.http.working_server", home]) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, working: Server) -> Iterator[Page]:
    """The page over that home."""
    with opened(chromium, f"{working.url}/?collection=walls") as made:
        expect(made.locator("#status")).to_have_text("4 photos · 8 sentences")
        yield made


@pytest.fixture(scope="module")
def slow_photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photos that the worker takes some seconds for."""
    folder = tmp_path_factory.mktemp("slow")
    paths = [folder / f"slow{number}.png" for number in range(MANY)]
    for number, path in enumerate(paths):
        Image.new("RGB", (SLOW_WIDTH, 24), (200, 3 * number, 40)).save(path)
    return paths


def add(page: Page, photos: list[Path], collection: str, tags: str = "") -> None:
    """Add photos by the dialog."""
    page.locator("#add").click()
    page.get_by_label("Choose photos, or drop them here").set_input_files(photos)
    page.get_by_label("Collection", exact=True).fill(collection)
    page.get_by_label("Tags", exact=True).fill(tags)
    page.get_by_role("dialog").get_by_role("button", name=f"Add {len(photos)} photo").click()


def test_added_photos_are_indexed_live_and_found_by_their_tags(page: Page, walls: Path, tmp_path: Path) -> None:
    add(page, [walls / "red.png", walls / "blue.png"], "trip", "wall, summer")
    expect(page.locator(".task")).to_contain_text("Adding photos to trip")
    expect(page.locator(".task")).to_contain_text("Done, 2 added", timeout=WAIT)
    check(page, tmp_path, "added")
    page.locator(".task").get_by_role("button", name="Close").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.get_by_role("button", name="Collection: walls").click()
    page.get_by_role("dialog").get_by_role("button", name="trip 2 photos").click()
    expect(page.locator(".card")).to_have_count(2)
    page.locator(".open").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Add a tag").fill("first")
    page.keyboard.press("Enter")
    expect(dialog.locator(".chip")).to_have_text(["first", "summer", "wall"])
    dialog.get_by_role("button", name="Remove the tag wall").click()
    expect(dialog.locator(".chip")).to_have_text(["first", "summer"])
    check(page, tmp_path, "tags")


def test_a_running_job_is_shown_after_a_reload_cancelled_and_resumed(
    page: Page, slow_photos: list[Path], tmp_path: Path
) -> None:
    add(page, slow_photos, "slow")
    task = page.locator(".task")
    expect(task).to_contain_text("Looking at the photos", timeout=WAIT)
    page.reload()
    expect(task).to_contain_text("Adding photos to slow")
    task.get_by_role("button", name="Cancel").click()
    expect(task).to_contain_text("Cancelled", timeout=WAIT)
    check(page, tmp_path, "cancelled")
    task.get_by_role("button", name="Resume").click()
    expect(task).to_contain_text("Looking at the photos", timeout=WAIT)
    check(page, tmp_path, "indexing")
    expect(task).to_contain_text("Done", timeout=WAIT)


def test_more_photos_and_more_hits_come_page_by_page(page: Page, slow_photos: list[Path]) -> None:
    page.goto(page.url.replace("walls", "slow"))
    expect(page.locator(".card")).to_have_count(24)
    page.get_by_role("button", name="More").click()
    expect(page.locator(".card")).to_have_count(48)
    expect(page.locator(".open").nth(24)).to_be_focused()
    search(page, "painted wall")
    expect(page.locator("#status")).to_have_text("24 photos, there are more")
    page.get_by_role("button", name="More").click()
    expect(page.locator(".score")).to_have_count(48)
    expect(page.locator("#status")).to_have_text("48 photos, there are more")


def test_what_is_no_photo_is_told_and_can_be_tried_again(chromium: Browser, working: Server, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_bytes(b"Dear Sir or Madam")
    with opened(chromium, f"{working.url}/?collection=walls", expected=(422,)) as page:
        add(page, [tmp_path / "letter.png"], "walls")
        task = page.locator(".task.failed")
        expect(task).to_contain_text("letter.png")
        check(page, tmp_path, "refused")
        task.get_by_role("button", name="Try again").click()
        expect(task).to_contain_text("letter.png")
        task.get_by_role("button", name="Close").click()
        expect(page.locator("#tray")).to_be_hidden()


def test_several_dropped_photos_are_offered_to_be_added(page: Page, walls: Path) -> None:
    drop(page, walls / "red.png", walls / "grey.png")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Add 2 photos")).to_be_enabled()
    expect(dialog.get_by_label("Collection", exact=True)).to_have_value("walls")


def test_a_collection_is_made_chosen_and_deleted(page: Page) -> None:
    page.get_by_role("button", name="Collection: walls").click()
    dialog = page.locator("#collections")
    dialog.get_by_label("New collection").fill("empty/one")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("“empty/one” holds no photos")).to_be_visible()
    page.get_by_role("button", name="Collection: empty/one").click()
    dialog.get_by_role("button", name="Delete empty/one").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Keep").click()
    dialog.get_by_role("button", name="Delete empty/one").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(dialog.get_by_text("empty/one")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".card").first).to_be_visible()  # another collection is shown


def test_a_collection_that_is_there_is_not_made_again(chromium: Browser, working: Server) -> None:
    with opened(chromium, f"{working.url}/?collection=walls", expected=(409,)) as page:
        page.get_by_role("button", name="Collection: walls").click()
        page.get_by_label("New collection").fill("walls")
        page.keyboard.press("Enter")
        expect(page.locator("#collections").get_by_role("alert")).to_contain_text("walls")


def test_a_search_goes_on_while_photos_are_added(page: Page, slow_photos: list[Path]) -> None:
    add(page, slow_photos[:10], "slow2")
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator(".task")).to_contain_text("Done", timeout=WAIT)
    expect(page.locator(".score")).to_have_count(4)  # what is read now stays
