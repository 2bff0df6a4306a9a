"""Boxes that people drew around what their phrases name, and region features of these boxes: for measuring only."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from model.dataset import DatasetImage
from model.entities import Phrase
from model.exceptions import DatasetError, PhotoError
from model.photo import load_photo
from model.region_features import RegionExtractor
from model.words import words_of


@dataclass(frozen=True)
class NamedBox:
    """A box and what it is called.

    Attributes:
        photo: row of its photo.
        box: float32 (4,), pixels.
        phrases: words of the phrases that name what is in it, one at least.
    """

    photo: int
    box: npt.NDArray[np.float32]
    phrases: Sequence[Sequence[str]]


def named_boxes(phrases: Sequence[Sequence[Phrase]]) -> list[NamedBox]:
    """Gather the phrases of each thing in a photo, and give them to each of its boxes.

    Args:
        phrases: of each of I photos, with boxes.

    Returns:
        Photo after photo; things in the order of their first phrase.
    """
    found = []
    for photo, of_photo in enumerate(phrases):
        named: dict[str, list[list[str]]] = {}
        boxes = {phrase.entity: phrase.boxes for phrase in of_photo}
        for phrase in of_photo:
            if words := words_of(phrase.text):
                named.setdefault(phrase.entity, []).append(words)
        found += [NamedBox(photo, box, named[entity]) for entity in named for box in boxes[entity]]
    return found


def box_features(
    extractor: RegionExtractor, images: Sequence[DatasetImage], boxes: Sequence[NamedBox], workers: int = 2
) -> npt.NDArray[np.float16]:
    """Describe boxes as regions of their photos, with progress.

    Args:
        extractor: of the features.
        images: the I photos.
        boxes: N of them, photo after photo; what lies outside the photo is cut off.
        workers: threads that decode and describe photos.

    Returns:
        Of each box the whole photo's features and its own, as a captioner of regions takes them: (N, 2, X).

    Raises:
        DatasetError: a photo cannot be read, or a box lies outside it.
    """
    of_photo: dict[int, list[npt.NDArray[np.float32]]] = {}
    for box in boxes:
        of_photo.setdefault(box.photo, []).append(box.box)

    def described(photo: int) -> npt.NDArray[np.float16]:
        return _described(extractor, images[photo], np.stack(of_photo[photo]))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one photo a thread, see model.feature_cache
    try:
        with ThreadPoolExecutor(workers) as pool:
            parts = tqdm(pool.map(described, of_photo), total=len(of_photo), desc="boxes of phrases", unit=" photos")
            return np.concatenate([np.empty((0, 2, extractor.feature_size), np.float16), *parts])
    finally:
        torch.set_num_threads(threads)


def _described(
    extractor: RegionExtractor, image: DatasetImage, boxes: npt.NDArray[np.float32]
) -> npt.NDArray[np.float16]:
    """Return (B, 2, X) of the B boxes of a photo, float32 (B, 4)."""
    try:
        photo = load_photo(image.path)
    except PhotoError as error:
        raise DatasetError(f"{image.path} {error}") from error
    height, width, _ = photo.shape
    inside = boxes.clip(0, np.array([width, height, width, height], dtype=np.float32))
    if not (inside[:, 2:] > inside[:, :2]).all():
        raise DatasetError(f"the entities are of another photo than {image.path}: a box lies outside it")
    features = extractor.describe(photo, inside).features.astype(np.float16)  # (B + 1, X)
    return np.stack([np.broadcast_to(features[-1], features[:-1].shape), features[:-1]], axis=1)
