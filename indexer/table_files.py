"""CSV and TSV tables of file and sentence, one row each; a malformed row is named and the rest is indexed.

A first row that names its columns (see FILE_COLUMNS, SENTENCE_COLUMNS) is a header and says which columns hold what;
without one there are two columns, file and sentence. Files are relative to the table's folder.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.sources import Scan, SourceSentence
from indexer.text_files import clean
from model.photo import PHOTO_SUFFIXES

FILE_COLUMNS = frozenset({"file", "filename", "file_name", "filepath", "image", "image_name", "path", "photo"})
SENTENCE_COLUMNS = frozenset({"sentence", "caption", "comment", "text", "description"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
# A quoted sentence may hold line breaks; a quote that is not closed after this many lines is a mistake in its row
MAX_LINES_OF_ROW = 20


@dataclass(frozen=True)
class Columns:
    """Which columns of a row hold what."""

    file: int = 0
    sentence: int = 1
    count: int = 2


def read_table(path: str, root: str, scan: Scan) -> None:
    """Add a table: its sentences and the photos that they describe."""
    try:
        lines = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        scan.refuse_unreadable(path, error)
        return
    delimiter = _delimiter(path, lines)
    header = header_columns(lines, delimiter)
    sentences = []
    for number, cells in _rows(lines, delimiter):
        if number == 1 and header is not None:
            continue
        problem = cells if isinstance(cells, str) else _problem(cells, header or Columns())
        if problem is not None:
            scan.report.skip(f"{path}, row {number}", f"row {problem}")
            continue
        sentence = _sentence(path, list(cells), header or Columns())
        if sentence.photo is not None:
            scan.add_photo(sentence.photo, root)
        sentences.append(sentence)
    scan.add_document(path, root, sentences)


def names_its_columns(path: str) -> bool:
    """Whether a table in a folder is one of file and sentence: its header says so."""
    try:
        with open(path, "rb") as file:
            lines = [file.readline(4096).removeprefix(b"\xef\xbb\xbf")]
    except OSError:
        return False
    return header_columns(lines, _delimiter(path, lines)) is not None


def header_columns(lines: list[bytes], delimiter: str) -> Columns | None:
    """Read the first line as a header; None where it is none."""
    first = next(_rows(lines[:1], delimiter), (1, ""))[1]
    if isinstance(first, str):
        return None
    names = [name.strip().lower() for name in first]
    files = [number for number, name in enumerate(names) if name in FILE_COLUMNS]
    sentences = [number for number, name in enumerate(names) if name in SENTENCE_COLUMNS]
    return Columns(files[0], sentences[0], len(names)) if files and sentences else None


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
        try:
            return used, next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end" not in str(error):
                return 1, f"is malformed: {error}"
    return 1, "is malformed: a quote is not closed"


def _problem(cells: list[str], columns: Columns) -> str | None:
    if len(cells) != columns.count:
        return f"is malformed: not {columns.count} columns"
    if not cells[columns.file].strip():
        return "names no file"
    if not clean(cells[columns.sentence]):
        return "has no sentence"
    if os.path.splitext(cells[columns.file].strip())[1].lower() not in PHOTO_SUFFIXES:
        return "names a file that is not a photo (JPEG, PNG, WebP or GIF)"
    return None


def _sentence(path: str, cells: list[str], columns: Columns) -> SourceSentence:
    photo = os.path.normpath(os.path.join(os.path.dirname(path), cells[columns.file].strip().replace("\0", "")))
    return SourceSentence(clean(cells[columns.sentence]), photo)
