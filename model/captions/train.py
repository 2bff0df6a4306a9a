"""Train a captioner on features and sentences, by teacher forcing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from model.captions.beam import BeamConfig
from model.captions.caption import caption_features
from model.captions.captioner import UNKNOWN, Captioner, pad_sentences, set_word_frequencies
from model.captions.checkpoint import save_captioner
from model.captions.described import Described
from model.captions.measures import cider
from model.exceptions import TrainingError
from model.training.config import LoopConfig
from model.training.processes import Processes
from model.training.task import Measured
from model.vocabulary import Vocabulary

Items = list[tuple[int, list[int]]]  # each with the numbers of those of its sentences that are in the batch


@dataclass(frozen=True)
class CaptionTrainingConfig(LoopConfig):
    """How to train a captioner; kept in the checkpoint. A batch holds photos or regions with their sentences.

    Attributes:
        sentences: of each item in a batch, at most; an item with more gets others in each epoch. Of "cider", drawn.
        objective: "likelihood" of people's sentences; or "cider" of its own, see model.captions.reward.
        smoothing: see Captioner.losses; of likelihood.
        beam: width of the search whose captions are measured on dev.
        beta: of the decoding that makes snippets, where regions are described.
    """

    epochs: int = 15
    batch_size: int = 24
    learning_rate: float = 1e-3
    averaging: float = 0.995
    patience: int = 4
    sentences: int = 5
    objective: Literal["likelihood", "cider"] = "likelihood"
    smoothing: float = 0.1
    beam: int = 3
    beta: float = 0.02


class CaptionTask:
    """What the training loop asks of a captioner, see model.training.task."""

    def __init__(
        self, model: Captioner, vocabulary: Vocabulary, train: Described, dev: Described,
        config: CaptionTrainingConfig, processes: Processes,
    ) -> None:  # fmt: skip
        """Take a model with fresh weights and the data.

        Raises:
            CaptionError: the captions of dev cannot be searched so.
            TrainingError: no sentence of train has a word of the vocabulary, or none of dev has a word.
        """
        self.vocabulary, self.train, self.dev = vocabulary, train, dev
        self.config, self.processes = config, processes
        self._beam = BeamConfig(config.beam)
        self._sentences = [_numbers(of_item, vocabulary) for of_item in train.sentences]
        self._items = [item for item, sentences in enumerate(self._sentences) if sentences]
        self.steps = -(-len(self._items) // config.batch_size)
        if not self._items:
            raise TrainingError("the train split has no sentence with a word of the vocabulary")
        if not len(dev):
            raise TrainingError("the dev split has no sentence with a word")
        set_word_frequencies(model, [sentence for sentences in self._sentences for sentence in sentences])
        self.model = model.to(processes.device)

    def batches(self, epoch: int) -> Iterator[Items]:
        """Yield batches of items, every item once an epoch."""
        random = np.random.default_rng([self.config.seed, epoch])
        order = random.permutation(self._items).tolist()
        for start in range(0, len(order), self.config.batch_size):
            yield [
                (item, random.permutation(len(self._sentences[item]))[: self.config.sentences].tolist())
                for item in order[start : start + self.config.batch_size]
            ]

    def loss(self, batch: Items) -> Tensor:
        """Return the mean negative log probability of a word of a batch of B items, a scalar.

        Each process makes that of its share's words, and gets the others'.
        """
        B, share = len(batch), self.processes.share(batch)
        inputs, targets = pad_sentences([[self._sentences[item][number] for number in some] for item, some in share])
        features = self.train.features([item for item, _ in share])
        device = self.processes.device
        with self.processes.mixed_precision():
            sums, words = self.model.losses(
                features.to(device), inputs.to(device), targets.to(device), self.config.smoothing
            )
        return self.processes.gather(sums, B).sum() / self.processes.gather(words, B).sum()

    def measure(self, model: Captioner) -> Measured:
        """Measure CIDEr on dev, which is the score."""
        found = caption_features(model, self.vocabulary, self.dev.parts(), self._beam)
        captions = [caption.words for caption in found]
        score = cider(captions, self.dev.sentences)
        distinct = 100 * len(set(map(tuple, captions))) / len(captions)
        figures = {"dev_caption/cider": score, "dev_caption/distinct": distinct}
        about = {
            "train_items": len(self._items),
            "train_sentences": sum(map(len, self._sentences)),
            "dev": {"items": len(self.dev), "beam": self.config.beam, "cider": round(score, 4)},
        }
        return Measured(score, figures, f"dev CIDEr {score:.3f}, {distinct:.0f} % distinct captions", about)

    def keep(self, folder: Path, model: Captioner, about: dict[str, Any]) -> None:
        """Write the checkpoint of the best model so far."""
        save_captioner(folder, model, self.vocabulary, about)


def _numbers(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary) -> list[list[int]]:
    """Return numbers of words, UNKNOWN of those that the vocabulary lacks; no sentence that has none of its words."""
    found = [[vocabulary.number(word) or UNKNOWN for word in words] for words in sentences]
    return [numbers for numbers in found if set(numbers) - {UNKNOWN}]
