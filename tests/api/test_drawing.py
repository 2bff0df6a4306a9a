from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from api import drawing
from api.drawing import coloured, drawn_words, fitted, photo_with_words, text_width, word_colours, write_words
from api.output import printable
from api.plots import CAPTION_LINES, alignment_picture, answer_row, caption_picture, contact_sheet
from engine.alignment import Box, WordRegion
from engine.captioner import RegionCaption
from engine.fragments import Kind
from engine.search import Answer, Hit
from model.captions.caption import Caption


def words_of(text: str, boxes: list[Box]) -> list[WordRegion]:
    words, place = [], 0
    for number, word in enumerate(text.split()):
        start = text.index(word, place)
        place = start + len(word)
        words.append(WordRegion(word.lower(), start, place, boxes[number % len(boxes)], 1.0 / (number + 1)))
    return words


def grey(width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def test_words_of_no_picture_are_not_drawn_unless_there_is_no_other() -> None:
    box: Box = (0, 0, 10, 10)
    assert [word.word for word in drawn_words(words_of("A dog on the grass", [box]))] == ["dog", "grass"]
    assert [word.word for word in drawn_words(words_of("on the", [box]))] == ["on", "the"]
    many = words_of("one two three four five six seven eight nine ten", [box])
    assert len(word_colours(many)) == len(set(word_colours(many).values())) == drawing.DRAWN_WORDS


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (500, 2), (640, 480)])
def test_labels_stay_inside_and_never_overlap(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    spots: list[drawing.Rectangle] = []
    place = drawing._Labels.place

    def watched(self: drawing._Labels, name: str, box: drawing.Rectangle, colour: drawing.Colour) -> None:
        place(self, name, box, colour)
        spots[:] = self._taken

    monkeypatch.setattr(drawing._Labels, "place", watched)
    words = words_of("dog grass ball boy runs", [(0, 0, size[0], size[1])])
    picture = photo_with_words(grey(*size), words, (236, 178))
    assert picture.width <= 236
    assert picture.height <= 178
    for number, spot in enumerate(spots):
        assert 0 <= spot[0] <= spot[2] <= picture.width
        assert 0 <= spot[1] <= spot[3] <= picture.height
        assert not any(drawing._overlap(spot, other) for other in spots[:number])
    if size == (640, 480):
        assert len(spots) == 5


def test_a_box_is_drawn_in_the_colour_of_its_word() -> None:
    words = words_of("dog", [(10.0, 20.0, 60.0, 80.0)])
    picture = photo_with_words(grey(100, 100), words, (100, 100))
    assert picture.getpixel((10, 50)) == word_colours(words)["dog"]
    assert picture.getpixel((35, 50)) == (128, 128, 128)


def test_text_is_cut_to_its_room() -> None:
    assert fitted("short", 13, 500) == "short"
    assert text_width(fitted("a very long name of a file.jpg", 13, 90), 13) <= 90
    draw = ImageDraw.Draw(Image.new("RGB", (200, 200)))
    assert write_words(draw, (0, 0), coloured("word " * 400, []), 20, 200, lines=2) <= 2 * 27


def test_answers_become_rows_of_one_sheet() -> None:
    words = words_of("dog", [(0.0, 0.0, 5.0, 5.0)])
    gone = [Hit(rank, rank, 1.0, "c", path=f"/gone/{rank}.jpg", width=9, height=9, words=words) for rank in range(1, 8)]
    told = [
        Hit(1, 1, 1.0, "c", text="Dog runs", document="d", words=words),
        Hit(2, 2, 0.5, "c", text="x", document="d"),
    ]
    rows = [
        answer_row(Answer("a dog", "images", ("c",), [], gone)),
        answer_row(Answer("a dog", "sentences", ("c",), [], told)),
        answer_row(Answer("p.jpg", "sentences", ("c",), [], told), grey(60, 90)),
        answer_row(Answer("p.jpg", "images", ("c",), [], gone), grey(90, 60)),
        answer_row(Answer("nothing", "images", ("c",), [], [])),
    ]
    assert len({row.width for row in rows}) == 1
    assert contact_sheet("Title", "subtitle", rows).height > sum(row.height for row in rows)
    assert alignment_picture(grey(4000, 30), "Dog " * 500, words).width < 1000


def test_captions_stand_below_the_photos() -> None:
    hits = [Hit(rank, rank, 1.0, "c", path=f"/gone/{rank}.jpg", width=9, height=9) for rank in range(1, 8)]
    said = [replace(hit, caption="a dog runs " * hit.rank) for hit in hits]
    plain = answer_row(Answer("a dog", "images", ("c",), [], hits))
    captioned = answer_row(Answer("a dog", "images", ("c",), [], said))
    assert (captioned.width, captioned.height) == (plain.width, plain.height + 2 * 18 * CAPTION_LINES)
    above = 44 + 178 + 26  # the query, the photos, their names
    assert (np.array(captioned)[:above] == np.array(plain)[:above]).all()
    assert (np.array(captioned)[above : above + 18 * CAPTION_LINES] < 100).any()


@pytest.mark.parametrize("target", ["images", "sentences"])
def test_the_caption_of_a_query_photo_stands_below_it(target: Kind) -> None:
    photo = grey(90, 60)
    plain = answer_row(Answer("p.jpg", target, ("c",), [], []), photo)
    captioned = answer_row(Answer("p.jpg", target, ("c",), [], [], caption="two dogs run on grass " * 9), photo)
    assert captioned.height > plain.height
    below = np.array(captioned)[4 + 180 :]
    assert (below < 100).any()
    assert (below[-2:] == 255).all()  # nothing is cut off


def test_regions_are_drawn_with_their_captions_the_first_of_them_where_there_are_many() -> None:
    whole = Caption(("two", "dogs", "run"), -3.0)
    boxes: list[Box] = [(40.0 * number, 10.0, 40.0 * number + 30, 90.0) for number in range(12)]
    regions = [RegionCaption(box, Caption(("dog", str(n)), -9.0)) for n, box in enumerate(boxes)]
    picture = np.array(caption_picture(grey(480, 100), whole, regions))
    alone = np.array(caption_picture(grey(480, 100), whole, []))
    assert picture.shape == alone.shape
    drawn = [tuple(colour) in {tuple(c) for c in picture.reshape(-1, 3)} for colour in drawing.COLOURS]
    assert all(drawn)
    changed = np.nonzero((picture != alone).any(axis=(0, 2)))[0]
    scale = 900 / 480
    assert changed.max() - (picture.shape[1] - 900) // 2 < boxes[drawing.DRAWN_WORDS][0] * scale
    assert (picture[-60:] == alone[-60:]).all()  # the photo's own caption


@pytest.mark.parametrize(
    ("text", "expected"), [("naïve 犬", "naïve 犬"), ("a\nb\x1b[1m", "a\\nb\\x1b[1m"), ("bad\udcff", "bad\\udcff")]
)
def test_what_would_break_a_terminal_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected
