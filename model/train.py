"""Train the alignment model on region features and sentences."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.alignment import AlignmentModel
from model.checkpoint import save_checkpoint
from model.dataset import DatasetImage
from model.exceptions import TrainingError
from model.loss import TEMPERATURE, contrastive_loss, hinge_loss
from model.metrics import Recall
from model.retrieval import measure_retrieval
from model.score import image_sentence_scores
from model.sentence_encoder import pad_numbers
from model.training.config import LoopConfig
from model.training.processes import Processes
from model.training.task import Measured
from model.vocabulary import PADDING, Vocabulary
from model.words import words_of

Pairs = list[tuple[int, int]]

SPREAD_SAMPLE = 1000  # photos that the spread of features is taken from, see AlignmentConfig.feature_spread


@dataclass(frozen=True)
class TrainingConfig(LoopConfig):
    """How to train the alignment model; kept in the checkpoint. A batch holds pairs, all of different photos.

    Attributes:
        loss: see model.loss.
        temperature: of the contrastive loss.
        stream_weight: of the loss that each stream has alone, beside that of the whole model's score.
    """

    loss: Literal["contrastive", "hinge"] = "contrastive"
    temperature: float = TEMPERATURE
    stream_weight: float = 0.5


@dataclass(frozen=True)
class SplitFeatures:
    """A split's photos and their regions, row by row.

    Attributes:
        images: the I photos.
        features: float16 (I, R, kinds * F + 5).
        boxes: float32 (I, R, 4), pixels.
    """

    images: Sequence[DatasetImage]
    features: npt.NDArray[np.float16]
    boxes: npt.NDArray[np.float32]


class AlignmentTask:
    """What the training loop asks of the alignment model, see model.training.task."""

    def __init__(
        self, model: AlignmentModel, vocabulary: Vocabulary, train: SplitFeatures, dev: SplitFeatures,
        config: TrainingConfig, processes: Processes,
    ) -> None:  # fmt: skip
        """Take a model with fresh weights and the data.

        Raises:
            TrainingError: no batch can be made.
        """
        if model.config.feature_spread:
            sample = train.features[:: max(1, len(train.features) // SPREAD_SAMPLE)]
            model.image_encoder.fit_spread(torch.from_numpy(sample).float())
        self.model = model.to(processes.device)
        self.processes, self.vocabulary, self.train, self.dev = processes, vocabulary, train, dev
        self.config = config
        self._sentences = [
            [numbers for sentence in image.sentences if (numbers := vocabulary.numbers(words_of(sentence)))]
            for image in train.images
        ]
        self.steps = sum(1 for _ in self.batches(0))
        if self.steps == 0:
            raise TrainingError("the train split has fewer than two photos with known words")

    def batches(self, epoch: int) -> Iterator[Pairs]:
        """Yield batches of (image, sentence), every sentence once an epoch, no photo twice in a batch."""
        random = np.random.default_rng([self.config.seed, epoch])
        orders = [random.permutation(len(sentences)) for sentences in self._sentences]
        for turn in range(max(map(len, orders), default=0)):
            images = [int(image) for image in random.permutation(len(orders)) if turn < len(orders[image])]
            for start in range(0, len(images), self.config.batch_size):
                batch = images[start : start + self.config.batch_size]
                if len(batch) > 1:  # a single pair has nothing to be ranked against
                    yield [(image, int(orders[image][turn])) for image in batch]

    def loss(self, batch: Pairs) -> Tensor:
        """Return the loss of a batch of B pairs, a scalar."""
        whole, *streams = (self._loss(scores) for scores in self.scores(batch))
        if not streams:
            return whole
        weight = self.config.stream_weight
        total: Tensor = (whole + weight * sum(streams)) / (1 + weight * len(streams))
        return total

    def _loss(self, scores: Tensor) -> Tensor:
        if self.config.loss == "hinge":
            return hinge_loss(scores) / len(scores)  # of a pair: the sum's gradients would all be clipped
        return contrastive_loss(scores, self.config.temperature)

    def scores(self, batch: Pairs) -> list[Tensor]:
        """Score the images of a batch of B pairs against its sentences, what each process did joined.

        Each process encodes its share, scores its images against the sentences of all, and gets the others' rows.

        Returns:
            float32 (B, B), true pairs on the diagonal: by the whole model, and by each stream where there are several.
        """
        share, B = self.processes.share, len(batch)
        rows = share([image for image, _ in batch])
        features = torch.from_numpy(self.train.features[rows]).to(self.processes.device).float()  # (B / N, R, ...)
        padded = pad_numbers([self._sentences[image][sentence] for image, sentence in batch])
        numbers = padded.to(self.processes.device)  # (B, W)
        with self.processes.mixed_precision():
            regions = self.model.image_encoder(features).float()  # (B / N, R, D)
            words = self.model.sentence_encoder(numbers[share(range(B))]).float()  # (B / N, W, D)
        words = self.processes.gather(words, B)  # (B, W, D)
        region_mask = torch.ones(regions.shape[:2], dtype=torch.bool, device=regions.device)
        pairs = [(regions, words)]
        if self.model.config.streams > 1 and self.config.stream_weight > 0:
            pairs += self.model.each_stream(regions, words)
        word_mask, score = numbers != PADDING, self.model.config.score
        return [
            self.processes.gather(image_sentence_scores(seen, region_mask, said, word_mask, score), B)
            for seen, said in pairs
        ]

    def measure(self, model: AlignmentModel) -> Measured:
        """Measure retrieval on dev; the sum of the six recalls is the score."""
        photo, sentence = measure_retrieval(model, self.vocabulary, self.dev.images, self.dev.features)
        directions = {"image_to_sentence": photo, "sentence_to_image": sentence}
        figures = {
            f"dev_{direction}/{name}": value
            for direction, found in directions.items()
            for name, value in dataclasses.asdict(found).items()
        }
        about = {
            "train_images": len(self.train.images),
            "train_sentences": sum(map(len, self._sentences)),
            "dev": {
                "images": len(self.dev.images),
                **{direction: dataclasses.asdict(found) for direction, found in directions.items()},
            },
        }
        score = sum(found.r1 + found.r5 + found.r10 for found in directions.values())
        line = f"dev photo -> sentence {_line(photo)}; sentence -> photo {_line(sentence)}"
        return Measured(score, figures, line, about)

    def keep(self, folder: Path, model: AlignmentModel, about: dict[str, Any]) -> None:
        """Write the checkpoint of the best model so far."""
        save_checkpoint(folder, model, self.vocabulary, about)


def _line(found: Recall) -> str:
    return f"R@1/5/10 {found.r1:.1f} / {found.r5:.1f} / {found.r10:.1f} (median {found.median_rank:.0f})"
