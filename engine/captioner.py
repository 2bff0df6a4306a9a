"""The door from the engine to the caption model: fragments of a photo in, captions out."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from engine.encoder import ModelEncoder, PhotoFragments
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig
from model.captions.caption import Caption, caption_features
from model.captions.captioner import Subject
from model.captions.checkpoint import BUNDLED, BUNDLED_REGIONS, CaptionerCheckpoint, load_captioner, refuse_unfit
from model.captions.described import region_rows
from model.checkpoint import Checkpoint
from model.exceptions import CaptionError, CheckpointError

SAME_BOX = 0.6  # IoU above which two boxes show the same


class PhotoCaptioner(Protocol):
    """Puts photos into words. Thread-safe.

    Attributes:
        name: names the weights and everything else that changes a caption.
    """

    name: str

    def caption(self, photo: PhotoFragments) -> Caption:
        """Caption one photo; the same photo has the same caption, alone or among others.

        Raises:
            CaptionError: the photo has no features that a caption can be made of.
        """
        ...


@dataclass(frozen=True)
class RegionCaption:
    """What a region shows.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the upright photo.
        caption: of the region.
    """

    box: tuple[float, float, float, float]
    caption: Caption


class ModelCaptioner:
    """A checkpoint as a PhotoCaptioner."""

    def __init__(self, checkpoint: CaptionerCheckpoint, beam: BeamConfig, alignment: Checkpoint) -> None:
        """Wrap a loaded checkpoint that describes photos, say how to search, and which model must agree."""
        self._checkpoint, self._beam = checkpoint, beam
        self._agreement = Agreement(alignment.model, alignment.vocabulary)
        parts = [checkpoint.model_hash, alignment.model_hash, asdict(beam)]
        self.name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def caption(self, photo: PhotoFragments) -> Caption:
        """Caption one photo; see PhotoCaptioner.caption."""
        return _captions(self._checkpoint, _features(photo)[None], self._beam, self._agreement)[0]


class ModelRegionCaptioner:
    """A checkpoint that describes regions. Thread-safe."""

    def __init__(self, checkpoint: CaptionerCheckpoint, beam: BeamConfig, alignment: Checkpoint) -> None:
        """Wrap a loaded checkpoint that describes regions, say how to search, and which model must agree."""
        self._checkpoint, self._beam = checkpoint, beam
        self._agreement = Agreement(alignment.model, alignment.vocabulary)

    def captions(self, photo: PhotoFragments) -> list[RegionCaption]:
        """Caption the regions of a photo, less the whole photo, the likeliest word by word first.

        Of boxes that show the same (an IoU of more than SAME_BOX), and of equal captions, the likeliest is kept.

        Raises:
            CaptionError: the photo has no regions.
        """
        features = _features(photo)
        parts = len(features) - 1
        if parts == 0:
            raise CaptionError("the photo has no regions to caption, only the whole; leave --regions out")
        repeated = np.broadcast_to(features, (parts, *features.shape))
        captions = _captions(self._checkpoint, region_rows(repeated, np.arange(parts)), self._beam, self._agreement)
        # rounded, as equal features differ in the last bits by their place in a batch
        likely = torch.tensor([round(one.log_probability / (len(one.words) + 1), 4) for one in captions])
        found: dict[tuple[str, ...], RegionCaption] = {}
        for region in nms(torch.from_numpy(photo.boxes[:-1]), likely, SAME_BOX).tolist():
            x0, y0, x1, y1 = (float(edge) for edge in photo.boxes[region])
            found.setdefault(captions[region].words, RegionCaption((x0, y0, x1, y1), captions[region]))
        return list(found.values())


def load_photo_captioner(
    encoder: ModelEncoder, folder: Path | None = None, beam: BeamConfig | None = None
) -> ModelCaptioner:
    """Load a captioner of photos for the features that an encoder makes.

    Args:
        encoder: the alignment model.
        folder: of the captioner's checkpoint; the bundled one if none is given.
        beam: how to search; the default if not given.

    Raises:
        CheckpointError: it cannot be used, is of other features, or describes regions.
    """
    return ModelCaptioner(_load(encoder, folder or BUNDLED, "photos"), beam or BeamConfig(), encoder.checkpoint)


def load_region_captioner(
    encoder: ModelEncoder, folder: Path | None = None, beam: BeamConfig | None = None
) -> ModelRegionCaptioner:
    """Load a captioner of regions; see `load_photo_captioner`."""
    return ModelRegionCaptioner(
        _load(encoder, folder or BUNDLED_REGIONS, "regions"), beam or BeamConfig(), encoder.checkpoint
    )


def _load(encoder: ModelEncoder, folder: Path, subject: Subject) -> CaptionerCheckpoint:
    checkpoint = load_captioner(folder)
    try:
        refuse_unfit(checkpoint, subject, encoder.features_name)
    except CheckpointError as error:
        raise CheckpointError(f"{folder} cannot be used: {error}") from error
    return checkpoint


def _features(photo: PhotoFragments) -> npt.NDArray[np.float32]:
    if photo.features is None or len(photo.features) == 0:
        raise CaptionError("the photo has no regions to describe; encode it anew from its file")
    if not np.isfinite(photo.features).all():
        raise CaptionError("the photo cannot be captioned: the CNN gave features that are not numbers")
    return photo.features


def _captions(
    checkpoint: CaptionerCheckpoint, features: npt.NDArray[np.floating], beam: BeamConfig,
    agreement: Agreement,
) -> list[Caption]:  # fmt: skip
    tensor = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    return list(caption_features(checkpoint.model, checkpoint.vocabulary, [tensor], beam, agreement))
