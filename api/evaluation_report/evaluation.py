"""What was measured, as the parts of the report read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from model.checkpoint import Checkpoint
from model.dataset import DatasetImage
from model.grounding import GroundedPhrase
from model.metrics import Recall
from model.retrieval import SplitRanking
from model.words import words_of


@dataclass(frozen=True)
class Evaluation:
    """A model measured on photos and their sentences.

    Attributes:
        dataset: its name.
        split: of the dataset.
        images: the I photos.
        ranking: of all photos and sentences against each other.
        checkpoint: what was measured.
        features: of the regions, float16 (I, R, F + 5).
        boxes: of the regions, float32 (I, R, 4), pixels, the whole photo last.
        grounded: phrases and the regions that they chose; empty where no boxes of phrases are known.
        command: what was typed.
        day: when, as 2026-11-24.
    """

    dataset: str
    split: str
    images: Sequence[DatasetImage]
    ranking: SplitRanking
    checkpoint: Checkpoint
    features: npt.NDArray[np.float16]
    boxes: npt.NDArray[np.float32]
    grounded: Sequence[GroundedPhrase]
    command: str
    day: str

    @cached_property
    def sentences(self) -> list[str]:
        """The S sentences of the photos, in their order."""
        return [sentence for image in self.images for sentence in image.sentences]

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each sentence."""
        return [words_of(sentence) for sentence in self.sentences]

    @cached_property
    def recall(self) -> tuple[Recall, Recall]:
        """Both directions: image -> sentence, sentence -> image."""
        return self.ranking.recall()

    @property
    def pool(self) -> int:
        """Photos that are ranked against each other: those of one fold."""
        return int((self.ranking.fold_of == 0).sum())
