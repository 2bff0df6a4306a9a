"""COCO caption files (Lin et al. 2014; Chen et al. 2015), and sets that copy their form, such as STAIR.

    annotations/captions_train2017.json     split train, photos in train2017/
    annotations/captions_val2017.json       split dev, photos in val2017/

The 2014 files are named alike. The captions of COCO's test photos are not public: for a test split, and for the splits
of published figures, take Karpathy's JSON of COCO.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from model.dataset import SPLIT_NAMES, Dataset, DatasetImage, refuse_duplicates
from model.datasets.files import read_bytes, read_json
from model.exceptions import DatasetError

_PATTERN = "annotations/captions_*.json"
_SUBSET = re.compile(r"(train|val|test)\d*")  # "train2017" in captions_train2017.json
_ANNOTATIONS_KEY = re.compile(rb'"annotations"\s*:')  # inside a string the quotes would be escaped
EXPECTED = f"{_PATTERN} (COCO)"

Id = int | str


@dataclass(frozen=True, slots=True)
class _Image:
    id: Id
    file_name: str


@dataclass(frozen=True, slots=True)
class _Annotation:
    id: Id
    image_id: Id
    caption: str


@dataclass(frozen=True, slots=True)
class _Document:
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]


_DOCUMENT = TypeAdapter(_Document)


def is_layout(root: Path) -> bool:
    """Tell whether a folder holds COCO caption files."""
    return any(root.glob(_PATTERN))


def is_captions(path: Path) -> bool:
    """Tell a COCO caption file from Karpathy's JSON: its sentences are in a list of their own.

    Raises:
        DatasetError: the file cannot be read.
    """
    return _ANNOTATIONS_KEY.search(read_bytes(path)) is not None


def read(root: Path) -> Dataset:
    """Read all caption files of a folder.

    Raises:
        DatasetError: what is wrong, the item named; or the files are of several years, whose splits overlap.
    """
    paths = sorted(root.glob(_PATTERN))
    splits = Counter(_split(path) for path in paths)
    for split, count in splits.items():
        if count > 1:
            raise DatasetError(
                f"{root} holds {count} caption files of the {split} split; keep one of them in annotations/, "
                "as the splits of different years overlap"
            )
    images = [image for path in paths for image in read_file(path, None).images]
    return Dataset(root.name, tuple(images))


def read_file(path: Path, images: Path | None) -> Dataset:
    """Read one caption file.

    Args:
        path: the file; its name says the split, "train" or "val".
        images: the folder of its photos; the folder of the subset, as train2017, beside annotations/ if not given.

    Raises:
        DatasetError: what is wrong, the item named.
    """
    split = _split(path)
    document = read_json(path, _DOCUMENT)
    folder = images or path.parent.parent / _subset(path).group()
    captions: dict[Id, list[str]] = {image.id: [] for image in document.images}
    _refuse_twice([image.id for image in document.images], "image", path)
    _refuse_twice([annotation.id for annotation in document.annotations], "annotation", path)
    for annotation in document.annotations:
        if annotation.image_id not in captions:
            raise DatasetError(
                f"{path}: the annotation {annotation.id} is of the image {annotation.image_id}, which is not listed"
            )
        if annotation.caption.strip():
            captions[annotation.image_id].append(annotation.caption.strip())
    found = [DatasetImage(folder / image.file_name, split, tuple(captions[image.id])) for image in document.images]
    refuse_duplicates(found, path)
    return Dataset(path.stem, tuple(found))


def _subset(path: Path) -> re.Match[str]:
    match = _SUBSET.search(path.stem)
    if match is None:
        raise DatasetError(f'{path}: a caption file says its split in its name: "train", "val" or "test"')
    return match


def _split(path: Path) -> str:
    name = _subset(path).group(1)
    return SPLIT_NAMES.get(name, name)


def _refuse_twice(ids: list[Id], what: str, path: Path) -> None:
    seen: set[Id] = set()
    for number in ids:
        if number in seen:
            raise DatasetError(f"{path}: the {what} {number} is there twice")
        seen.add(number)
