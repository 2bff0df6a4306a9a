"""Karpathy's JSON of Flickr8K, Flickr30K and COCO, with his splits (Karpathy and Fei-Fei 2015).

    {"dataset": "flickr8k", "images": [
        {"filename": "a.jpg", "filepath": "val2014", "split": "restval", "sentences": [{"raw": "A dog runs."}]}]}

Only COCO has "filepath", the photo's folder, and "restval", which counts as train. A sentence without "raw" has
"tokens".
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from model.dataset import SPLIT_NAMES, Dataset, DatasetImage, refuse_duplicates
from model.datasets.files import read_json


@dataclass(frozen=True, slots=True)
class _Sentence:
    raw: str = ""
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Image:
    filename: str
    split: str
    sentences: tuple[_Sentence, ...]
    filepath: str = ""


@dataclass(frozen=True, slots=True)
class _Document:
    images: tuple[_Image, ...]
    dataset: str = ""


_DOCUMENT = TypeAdapter(_Document)


def read(path: Path, images: Path | None = None) -> Dataset:
    """Read the JSON.

    Args:
        path: the file.
        images: the folder of its photos; the file's own if not given.

    Raises:
        DatasetError: what is wrong, the item named.
    """
    document = read_json(path, _DOCUMENT)
    folder = images or path.parent
    found = [_dataset_image(image, folder) for image in document.images]
    refuse_duplicates(found, path)
    return Dataset(document.dataset or path.stem, tuple(found))


def _dataset_image(image: _Image, folder: Path) -> DatasetImage:
    texts = (sentence.raw.strip() or " ".join(sentence.tokens).strip() for sentence in image.sentences)
    return DatasetImage(
        folder / image.filepath / image.filename,
        SPLIT_NAMES.get(image.split, image.split),
        tuple(text for text in texts if text),
    )
