"""The page of a server that wants a key."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.catalogue.keys import ApiKeys
from tests.api.http.page.browser import FORMS, check, opened, search
from tests.api.http.server_process import Server


@pytest.fixture(params=FORMS)
def page(request: pytest.FixtureRequest, chromium: Browser, locked: Server) -> Iterator[Page]:
    with opened(chromium, f"{locked.url}/?collection=walls", request.param, expected=(401,)) as made:
        expect(made.get_by_role("dialog")).to_contain_text("This server wants a key")
        yield made


def give(page: Page, key: str) -> None:
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Open").click()


def test_a_key_opens_the_page_and_is_forgotten_when_asked(page: Page, keys: ApiKeys, tmp_path: Path) -> None:
    check(page, tmp_path, "key")
    give(page, "dvsa_wrong")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("no API key")
    check(page, tmp_path, "wrong key")
    give(page, keys.create(uuid.uuid4().hex, "write"))
    expect(page.locator(".card .frame.loaded")).to_have_count(4)  # images come with the cookie
    expect(page.locator("#add")).to_be_visible()
    page.reload()
    expect(page.locator(".card")).to_have_count(4)
    page.locator("#help").click()
    page.get_by_role("button", name="Forget my key").click()
    expect(page.get_by_role("dialog")).to_contain_text("This server wants a key")


def test_a_key_that_may_only_read_shows_nothing_that_changes(page: Page, keys: ApiKeys) -> None:
    give(page, keys.create(uuid.uuid4().hex, "read"))
    expect(page.locator(".card")).to_have_count(4)  # the page is open
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator("#add")).to_be_hidden()
    page.get_by_role("button", name="Collection: walls").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="walls")).to_have_count(1)  # no button that deletes it
    expect(dialog.get_by_label("New collection")).to_be_hidden()


def test_a_key_that_is_revoked_is_asked_for_again(page: Page, keys: ApiKeys) -> None:
    name = uuid.uuid4().hex
    give(page, keys.create(name, "read"))
    expect(page.locator(".card")).to_have_count(4)
    keys.revoke(name)
    search(page, "painted wall")
    give(page, keys.create(uuid.uuid4().hex, "read"))
    expect(page.locator(".score")).to_have_count(4)  # the search went on
    page.get_by_role("combobox").fill("")
    assert page.locator("#error").is_hidden()


def test_without_a_key_the_page_says_so(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("alert").first).to_contain_text("Without a key this server shows nothing")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog")).to_contain_text("This server wants a key")
