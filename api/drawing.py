"""Drawing with Pillow: a photo with the boxes of words on it, and lines of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from engine.alignment import WordRegion

Colour = tuple[int, int, int]
Rectangle = tuple[float, float, float, float]

PAPER: Colour = (255, 255, 255)
INK: Colour = (28, 32, 38)
PALE: Colour = (120, 127, 138)
RULE: Colour = (226, 229, 234)
COLOURS: tuple[Colour, ...] = (  # distinct on photos and on paper, also for most colour-blind eyes
    (214, 39, 40),
    (20, 110, 200),
    (0, 140, 90),
    (224, 120, 0),
    (128, 60, 170),
    (0, 150, 170),
    (200, 30, 130),
    (125, 90, 20),
)
DRAWN_WORDS = len(COLOURS)
_PLAIN = """a an the and or but of in on at to by for with from as is are was were be being been it its it's that this
these those there their his her he she they them who which while into onto over under near next up down out off"""
PLAIN_WORDS = frozenset(_PLAIN.split())
"""Words of no picture; drawn only where a sentence has no other."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at a size in pixels."""
    return ImageFont.load_default(size=size)


def drawn_words(words: Sequence[WordRegion]) -> list[WordRegion]:
    """Choose the words whose boxes are worth drawing, in order, at most one per colour."""
    telling = [word for word in words if word.word not in PLAIN_WORDS] or list(words)
    firsts = list({word.word: word for word in telling}.values())
    strongest = sorted(firsts, key=lambda word: -word.product)[:DRAWN_WORDS]
    return [word for word in firsts if word in strongest]


def word_colours(words: Sequence[WordRegion]) -> dict[str, Colour]:
    """Give each drawn word a colour."""
    return {word.word: colour for word, colour in zip(drawn_words(words), COLOURS, strict=False)}


def photo_with_words(
    photo: npt.NDArray[np.uint8], words: Sequence[WordRegion], size: tuple[int, int], text_size: int = 13
) -> Image.Image:
    """Scale a photo into a size and draw each word's box and name on it.

    Args:
        photo: upright RGB, uint8 (height, width, 3).
        words: words and boxes in pixels of the photo.
        size: the most width and height of the result; a small photo is not enlarged more than three times.
        text_size: of the names, in pixels.
    """
    height, width = photo.shape[:2]
    scale = min(size[0] / width, size[1] / height, 3.0)
    picture = Image.fromarray(photo).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.LANCZOS
    )
    colours = word_colours(words)
    draw = ImageDraw.Draw(picture)
    boxes = [_scaled(word.box, scale, picture.size) for word in drawn_words(words)]
    labels = _Labels(draw, picture.size, text_size)
    for number, (word, box) in enumerate(zip(drawn_words(words), boxes, strict=True)):
        inset = 3 * sum(box == earlier for earlier in boxes[:number])  # one inside the other where words share a box
        frame = (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset)
        if frame[2] - frame[0] < 4 or frame[3] - frame[1] < 4:
            frame = box
        draw.rectangle(frame, outline=colours[word.word], width=2)
    for word, box in zip(drawn_words(words), boxes, strict=True):
        labels.place(word.word, box, colours[word.word])
    return picture


def text_width(text: str, size: int) -> float:
    """Width of a text in pixels."""
    return font(size).getlength(text)


@dataclass(frozen=True)
class Word:
    """A word to write, with its colour."""

    text: str
    colour: Colour


def coloured(text: str, words: Sequence[WordRegion], unknown: Sequence[str] = ()) -> list[Word]:
    """Cut a text at its blanks; each piece has the colour of the word in it, pale where the model does not know it."""
    colours = word_colours(words)
    pieces, place = [], 0
    for piece in text.split():
        start = text.index(piece, place)
        place = start + len(piece)
        inside = [word.word for word in words if start <= word.start < place and word.word in colours]
        plain = PALE if piece.strip(".,;:!?").lower() in unknown else INK
        pieces.append(Word(piece, colours[inside[0]] if inside else plain))
    return pieces


def write_words(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], pieces: Sequence[Word], size: int, width: float, lines: int = 3
) -> float:
    """Write words in lines of a width, what does not fit the lines as an ellipsis; returns the height used."""
    left, top = at
    x, y, blank, line_height = left, top, text_width(" ", size), round(size * 1.35)
    for piece in pieces:
        text = fitted(piece.text, size, width)
        if x > left and x + text_width(text, size) > left + width:
            if y + line_height >= top + lines * line_height:
                draw.text((x, y), "...", fill=INK, font=font(size))
                break
            x, y = left, y + line_height
        draw.text((x, y), text, fill=piece.colour, font=font(size))
        x += text_width(text, size) + blank
    return y + line_height - top


def fitted(text: str, size: int, width: float) -> str:
    """Shorten a text to a width with an ellipsis."""
    if text_width(text, size) <= width:
        return text
    text = text[: int(width)]
    while text and text_width(text + "...", size) > width:
        text = text[:-1]
    return text + "..."


class _Labels:
    """Names beside their boxes, inside the picture, none over another."""

    def __init__(self, draw: ImageDraw.ImageDraw, picture: tuple[int, int], size: int) -> None:
        self._draw, self._picture, self._size = draw, picture, size
        self._taken: list[Rectangle] = []

    def place(self, name: str, box: Rectangle, colour: Colour) -> None:
        """Write a name at the first free place: the box's corners, then anywhere; not at all in a full picture."""
        name = fitted(name, self._size, self._picture[0] - 10)
        width, height = text_width(name, self._size) + 6, self._size + 4
        for x, y in self._places(box, width, height):
            spot = (x, y, x + width, y + height)
            if x < 0 or y < 0 or spot[2] > self._picture[0] or spot[3] > self._picture[1]:
                continue
            if any(_overlap(spot, other) for other in self._taken):
                continue
            self._taken.append(spot)
            self._draw.rectangle(spot, fill=colour)
            self._draw.text((x + 3, y + height / 2), name, fill=PAPER, font=font(self._size), anchor="lm")
            return

    def _places(self, box: Rectangle, width: float, height: float) -> list[tuple[float, float]]:
        left, top, right, bottom = box
        corners = [(left, top - height), (left, top), (right - width, top), (left, bottom - height)]
        corners += [(right - width, bottom - height), (right - width, top - height), (left, bottom)]
        within = [(left, top + step * (height + 1)) for step in range(1, int((bottom - top) // (height + 1)))]
        anywhere = [
            (x, y)
            for x in (0, self._picture[0] - width)
            for y in np.arange(0, self._picture[1] - height, height + 1).tolist()
        ]
        return corners + within + sorted(anywhere, key=lambda spot: abs(spot[0] - left) + abs(spot[1] - top))


def _scaled(box: Rectangle, scale: float, picture: tuple[int, int]) -> Rectangle:
    x0, y0, x1, y1 = (edge * scale for edge in box)
    x0, y0 = min(max(x0, 0), picture[0] - 1), min(max(y0, 0), picture[1] - 1)
    return (x0, y0, max(x0, min(x1, picture[0]) - 1), max(y0, min(y1, picture[1]) - 1))


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
