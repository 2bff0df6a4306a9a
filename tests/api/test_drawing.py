import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from api import drawing
from api.drawing import coloured, drawn_words, fitted, photo_with_words, text_width, word_colours, write_words
from api.output import printable
from api.plots import alignment_picture, answer_row, contact_sheet
from engine.alignment import Box, WordRegion
from engine.search import Answer, Hit


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
    gone = [Hit(rank, rank, 1.0, path=f"/gone/{rank}.jpg", width=9, height=9, words=words) for rank in range(1, 8)]
    told = [Hit(1, 1, 1.0, text="Dog runs", document="d", words=words), Hit(2, 2, 0.5, text="x", document="d")]
    rows = [
        answer_row(Answer("a dog", "images", "c", [], gone)),
        answer_row(Answer("a dog", "sentences", "c", [], told)),
        answer_row(Answer("p.jpg", "sentences", "c", [], told), grey(60, 90)),
        answer_row(Answer("p.jpg", "images", "c", [], gone), grey(90, 60)),
        answer_row(Answer("nothing", "images", "c", [], [])),
    ]
    assert len({row.width for row in rows}) == 1
    assert contact_sheet("Title", "subtitle", rows).height > sum(row.height for row in rows)
    assert alignment_picture(grey(4000, 30), "Dog " * 500, words).width < 1000


@pytest.mark.parametrize(
    ("text", "expected"), [("naïve 犬", "naïve 犬"), ("a\nb\x1b[1m", "a\\nb\\x1b[1m"), ("bad\udcff", "bad\\udcff")]
)
def test_what_would_break_a_terminal_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected
