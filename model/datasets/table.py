"""A CSV or TSV table of photo, sentence and split, a row for each sentence; `dvsa index` reads the same tables.

    photo,sentence,split
    a.jpg,一匹の犬が走る,train

The column of splits may be missing, and then all photos are in "none", which can be measured and indexed but not
trained on.
"""

import os
from pathlib import Path

from model.dataset import NO_SPLIT, SPLIT_NAMES, Dataset, DatasetImage
from model.datasets.files import read_bytes
from model.exceptions import DatasetError
from model.table_rows import TABLE_SUFFIXES, table_rows

SUFFIXES = TABLE_SUFFIXES


def read(path: Path, images: Path | None) -> Dataset:
    """Read the table.

    Args:
        path: the file.
        images: the folder of its photos; the table's own if not given.

    Raises:
        DatasetError: a row is malformed, or a photo is in two splits; the row is named.
    """
    folder = images or path.parent
    sentences: dict[Path, list[str]] = {}
    splits: dict[Path, str] = {}
    for row in table_rows(str(path), read_bytes(path)):
        if row.problem is not None:
            raise DatasetError(f"{path}, row {row.number} {row.problem}")
        photo = Path(os.path.normpath(folder / row.photo))
        split = SPLIT_NAMES.get(row.split.lower(), row.split.lower()) or NO_SPLIT
        if splits.setdefault(photo, split) != split:
            raise DatasetError(f"{path}, row {row.number}: {row.photo} is in two splits, {splits[photo]} and {split}")
        sentences.setdefault(photo, []).append(row.sentence.strip())
    if not sentences:
        raise DatasetError(f"{path} has no row of photo and sentence")
    return Dataset(path.stem, tuple(DatasetImage(photo, splits[photo], tuple(sentences[photo])) for photo in sentences))
