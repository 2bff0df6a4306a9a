"""Pictures of answers: a row per query, the hits with the boxes of the words."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from api.drawing import (
    INK,
    PALE,
    PAPER,
    RULE,
    Word,
    coloured,
    fitted,
    font,
    photo_with_words,
    text_width,
    write_words,
)
from engine.alignment import WordRegion
from engine.captioner import RegionCaption
from engine.exceptions import StorageError
from engine.search import Answer, Hit
from model.captions.caption import Caption
from model.exceptions import PhotoError
from model.photo import load_photo

MARGIN = 28
GAP = 14
CELL = (236, 178)  # width and height that a hit's photo may take
ACROSS = 5  # photos side by side
WIDTH = 2 * MARGIN + ACROSS * CELL[0] + (ACROSS - 1) * GAP
QUERY_PHOTO = (400, 300)
CAPTION_LINES = 2  # under the photo of a hit
MOST_DRAWN = 25  # hits of one answer


def answer_row(answer: Answer, photo: npt.NDArray[np.uint8] | None = None) -> Image.Image:
    """Draw the answer of one search, at most 25 hits.

    Args:
        answer: what was found.
        photo: the query photo, upright RGB, uint8 (height, width, 3); None for a text.
    """
    if photo is None:
        words = [word for hit in answer.hits[:1] for word in hit.words]
        title = Image.new("RGB", (WIDTH, 44), PAPER)
        draw = ImageDraw.Draw(title)
        write_words(
            draw, (MARGIN, 12), coloured(answer.query, words, answer.not_understood), 22, WIDTH - 2 * MARGIN, lines=1
        )
        return stacked([title, _hits(answer)])
    return _photo_query(answer, photo)


def alignment_picture(photo: npt.NDArray[np.uint8], sentence: str, words: Sequence[WordRegion]) -> Image.Image:
    """Draw a photo with the boxes of a sentence's words, the sentence below in their colours."""
    return _with_line_below(photo_with_words(photo, words, (900, 700), text_size=16), coloured(sentence, words))


def caption_picture(photo: npt.NDArray[np.uint8], caption: Caption, regions: Sequence[RegionCaption]) -> Image.Image:
    """Draw a photo with the boxes and captions of the first of its regions, its own caption below."""
    named = [WordRegion(one.caption.text, 0, 0, one.box, -place) for place, one in enumerate(regions)]
    return _with_line_below(photo_with_words(photo, named, (900, 700), text_size=16), coloured(caption.text, []))


def contact_sheet(title: str, subtitle: str, rows: Sequence[Image.Image]) -> Image.Image:
    """Put answers below each other under a title."""
    head = Image.new("RGB", (WIDTH, 92), PAPER)
    draw = ImageDraw.Draw(head)
    draw.text((MARGIN, 24), title, fill=INK, font=font(30))
    draw.text((MARGIN, 64), fitted(subtitle, 15, WIDTH - 2 * MARGIN), fill=PALE, font=font(15))
    parts = [head]
    for row in rows:
        rule = Image.new("RGB", (WIDTH, 17), PAPER)
        ImageDraw.Draw(rule).line((MARGIN, 8, WIDTH - MARGIN, 8), fill=RULE, width=2)
        parts += [rule, row]
    return stacked([*parts, Image.new("RGB", (WIDTH, MARGIN), PAPER)])


def stacked(parts: Sequence[Image.Image]) -> Image.Image:
    """Put pictures below each other on paper."""
    page = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG file.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, format="PNG")
    except OSError as error:
        raise StorageError(f"the picture {path} cannot be written: {error.strerror or error}") from error


