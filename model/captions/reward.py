"""Train a captioner by the CIDEr of sentences that it says itself.

Teacher forcing asks for the next word of people's sentences; what is measured is whole sentences. Here the captioner
draws K sentences for each photo, and those that are better than its others become likelier.

Source: Rennie et al. 2017 (self-critical training); the mean of the other sentences as the baseline: Luo 2020.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.captions.beam import MAXIMUM_WORDS
from model.captions.captioner import BOUNDARY, Captioner, pad_sentences
from model.captions.cider import CorpusCider
from model.captions.described import Described
from model.captions.train import CaptionTask, CaptionTrainingConfig, Items
from model.exceptions import TrainingError
from model.training.processes import Processes
from model.vocabulary import Vocabulary


class RewardTask(CaptionTask):
    """As CaptionTask, with another loss; its model has learned to speak."""

    def __init__(
        self, model: Captioner, vocabulary: Vocabulary, train: Described, dev: Described,
        config: CaptionTrainingConfig, processes: Processes,
    ) -> None:  # fmt: skip
        """Take a trained model; the rest is as of CaptionTask."""
        if config.sentences < 2:
            raise TrainingError("training by reward compares sentences of a photo: set sentences to 2 or more")
        learned = {name: value.clone() for name, value in model.state_dict().items()}
        super().__init__(model, vocabulary, train, dev, config, processes)
        self.model.load_state_dict(learned)  # the word frequencies that a fresh model starts with are learned already
        self._cider = CorpusCider([of_item or [[BOUNDARY]] for of_item in self._sentences])

    def loss(self, batch: Items) -> Tensor:
        """Return the words' mean negative log probability, each sentence's times its advantage, a scalar.

        Each process draws sentences for its share of the B items.
        """
        B, items = len(batch), self.processes.share([item for item, _ in batch])
        features = self.train.features(items).to(self.processes.device)
        drawn = draw_sentences(self.model, features, self.config.sentences)
        rewards = torch.tensor(
            [[self._cider.score(item, sentence) for sentence in some] for item, some in zip(items, drawn, strict=True)]
        )
        inputs, targets = pad_sentences(drawn)
        device = self.processes.device
        with self.processes.mixed_precision():
            sums, words = self.model.losses(
                features, inputs.to(device), targets.to(device), weights=advantages(rewards).to(device)
            )
        return self.processes.gather(sums, B).sum() / self.processes.gather(words, B).sum()


def advantages(rewards: Tensor) -> Tensor:
    """Return how much better each sentence is than the mean of the K - 1 others, float32 (B, K).

    >>> advantages(torch.tensor([[1.0, 2.0, 6.0]])).tolist()
    [[-3.0, -1.5, 4.5]]
    """
    K = rewards.shape[1]
    return rewards - (rewards.sum(dim=1, keepdim=True) - rewards) / (K - 1)


@torch.no_grad()
def draw_sentences(captioner: Captioner, features: Tensor, sentences: int) -> list[Sequence[list[int]]]:
    """Draw K sentences for each of B photos, word by word, by the captioner's probabilities.

    Args:
        captioner: as it is, dropout included where it is training.
        features: float32 (B, N, X).
        sentences: K.

    Returns:
        Word numbers of K sentences for each, one word at least.
    """
    B, K = len(features), sentences
    memory = captioner.remember(features)
    state = captioner.begin(memory, K)
    numbers = torch.full((B, K, 1), BOUNDARY, device=features.device)
    ended = torch.zeros(B, K, dtype=torch.bool, device=features.device)
    for length in range(MAXIMUM_WORDS):
        logits, state = captioner.logits(numbers[..., -1:], memory, state)  # (B, K, 1, V + 1)
        if length == 0:
            logits[..., BOUNDARY] = -torch.inf  # a sentence is never empty
        words = logits[:, :, 0].softmax(dim=-1).flatten(0, 1).multinomial(1).view(B, K)
        words = words.masked_fill(ended, BOUNDARY)
        numbers = torch.cat([numbers, words[..., None]], dim=-1)
        ended |= words == BOUNDARY
        if bool(ended.all()):
            break
    return [[_words(row) for row in some] for some in numbers[..., 1:].tolist()]


def _words(numbers: list[int]) -> list[int]:
    return numbers[: numbers.index(BOUNDARY)] if BOUNDARY in numbers else numbers
