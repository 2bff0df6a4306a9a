r"""Sentences and listings as Flickr8k and Flickr30k have them.

    1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress is climbing up a set of stairs .

A listing has a photo's name in each line.
"""

from collections.abc import Iterable
from pathlib import Path

from model.dataset import NO_SPLIT, Dataset, DatasetImage
from model.datasets.files import read_lines
from model.exceptions import DatasetError


def read_token_file(path: Path) -> dict[str, list[str]]:
    """Read the sentences of each photo, by its name.

    Raises:
        DatasetError: a line is malformed or a sentence's number is there twice; file and line are named.
    """
    sentences: dict[str, list[str]] = {}
    seen: set[str] = set()
    for number, line in read_lines(path):
        key, _, sentence = line.partition("\t")
        name, mark, _ = key.rpartition("#")
        if not mark or not sentence.strip():
            raise DatasetError(f"{path}, line {number}: expected name.jpg#0, a tab and a sentence")
        if key in seen:
            raise DatasetError(f"{path}, line {number}: the sentence {key} is there twice")
        seen.add(key)
        sentences.setdefault(name, []).append(sentence.strip())
    if not sentences:
        raise DatasetError(f"{path} holds no sentence")
    return sentences


def read_listings(listings: Iterable[tuple[str, Path]], suffix: str = "") -> dict[str, str]:
    """Read which photo is in which split.

    Args:
        listings: (split, file of photo names, one a line); those that are not there are left out.
        suffix: of the photos, where the listings leave it out.

    Returns:
        Split by photo name.

    Raises:
        DatasetError: a photo is listed twice.
    """
    splits: dict[str, str] = {}
    for split, path in listings:
        if path.is_file():
            for number, line in read_lines(path):
                name = line if line.endswith(suffix) else line + suffix
                if name in splits:
                    raise DatasetError(f"{path}, line {number}: the photo {name} is listed twice")
                splits[name] = split
    return splits


def assemble(name: str, folder: Path, sentences: dict[str, list[str]], splits: dict[str, str]) -> Dataset:
    """Join photos, sentences and splits by the photos' names: a photo that only one of them has is kept too.

    Args:
        name: of the dataset.
        folder: of the photos.
        sentences: by photo name.
        splits: by photo name.
    """
    found = {photo.name for photo in folder.iterdir() if not photo.name.startswith(".")}
    names = sorted(found | splits.keys() | sentences.keys())
    return Dataset(
        name,
        tuple(
            DatasetImage(folder / photo, splits.get(photo, NO_SPLIT), tuple(sentences.get(photo, ())))
            for photo in names
        ),
    )
