"""Phrases of sentences and the boxes they name: Flickr30k Entities (Plummer et al. 2017), for measuring only.

Training on these boxes or phrases would no longer be the method, which learns from whole sentences alone.

    {"a.jpg": {"sentences": ["A dog runs ."], "phrases": [{"sentence": 0, "phrase": "A dog", "entity": 1}],
               "boxes": {"1": [[0, 0, 50, 50]]}}}
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import NonNegativeInt, TypeAdapter

from model.dataset import DatasetImage
from model.datasets.files import read_json
from model.exceptions import DatasetError


@dataclass(frozen=True)
class Phrase:
    """A phrase of a sentence.

    Attributes:
        sentence: the whole sentence.
        text: the phrase, a run of the sentence's words.
        boxes: what it names, float32 (B, 4), pixels of the photo, B at least 1.
        type: of what it names, such as "people" or "animals"; "other" is a type too.
        entity: tells what it names from the other things in the photo.
    """

    sentence: str
    text: str
    boxes: npt.NDArray[np.float32]
    type: str = "other"
    entity: str = ""


@dataclass(frozen=True, slots=True)
class _Phrase:
    sentence: NonNegativeInt
    phrase: str
    entity: int | str
    type: str = "other"


@dataclass(frozen=True, slots=True)
class _Photo:
    sentences: tuple[str, ...]
    phrases: tuple[_Phrase, ...]
    boxes: dict[str, list[tuple[float, float, float, float]]]


_DOCUMENT = TypeAdapter(dict[str, _Photo])


def read_entities(path: Path, images: Sequence[DatasetImage]) -> list[list[Phrase]]:
    """Read the phrases that have boxes, for each of the images.

    Raises:
        DatasetError: the file cannot be read, or is malformed or lacks a photo, which is named.
    """
    document = read_json(path, _DOCUMENT)
    missing = [image.path.name for image in images if image.path.name not in document]
    if missing:
        raise DatasetError(
            f"the entities {path} are of other photos: {missing[0]} is not among them, the first of {len(missing):,}"
        )
    return [_phrases(document[image.path.name], image.path.name, path) for image in images]


def _phrases(photo: _Photo, name: str, path: Path) -> list[Phrase]:
    found = []
    for phrase in photo.phrases:
        if phrase.sentence >= len(photo.sentences):
            raise DatasetError(f"the entities {path} are malformed at the photo {name}: no sentence {phrase.sentence}")
        boxes = np.array(photo.boxes.get(str(phrase.entity), []), dtype=np.float32).reshape(-1, 4)
        if not (boxes[:, 2:] > boxes[:, :2]).all():
            raise DatasetError(f"the entities {path} are malformed at the photo {name}: a box ends before it begins")
        if len(boxes):
            sentence = photo.sentences[phrase.sentence]
            found.append(Phrase(sentence, phrase.phrase, boxes, phrase.type, str(phrase.entity)))
    return found
