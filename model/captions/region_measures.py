"""Captions of given boxes, measured against the phrases that name what is in them: the paper's table of regions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from model.boxes import GEOMETRY, box_geometry
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig
from model.captions.caption import caption_features
from model.captions.checkpoint import CaptionerCheckpoint
from model.captions.described import Described
from model.captions.measures import Closeness, measure_closeness
from model.captions.named_boxes import NamedBox
from model.captions.nearest import nearest_snippets

_AT_ONCE = 32  # boxes captioned at once


@dataclass(frozen=True)
class RegionScores:
    """How near captions of boxes are to the phrases of each.

    Attributes:
        boxes: how many.
        region_model: captions by a captioner of regions.
        photo_model: by a captioner of photos, see `as_photo`.
        nearest_neighbour: snippets of the most similar training regions.
    """

    boxes: int
    region_model: Closeness
    photo_model: Closeness
    nearest_neighbour: Closeness


@dataclass(frozen=True)
class Rivals:
    """What captions boxes.

    Attributes:
        region_model: a captioner of regions.
        photo_model: a captioner of photos.
        agreement: what the alignment model thinks of both captioners' captions.
        training: regions of the training split, with snippets.
        compared: the part of a region's features by which the nearest is found.
    """

    region_model: CaptionerCheckpoint
    photo_model: CaptionerCheckpoint
    agreement: Agreement
    training: Described
    compared: slice


def measure_regions(
    boxes: Sequence[NamedBox], features: npt.NDArray[np.float16], rivals: Rivals, beam: BeamConfig
) -> RegionScores:
    """Caption boxes by each rival and measure, with progress.

    Args:
        boxes: N of them.
        features: of the whole photo and of each box, (N, 2, X).
        rivals: what captions them.
        beam: how captions are searched.

    Raises:
        CaptionError: N is 0.
    """
    phrases = [box.phrases for box in boxes]
    scores = [
        measure_closeness(captions, phrases)
        for captions in (
            _captions(rivals.region_model, features, lambda part: part, beam, rivals.agreement, "region model"),
            _captions(rivals.photo_model, features, as_photo, beam, rivals.agreement, "photo model"),
            nearest_snippets(features[:, 1], rivals.training, rivals.compared),
        )
    ]
    return RegionScores(len(boxes), *scores)


def as_photo(features: Tensor) -> Tensor:
    """Return features of boxes as if each box, cut out, were a photo of its own.

    The captioner gets the box's features as those of the whole photo and of its only region, so that all it can look
    at is the box, which fills its photo. Regions within the box are not searched for; and the CNN saw the whole photo,
    so that features near the box's edges may know of what is beyond.

    Args:
        features: of the whole photo and of each box, float32 (B, 2, X).

    Returns:
        float32 (B, 1, X).
    """
    crop = features[:, 1:].clone()
    crop[..., -GEOMETRY:] = torch.from_numpy(box_geometry(np.array([[0, 0, 1, 1]], dtype=np.float32), 1, 1))
    return crop


def _captions(
    checkpoint: CaptionerCheckpoint, features: npt.NDArray[np.float16], given: Callable[[Tensor], Tensor],
    beam: BeamConfig, agreement: Agreement, what: str,
) -> list[tuple[str, ...]]:  # fmt: skip
    """Caption boxes (N, 2, X), of which the captioner is given something."""

    def parts() -> Iterator[Tensor]:
        for start in range(0, len(features), _AT_ONCE):
            yield given(torch.from_numpy(features[start : start + _AT_ONCE]).float())

    found = caption_features(checkpoint.model, checkpoint.vocabulary, parts(), beam, agreement)
    return [caption.words for caption in tqdm(found, total=len(features), desc=what, unit="")]
