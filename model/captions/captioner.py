"""The caption model: features of a photo or a region to the probabilities of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import ConfigDict, with_config
from torch import Tensor, nn

from model.captions.decoders import DECODERS, Decoder, Memory, State

BOUNDARY = 0  # the number that begins a sentence when read and ends it when predicted; words are 1 to V
UNKNOWN = -1  # a word of a training sentence that the vocabulary lacks: read, never predicted
NOTHING = -2  # a target behind the end of its sentence

Subject = Literal["photos", "regions"]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class CaptionerConfig:
    """Everything needed to rebuild the model; kept in the checkpoint.

    Attributes:
        decoder: "attention" over the regions, "lstm" or "mrnn", the paper's; see model.captions.decoders.
        subject: what it describes. Photos: features of all regions, the whole photo last. Regions: features of two, the
            whole photo and, last, the region.
        features: names what the features depend on, see RegionExtractor.name; follows when training.
        row_size: X, numbers of a region; follows from the features when training.
        embedding: E, size of a word's embedding, which predicts the word too (Press and Wolf 2017).
        hidden: H, hidden size.
        dropout: rate on features, embeddings and hidden states.
    """

    decoder: str = "attention"
    subject: Subject = "photos"
    features: str = ""
    row_size: int = 2565
    embedding: int = 256
    hidden: int = 512
    dropout: float = 0.4


class Captioner(nn.Module):
    """Words from features."""

    def __init__(self, config: CaptionerConfig, decoder: Decoder, vocabulary_size: int) -> None:
        """Wire the parts; `vocabulary_size` is V."""
        super().__init__()
        self.config = config
        self.decoder = decoder
        self.embedding = nn.Embedding(vocabulary_size + 2, config.embedding)  # the last, -1, is UNKNOWN's
        nn.init.normal_(self.embedding.weight, std=config.embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size + 1))

    def remember(self, features: Tensor) -> Memory:
        """Make of features what stays the same for all words.

        Args:
            features: float32 (B, N, X), of photos or regions as the configuration says.
        """
        if self.config.subject == "photos":
            return self.decoder.remember(features[:, -1], features)
        return self.decoder.remember(features.flatten(1), features)  # N is 2

    def begin(self, memory: Memory, sentences: int) -> State:
        """Return the state before the first word of K sentences of each photo."""
        return self.decoder.begin(memory, sentences)

    def logits(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Read words, and score those that may follow.

        Args:
            words: numbers, int64 (B, K, W), BOUNDARY first.
            memory: of the B photos.
            state: of the B * K sentences so far.

        Returns:
            Unnormalised log probabilities of the word after each, float32 (B, K, W, V + 1); and the state.
        """
        said, state = self.decoder(self.embedding(words), memory, state)
        return self._predict(said), state

    def _predict(self, said: Tensor) -> Tensor:
        """Score words, (..., V + 1), by what a decoder says, (..., E)."""
        return nn.functional.linear(said, self.embedding.weight[:-1], self.bias)

    def losses(
        self, features: Tensor, inputs: Tensor, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the sum of the words' negative log probabilities, nats, and the number of words, each (B,).

        Args:
            features: float32 (B, N, X).
            inputs: numbers, int64 (B, K, W), BOUNDARY first, perhaps UNKNOWN.
            targets: the word after each, int64 (B, K, W), BOUNDARY at the end; UNKNOWN, and NOTHING where a sentence is
                over, are not counted.
            smoothing: the share of probability that is spread over all words (Szegedy et al. 2016).
            weights: what the words of each sentence count, float32 (B, K); None: 1.
        """
        memory = self.remember(features)
        read = self.embedding(inputs.remainder(len(self.embedding.weight)))
        said, _ = self.decoder(read, memory, self.begin(memory, inputs.shape[1]))
        real = targets >= 0
        scores = self._predict(said[real])  # (words, V + 1)
        losses = nn.functional.cross_entropy(scores, targets[real], reduction="none", label_smoothing=smoothing)
        if weights is not None:
            losses = losses * weights[..., None].expand(real.shape)[real]
        sums = losses.new_zeros(len(features)).index_add(0, real.nonzero()[:, 0], losses)
        return sums, real.flatten(1).sum(dim=1)


def build_captioner(config: CaptionerConfig, vocabulary_size: int) -> Captioner:
    """Make a captioner with fresh weights for a vocabulary of V words."""
    subject_size = config.row_size * (1 if config.subject == "photos" else 2)
    decoder = DECODERS[config.decoder](subject_size, config.row_size, config.embedding, config.hidden, config.dropout)
    return Captioner(config, decoder, vocabulary_size)


def pad_sentences(sentences: Sequence[Sequence[Sequence[int]]]) -> tuple[Tensor, Tensor]:
    """Return what a captioner reads and what it shall predict, for teacher forcing.

    Args:
        sentences: word numbers of the sentences of each of B photos, one sentence at least in all.

    Returns:
        Inputs and targets, int64 (B, K, W + 1), see `Captioner.losses`.

    >>> inputs, targets = pad_sentences([[[3, 4]], [[5], [6]]])
    >>> inputs.tolist()
    [[[0, 3, 4], [0, 0, 0]], [[0, 5, 0], [0, 6, 0]]]
    >>> targets.tolist()
    [[[3, 4, 0], [-2, -2, -2]], [[5, 0, -2], [6, 0, -2]]]
    """
    K = max(len(of_photo) for of_photo in sentences)
    W = max(len(sentence) for of_photo in sentences for sentence in of_photo)
    inputs = torch.full((len(sentences), K, W + 1), BOUNDARY)
    targets = torch.full((len(sentences), K, W + 1), NOTHING)
    for row, of_photo in enumerate(sentences):
        for place, sentence in enumerate(of_photo):
            inputs[row, place, 1 : len(sentence) + 1] = torch.tensor(sentence)
            targets[row, place, : len(sentence) + 1] = torch.tensor([*sentence, BOUNDARY])
    return inputs, targets


def set_word_frequencies(captioner: Captioner, sentences: Sequence[Sequence[int]]) -> None:
    """Start the output's bias at the log frequency of each word and of the end, over training sentences."""
    counts = torch.ones(len(captioner.bias))
    counts += torch.bincount(
        torch.tensor([number for sentence in sentences for number in (*sentence, BOUNDARY) if number != UNKNOWN]),
        minlength=len(counts),
    )
    with torch.no_grad():
        captioner.bias.copy_((counts / counts.sum()).log())
