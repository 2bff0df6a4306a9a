"""CSV and TSV tables of photo and sentence (see model.table_rows); a malformed row is named, the rest is indexed.

Photos are relative to the table's folder.
"""

import os
from pathlib import Path

from indexer.sources import OUTSIDE, Scan, SourceSentence
from indexer.text_files import clean
from model.table_rows import names_its_columns, table_rows


def read_table(path: str, root: str, scan: Scan) -> None:
    """Add a table: its sentences and the photos that they describe."""
    if not scan.may_read(path):
        scan.refuse(path, OUTSIDE)
        return
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        scan.refuse_unreadable(path, error)
        return
    sentences = []
    for row in table_rows(path, data):
        if row.problem is not None:
            scan.report.skip(f"{path}, row {row.number}", f"row {row.problem}")
            continue
        photo = os.path.normpath(os.path.join(os.path.dirname(path), row.photo.replace("\0", "")))
        scan.add_photo(photo, root)
        sentences.append(SourceSentence(clean(row.sentence), photo))
    scan.add_document(path, root, sentences)


def is_table(path: str) -> bool:
    """Whether a table in a folder is one of photo and sentence: its header says so."""
    try:
        with open(path, "rb") as file:
            return names_its_columns(path, file.readline(4096))
    except OSError:
        return False
