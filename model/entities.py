"""Phrases of sentences and the boxes they name: Flickr30k Entities (Plummer et al. 2017), for measuring only.

Training on these boxes or phrases would no longer be the method, which learns from whole sentences alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.dataset import DatasetImage
from model.exceptions import DatasetError


@dataclass(frozen=True)
class Phrase:
    """A phrase of a sentence.

    Attributes:
        sentence: the whole sentence.
        text: the phrase, a run of the sentence's words.
        boxes: what it names, float32 (B, 4), pixels of the photo, B at least 1.
        type: of what it names, such as "people" or "animals"; "other" is a type too.
    """

    sentence: str
    text: str
    boxes: npt.NDArray[np.float32]
    type: str = "other"


def read_entities(path: Path, images: Sequence[DatasetImage]) -> list[list[Phrase]]:
    """Read the phrases that have boxes, for each of the images.

    Raises:
        DatasetError: the file cannot be read, or lacks a photo, which is named.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"the entities {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DatasetError(f"the entities {path} are not valid JSON") from error
    if not isinstance(document, dict):
        raise DatasetError(f"the entities {path} are not an object with a photo's name as the key")
    missing = [image.path.name for image in images if image.path.name not in document]
    if missing:
        raise DatasetError(f"the entities {path} are of other photos: {missing[0]} is not among them")
    return [_phrases(document[image.path.name], image.path.name, path) for image in images]


def _phrases(entry: Any, name: str, path: Path) -> list[Phrase]:
    try:
        return [
            Phrase(
                entry["sentences"][phrase["sentence"]],
                phrase["phrase"],
                np.asarray(entry["boxes"][str(phrase["entity"])], dtype=np.float32).reshape(-1, 4),
                str(phrase.get("type", "other")),
            )
            for phrase in entry["phrases"]
            if entry["boxes"].get(str(phrase["entity"]))
        ]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DatasetError(f"the entities {path} are malformed at the photo {name}") from error
