"""Photos with sentences and splits, from the layouts that the field uses."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.exceptions import DatasetError

_TOKENS = Path("Flickr8k_text/Flickr8k.token.txt")
_PHOTOS = Path("Flicker8k_Dataset")  # spelt so in the official distribution
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class DatasetImage:
    """One photo, the split it belongs to ("train", "dev", "test" or "none") and its sentences, any number of them."""

    path: Path
    split: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """Photos with sentences."""

    name: str
    images: tuple[DatasetImage, ...]

    def split(self, name: str) -> list[DatasetImage]:
        """Return the photos of a split that have sentences.

        Raises:
            DatasetError: no photo is in the split, or one of the split's photos is not on the disk.
        """
        chosen = [image for image in self.images if image.split == name and image.sentences]
        if not chosen:
            there = sorted({image.split for image in self.images})
            raise DatasetError(f"{self.name} has no split {name!r} with sentences; it has {', '.join(there)}")
        for image in chosen:
            if not image.path.is_file():
                raise DatasetError(f"{self.name}: the photo {image.path} of the {name} split is not there")
        return chosen


def is_flickr8k_layout(path: Path) -> bool:
    """Tell whether a folder is laid out as the official Flickr8k distribution."""
    return (path / _TOKENS).is_file() and (path / _PHOTOS).is_dir()


def read_dataset(path: Path, images: Path | None = None) -> Dataset:
    """Read a dataset: a folder in the Flickr8k layout, or Karpathy's dataset JSON.

    Args:
        path: the folder, or the JSON file.
        images: the folder of the JSON's photos; the JSON's own folder if not given.

    Raises:
        DatasetError: what is wrong, the item named.
    """
    if path.is_dir():
        if not is_flickr8k_layout(path):
            raise DatasetError(f"{path} is not in the Flickr8k layout: {_TOKENS} or {_PHOTOS} is missing")
        return _read_flickr8k(path)
    if not path.is_file():
        raise DatasetError(f"the dataset {path} does not exist")
    return _read_karpathy(path, images or path.parent)


def _read_flickr8k(root: Path) -> Dataset:
    sentences: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(_read_text(root / _TOKENS).splitlines(), start=1):
        key, tab, sentence = line.partition("\t")
        name, mark, _ = key.rpartition("#")
        if not tab or not mark:
            raise DatasetError(f"{root / _TOKENS}, line {number}: expected name.jpg#0, a tab and a sentence")
        sentences[name].append(sentence.strip())
    splits = {}
    for split in SPLITS:
        listing = root / "Flickr8k_text" / f"Flickr_8k.{split}Images.txt"
        if listing.is_file():
            splits.update(dict.fromkeys(_read_text(listing).split(), split))
    found = {photo.name for photo in (root / _PHOTOS).iterdir()}
    names = sorted(found | splits.keys())
    return Dataset(
        root.name,
        tuple(
            DatasetImage(root / _PHOTOS / name, splits.get(name, "none"), tuple(sentences.get(name, ())))
            for name in names
        ),
    )


def _read_karpathy(path: Path, root: Path) -> Dataset:
    try:
        document = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path} is not valid JSON: line {error.lineno}, {error.msg}") from error
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise DatasetError(f'{path} is not a dataset JSON: it has no list "images"')
    images = [_karpathy_image(entry, number, path, root) for number, entry in enumerate(entries)]
    _refuse_duplicates([image.path for image in images], path)
    return Dataset(str(document.get("dataset", path.stem)), tuple(images))


def _karpathy_image(entry: Any, number: int, path: Path, root: Path) -> DatasetImage:
    try:
        folder = entry.get("filepath", "")  # COCO has one
        split = {"val": "dev", "restval": "train"}.get(entry["split"], entry["split"])
        sentences = tuple(str(sentence["raw"]) for sentence in entry["sentences"])
        return DatasetImage(root / str(folder) / str(entry["filename"]), str(split), sentences)
    except (AttributeError, KeyError, TypeError) as error:
        raise DatasetError(f'{path}: image {number} lacks "filename", "split" or "sentences" with "raw"') from error


def _refuse_duplicates(paths: Sequence[Path], source: Path) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path in seen:
            raise DatasetError(f"{source}: the photo {path.name} is listed twice")
        seen.add(path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
