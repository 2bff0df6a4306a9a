"""Searches on the web page, in Chromium, over a server with the tiny encoder."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.api.http.page.browser import drop, opened, search
from tests.api.http.server_process import Server


def test_a_query_finds_photos_and_its_words_light_their_regions(page: Page) -> None:
    search(page, "painted zzwall wall")
    expect(page.locator("#status")).to_have_text("4 photos")
    expect(page.locator("#query")).to_contain_text("Not understood: zzwall")
    expect(page.locator(".card")).to_have_count(4)
    expect(page.locator("rect.lit")).to_have_count(1)  # that of the brand
    page.get_by_role("button", name="painted", exact=True).hover()
    expect(page.locator(".card svg:has(rect.lit)")).to_have_count(4)
    page.mouse.move(0, 0)
    expect(page.locator(".card svg:has(rect.lit)")).to_have_count(0)
    page.get_by_role("button", name="wall", exact=True).focus()
    expect(page.locator(".card svg:has(rect.lit)")).to_have_count(4)
    page.keyboard.press("Enter")
    page.get_by_role("combobox").focus()
    expect(page.locator(".card svg:has(rect.lit)")).to_have_count(4)  # it was kept lit


def test_a_region_of_a_hit_shows_its_words_and_its_caption(page: Page) -> None:
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    frame = page.locator(".card .frame").first
    frame.hover(position={"x": 30, "y": 30})
    label = frame.locator(".region-label")
    frame.hover(position={"x": 30, "y": 200})
    lit = {name for name in ("painted", "wall") if name in label.inner_text()} if label.is_visible() else set()
    assert set(page.locator("#query .word.lit").all_inner_texts()) == lit
    page.wait_for_timeout(500)  # the mouse rests; the captions are asked for
    frame.hover(position={"x": 40, "y": 190})
    page.mouse.move(0, 0)
    frame.hover(position={"x": 30, "y": 200})
    expect(label).to_contain_text("a part2")  # the lower left quarter


def test_suggestions_are_chosen_by_keys_or_by_mouse(page: Page) -> None:
    box = page.get_by_role("combobox")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    box.press_sequentially("a re")
    options = page.get_by_role("option")
    expect(options).to_have_text(["a red", "A red wall."])
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(box).to_have_value("A red wall.")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-1")
    box.press("ArrowDown")
    expect(box).to_have_value("a re")  # what was typed comes back
    box.press("Escape")
    expect(options).to_have_count(0)
    box.press_sequentially("d")
    options.filter(has_text="A red wall.").click()
    expect(box).to_have_value("A red wall.")
    expect(page.locator("#status")).to_have_text("4 photos")


def test_an_example_is_searched_by_a_click(page: Page) -> None:
    example = page.locator(".try button").first
    text = example.inner_text()
    example.click()
    expect(page.get_by_role("combobox")).to_have_value(text)
    expect(page.locator(".score")).to_have_count(4)


def test_a_dropped_photo_finds_sentences_with_their_boxes(page: Page, walls: Path) -> None:
    drop(page, walls / "blue.png")
    expect(page.locator("#status")).to_have_text("8 sentences")
    expect(page.locator("#results figcaption")).to_contain_text("Your photo")
    page.locator(".sentences .word").first.hover()
    expect(page.locator("#results rect.lit")).to_have_count(1)
    page.get_by_label("Photos", exact=True).check()
    expect(page.locator("#results .card")).to_have_count(4)
    expect(page.locator("#query .asked img")).to_have_count(1)
    page.locator("#query").get_by_role("button", name="Clear the search").click()
    expect(page.locator("#status")).to_have_text("4 photos · 8 sentences")


def test_a_pasted_or_chosen_photo_is_searched_by(page: Page, walls: Path) -> None:
    page.get_by_label("Search by a photo").set_input_files(walls / "red.png")
    expect(page.locator("#status")).to_have_text("8 sentences")
    page.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["no photo"], "a.txt", { type: "text/plain" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried }));
        }"""
    )
    expect(page.get_by_role("alert").first).to_contain_text("This is not a photo")


def test_sentences_are_found_by_text(page: Page) -> None:
    page.get_by_label("Sentences", exact=True).check()
    search(page, "a blue wall")
    expect(page.locator(".sentences li").first).to_contain_text("A blue wall.")


def test_a_search_is_reloaded_and_gone_back_to(page: Page) -> None:
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    page.reload()
    expect(page.get_by_role("combobox")).to_have_value("painted wall")
    expect(page.locator(".score")).to_have_count(4)
    page.go_back()
    expect(page.get_by_role("combobox")).to_have_value("")
    expect(page.locator(".score")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(4)


def test_the_arrow_keys_lead_from_photo_to_photo(page: Page) -> None:
    photos = page.locator(".open")
    photos.first.focus()
    page.keyboard.press("ArrowRight")
    expect(photos.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(photos.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    row = photos.first.bounding_box()
    focused = page.locator(".open:focus").bounding_box()
    assert row is not None
    assert focused is not None
    assert focused["y"] > row["y"]


def test_the_colours_are_the_systems_or_those_that_were_chosen(page: Page) -> None:
    def colour() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = colour()
    page.emulate_media(color_scheme="dark")
    assert colour() != light
    page.get_by_role("button", name="Colours: system").click()
    assert colour() == light
    page.get_by_role("button", name="Colours: light").click()
    page.emulate_media(color_scheme="light")
    assert colour() != light
    page.reload()
    assert colour() != light
    page.get_by_role("button", name="Colours: dark").click()
    assert colour() == light


def test_an_error_is_one_sentence_and_can_be_tried_again(chromium: Browser, server: Server) -> None:
    with opened(chromium, f"{server.url}/?collection=walls", expected=(422,)) as page:
        search(page, "zzqq")
        alert = page.get_by_role("alert").first
        expect(alert).to_contain_text("knows none of the words")
        alert.get_by_role("button", name="Try again").click()
        expect(alert).to_contain_text("knows none of the words")
        search(page, "wall")
        expect(alert).to_be_hidden()
        expect(page.locator(".score")).to_have_count(4)


def test_an_unknown_collection_in_the_address_is_told(chromium: Browser, server: Server) -> None:
    with opened(chromium, f"{server.url}/?collection=none", expected=(404,)) as page:
        expect(page.get_by_role("alert").first).to_contain_text("There is no collection 'none'")


def test_filters_hold_until_they_are_cleared(page: Page) -> None:
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Tags, all of").fill("nowhere, summer")
    page.get_by_label("Taken from").fill("2024-01-01")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Nothing found with these filters")).to_be_visible()
    expect(page.locator("#filter-count")).to_have_text("3")
    page.reload()
    expect(page.get_by_label("Tags, all of")).to_have_value("nowhere, summer")
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator("#filter-count")).to_be_hidden()


def test_what_is_left_out_lowers_the_scores(page: Page) -> None:
    search(page, "painted wall")
    before = page.locator(".score").first
    score = before.inner_text()
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Leave out").fill("painted wall")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".score").first).not_to_have_text(score)
