"""What a captioner is trained on: photos or regions, with their features and what is said of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.captions.captioner import Subject
from model.train import SplitFeatures
from model.words import words_of


@dataclass(frozen=True)
class Described:
    """Photos or regions of a split, with sentences.

    Attributes:
        split: the I photos and their regions.
        subject: what the sentences describe.
        photos: the photo of each of N items, int64 (N,).
        regions: the region of each, int64 (N,); of photos the last, which is the whole.
        sentences: words of the sentences of each item, one sentence at least.
    """

    split: SplitFeatures
    subject: Subject
    photos: npt.NDArray[np.int64]
    regions: npt.NDArray[np.int64]
    sentences: Sequence[Sequence[Sequence[str]]]

    def __len__(self) -> int:
        """Return N."""
        return len(self.photos)

    def features(self, items: Sequence[int]) -> Tensor:
        """Return features of items as a captioner takes them: float32 (B, R, X) of photos, (B, 2, X) of regions."""
        chosen = np.asarray(items)
        rows = self.split.features[self.photos[chosen]]  # (B, R, X)
        if self.subject == "regions":
            rows = region_rows(rows, self.regions[chosen])
        return torch.from_numpy(rows).float()

    def parts(self, size: int = 32) -> Iterator[Tensor]:
        """Yield the features of all items, so many at once."""
        for start in range(0, len(self), size):
            yield self.features(range(start, min(start + size, len(self))))


def region_rows(features: npt.NDArray[np.floating], regions: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
    """Return the whole photo's features and those of one region, (B, 2, X), of photos' features (B, R, X)."""
    return np.stack([features[:, -1], features[np.arange(len(features)), regions]], axis=1)


def described_photos(split: SplitFeatures) -> Described:
    """Return the photos of a split that have sentences with words."""
    words = [[found for sentence in image.sentences if (found := words_of(sentence))] for image in split.images]
    kept = np.array([row for row, of_photo in enumerate(words) if of_photo], dtype=np.int64)
    whole = np.full(len(kept), split.features.shape[1] - 1, dtype=np.int64)
    return Described(split, "photos", kept, whole, [words[row] for row in kept])