def _with_line_below(picture: Image.Image, words: Sequence[Word]) -> Image.Image:
    """Put a picture on paper and a sentence below it."""
    width = max(picture.width, 480)
    page = Image.new("RGB", (width + 2 * MARGIN, picture.height + 2 * MARGIN + 110), PAPER)
    page.paste(picture, ((page.width - picture.width) // 2, MARGIN))
    at = (MARGIN, MARGIN + picture.height + 18)
    height = write_words(ImageDraw.Draw(page), at, words, 22, width, lines=3)
    return page.crop((0, 0, page.width, round(at[1] + height + MARGIN / 2)))


def _hits(answer: Answer) -> Image.Image:
    """Hits as photos, five across, or as lines of text."""
    hits = answer.hits[:MOST_DRAWN]
    if answer.target == "sentences":
        return _sentences(hits, WIDTH)
    rows = [_photo_hits(hits[first : first + ACROSS]) for first in range(0, len(hits), ACROSS)]
    return stacked(rows or [Image.new("RGB", (WIDTH, GAP), PAPER)])


def _photo_hits(hits: Sequence[Hit]) -> Image.Image:
    """Up to five photos side by side, their ranks, names, scores and captions below them."""
    pictures = [_photo_hit(hit) for hit in hits]
    height = max(picture.height for picture in pictures)
    captioned = any(hit.caption for hit in hits)
    page = Image.new("RGB", (WIDTH, height + (CAPTION_LINES * 18 + 36 if captioned else 36)), PAPER)
    draw = ImageDraw.Draw(page)
    for number, (hit, picture) in enumerate(zip(hits, pictures, strict=True)):
        left, below = MARGIN + number * (CELL[0] + GAP), height + 6
        page.paste(picture, (left, height - picture.height))
        room = max(picture.width, CELL[0] // 2)
        name = fitted(f"{hit.rank}  {Path(hit.path or '').name}", 13, room - 44)
        draw.text((left, below), name, fill=INK, font=font(13))
        draw.text((left + room, below), f"{hit.score:.2f}", fill=PALE, font=font(13), anchor="ra")
        if hit.caption:
            write_words(draw, (left, below + 20), coloured(hit.caption, []), 13, CELL[0], lines=CAPTION_LINES)
    return page


def _photo_hit(hit: Hit) -> Image.Image:
    try:
        return photo_with_words(load_photo(Path(hit.path or "")), hit.words, CELL)
    except PhotoError as error:  # gone or changed since it was indexed; its neighbours are still worth drawing
        picture = Image.new("RGB", CELL, RULE)
        ImageDraw.Draw(picture).text((10, 10), f"the photo {error}", fill=PALE, font=font(13))
        return picture


def _photo_query(answer: Answer, photo: npt.NDArray[np.uint8]) -> Image.Image:
    """The query photo with the boxes of the best sentence on the left, what was found on the right or below."""
    words = [word for hit in answer.hits[:1] for word in hit.words]
    picture = photo_with_words(photo, words, QUERY_PHOTO)
    side = Image.new("RGB", (WIDTH, picture.height + GAP + (40 if answer.caption else 0)), PAPER)
    side.paste(picture, (MARGIN, 4))
    if answer.caption:
        below = (MARGIN, picture.height + 10)
        write_words(ImageDraw.Draw(side), below, coloured(answer.caption, []), 13, picture.width, CAPTION_LINES)
    if answer.target == "images":
        return stacked([side, _hits(answer)])
    left = MARGIN + picture.width
    found = _sentences(answer.hits[:MOST_DRAWN], WIDTH - left)
    page = Image.new("RGB", (WIDTH, max(side.height, found.height)), PAPER)
    page.paste(side, (0, 0))
    page.paste(found, (left, 4))
    return page


def _sentences(hits: Sequence[Hit], width: int) -> Image.Image:
    """Sentences with their scores; the words of the first in the colours of their boxes."""
    line = 50
    page = Image.new("RGB", (width, len(hits) * line + GAP), PAPER)
    draw = ImageDraw.Draw(page)
    for number, hit in enumerate(hits):
        top = number * line
        score = f"{hit.score:.2f}"
        draw.text((MARGIN, top + 3), f"{hit.rank}", fill=PALE, font=font(15))
        draw.text((width - MARGIN, top + 3), score, fill=PALE, font=font(15), anchor="ra")
        room = width - 2 * MARGIN - 24 - text_width(score, 15) - 16
        pieces = coloured(hit.text or "", hit.words if number == 0 else [])
        write_words(draw, (MARGIN + 24, top), pieces, 18, room, lines=2)
    return page
