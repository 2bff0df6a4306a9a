"""One photo on the web page: its regions, and a box drawn on it."""

from playwright.sync_api import Page, expect

from tests.api.http.page.browser import search


def test_a_hit_opens_and_closes_by_keyboard_and_asks_further(page: Page) -> None:
    search(page, "painted wall")
    expect(page.locator(".score")).to_have_count(4)
    page.locator(".open").first.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.locator(".word").filter(has_text="wall").hover()
    expect(dialog.locator("rect.lit")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(".open").first).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Photos like it").click()
    expect(page.locator("#results .card")).to_have_count(4)
    expect(page.locator("#query .asked img")).to_have_count(1)


def test_regions_are_told_with_their_words_and_captions_both_ways(page: Page) -> None:
    search(page, "painted wall")
    page.locator(".open").first.click()
    dialog = page.get_by_role("dialog")
    regions = dialog.locator(".regions button")
    expect(regions.filter(has_text="a part3")).to_have_count(1)
    regions.filter(has_text="a part3").focus()
    expect(dialog.locator(".region-label")).to_contain_text("a part3")
    expect(dialog.locator("rect.lit")).to_have_count(1)
    size = dialog.locator(".frame").bounding_box()
    assert size is not None
    dialog.locator(".frame").hover(position={"x": size["width"] * 0.25, "y": size["height"] * 0.25})
    expect(dialog.locator(".region-label")).to_contain_text("a part0")


def test_the_arrow_keys_turn_to_the_next_photo(page: Page) -> None:
    page.locator(".open").first.click()
    dialog = page.get_by_role("dialog")
    first = dialog.get_by_role("heading", level=2).inner_text()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading", level=2)).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("heading", level=2)).to_have_text(first)
    expect(dialog.get_by_role("button", name="The photo before")).to_have_count(0)


def test_a_box_drawn_with_the_mouse_is_searched_by(page: Page) -> None:
    page.locator(".open").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".frame.loaded")).to_be_visible()
    size = dialog.locator(".frame").bounding_box()
    assert size is not None
    page.mouse.move(size["x"] + 20, size["y"] + 20)
    page.mouse.down()
    page.mouse.move(size["x"] + size["width"] / 2, size["y"] + size["height"] / 2)
    page.mouse.up()
    dialog.get_by_role("button", name="Photos with this").click()
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator("#query")).to_contain_text("A part of")
    expect(page.locator("#query rect.lit")).to_have_count(1)
    assert "box=" in page.url
    page.reload()
    expect(page.locator("#query rect.lit")).to_have_count(1)
    page.get_by_label("Sentences", exact=True).check()
    expect(page.locator(".sentences li")).to_have_count(8)
    page.locator(".sentences .word").first.hover()
    expect(page.locator(".beside rect.lit")).to_have_count(1)


def test_a_box_is_drawn_moved_and_searched_by_with_keys(page: Page) -> None:
    page.locator(".open").first.click()
    page.get_by_role("button", name="Draw a box").press("Enter")
    box = page.locator(".drawing rect")
    before = [float(box.get_attribute(name) or 0) for name in ("x", "y", "width", "height")]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    after = [float(box.get_attribute(name) or 0) for name in ("x", "y", "width", "height")]
    assert after[0] > before[0]
    assert after[3] > before[3]
    assert after[1:3] == before[1:3]
    page.keyboard.press("Enter")
    expect(page.locator(".score")).to_have_count(4)
    expect(page.locator("#query")).to_contain_text("A part of")


def test_a_click_draws_no_box(page: Page) -> None:
    page.locator(".open").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".frame.loaded")).to_be_visible()
    dialog.locator(".drawing").click()
    expect(dialog.get_by_role("button", name="Photos with this")).to_be_hidden()
