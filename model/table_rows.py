"""CSV and TSV tables of photo and sentence, one row each.

A first row that names its columns (see PHOTO_COLUMNS, SENTENCE_COLUMNS, SPLIT_COLUMNS) is a header and says which
columns hold what; without one there are two columns, photo and sentence.
"""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass

from model.photo import PHOTO_SUFFIXES

PHOTO_COLUMNS = frozenset({"file", "filename", "file_name", "filepath", "image", "image_name", "path", "photo"})
SENTENCE_COLUMNS = frozenset({"sentence", "caption", "comment", "text", "description"})
SPLIT_COLUMNS = frozenset({"split", "subset"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
# A quoted sentence may hold line breaks; a quote that is not closed after this many lines is a mistake in its row
MAX_LINES_OF_ROW = 20


@dataclass(frozen=True)
class Columns:
    """Which columns of a row hold what; `split` is None where no column says it."""

    photo: int = 0
    sentence: int = 1
    count: int = 2
    split: int | None = None


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: of its first line, from 1.
        photo: its name, as the table has it.
        sentence: as the table has it.
        split: as the table has it, "" where no column says it.
        problem: what is wrong with it, as the end of a sentence, and then nothing else is known of it; or None.
    """

    number: int
    photo: str = ""
    sentence: str = ""
    split: str = ""
    problem: str | None = None


def table_rows(path: str, data: bytes) -> Iterator[Row]:
    """Yield the rows of a table, malformed ones too, without the header and empty lines.

    Args:
        path: its suffix says whether it is TSV.
        data: the file.
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    delimiter = _delimiter(path, lines)
    header = _header(lines, delimiter)
    columns = header or Columns()
    for number, cells in _rows(lines, delimiter):
        if number == 1 and header is not None:
            continue
        problem = cells if isinstance(cells, str) else _problem(cells, columns)
        if problem is not None:
            yield Row(number, problem=problem)
        else:
            split = "" if columns.split is None else cells[columns.split].strip()
            yield Row(number, cells[columns.photo].strip(), cells[columns.sentence], split)


def names_its_columns(path: str, first_line: bytes) -> bool:
    """Whether a first line is a header of photo and sentence."""
    lines = [first_line.removeprefix(b"\xef\xbb\xbf")]
    return _header(lines, _delimiter(path, lines)) is not None


def _header(lines: list[bytes], delimiter: str) -> Columns | None:
    """Read the first line as a header; None where it is none."""
    first = next(_rows(lines[:1], delimiter), (1, ""))[1]
    if isinstance(first, str):
        return None
    names = [name.strip().lower() for name in first]
    photos, sentences, splits = (
        [number for number, name in enumerate(names) if name in known]
        for known in (PHOTO_COLUMNS, SENTENCE_COLUMNS, SPLIT_COLUMNS)
    )
    if not photos or not sentences:
        return None
    return Columns(photos[0], sentences[0], len(names), splits[0] if splits else None)


def _delimiter(path: str, lines: list[bytes]) -> str:
    if path.lower().endswith(".tsv"):
        return "\t"
    first = lines[0] if lines else b""
    return next((mark for mark in ",\t;|" if mark.encode() in first), ",")


def _rows(lines: list[bytes], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (number of the row's first line from 1, its cells or what is wrong with it), without empty lines."""
    start = 0
    while start < len(lines):
        used, cells = _row(lines, start, delimiter)
        if cells:
            yield start + 1, cells
        start += used


def _row(lines: list[bytes], start: int, delimiter: str) -> tuple[int, list[str] | str]:
    """Parse the row that begins at a line; returns how many lines it has and its cells, or what is wrong with it."""
    for used in range(1, min(MAX_LINES_OF_ROW, len(lines) - start) + 1):
        try:
            text = b"\n".join(lines[start : start + used]).decode()
        except UnicodeDecodeError:
            return 1, "is not UTF-8"
        try:  # StringIO breaks lines at line feeds alone; str.splitlines would at U+2028 too, inside a sentence
            return used, next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end" not in str(error):
                return 1, f"is malformed: {error}"
    return 1, "is malformed: a quote is not closed"


def _problem(cells: list[str], columns: Columns) -> str | None:
    if len(cells) != columns.count:
        return f"is malformed: not {columns.count} columns"
    if not cells[columns.photo].strip():
        return "names no file"
    if not cells[columns.sentence].replace("\0", " ").strip():
        return "has no sentence"
    if os.path.splitext(cells[columns.photo].strip())[1].lower() not in PHOTO_SUFFIXES:
        return "names a file that is not a photo (JPEG, PNG, WebP or GIF)"
    return None
