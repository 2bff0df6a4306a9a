"""Words in context to word vectors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import ConfigDict, with_config
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from model.streams import stream_sizes
from model.vocabulary import PADDING


def pad_numbers(numbers: Sequence[Sequence[int]]) -> Tensor:
    """Pad sentences of word numbers to one length: int64 (S, W)."""
    return pad_sequence([torch.tensor(sentence) for sentence in numbers], batch_first=True, padding_value=PADDING)


Cell = Literal["gru", "relu"]
WordInput = Literal["learned", "pretrained", "both"]


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class SentenceEncoderConfig:
    """What a sentence encoder is made of; kept in the checkpoint.

    Attributes:
        cell: "relu" is the BRNN of the paper, with a ReLU layer before and after; "gru" has gated units instead.
        embedding_size: of a word before the RNN.
        hidden_size: of the RNN, each direction, in each stream.
        dropout: rate on word embeddings and RNN states; the recurrence itself has none.
        words: what a word enters as: an embedding that is learned, a pretrained vector through a learned map, which
            stays fixed as in the paper, or the sum of both.
        word_dropout: share of the words whose learned embedding is left out in training, so that the pretrained
            vector alone must do, as it must for a word that training never saw.
    """

    cell: Cell = "gru"
    embedding_size: int = 300
    hidden_size: int = 256
    dropout: float = 0.2
    words: WordInput = "both"
    word_dropout: float = 0.1


class SentenceEncoder(nn.Module):
    """Streams of bidirectional RNNs over the same words."""

    pretrained: Tensor
    pretrained_scale: Tensor

    def __init__(
        self, config: SentenceEncoderConfig, learned: int, table: Tensor, scale: Tensor, streams: int, dimension: int,
        unit: bool, prior: bool,
    ) -> None:  # fmt: skip
        """Make the layers.

        Args:
            config: of each stream.
            learned: how many words, the first of the vocabulary, may have a learned embedding.
            table: pretrained word vectors of the vocabulary, int8 (V + 1, P), the row of PADDING zero.
            scale: of each row, float32 (V + 1): a word's vector is its row times its scale.
            streams: how many.
            dimension: D, of a word vector.
            unit: each stream's part has length one, before it is scaled by the root of the number of streams.
            prior: the last number of a word vector is one, see ImageEncoder.
        """
        super().__init__()
        self.prior, self.learned = prior, learned
        self.register_buffer("pretrained", table)
        self.register_buffer("pretrained_scale", scale)
        self.streams = nn.ModuleList(
            WordStream(config, learned, table.shape[1], size, unit) for size in stream_sizes(dimension, streams, prior)
        )

    def forward(self, numbers: Tensor) -> Tensor:
        """Encode sentences.

        Args:
            numbers: word numbers, int64 (S, W), at least one per sentence, then PADDING.

        Returns:
            Word vectors, float32 (S, W, D); those under padding mean nothing. A sentence's vectors do not depend on
            the sentences beside it.
        """
        table = self.pretrained[numbers].float() * self.pretrained_scale[numbers][..., None]  # (S, W, P)
        learned = torch.where(numbers <= self.learned, numbers, PADDING)
        lengths = (numbers != PADDING).sum(dim=1).cpu()
        parts = [stream(learned, table, lengths) for stream in self.streams]
        joined = torch.cat(parts, dim=-1) / math.sqrt(len(parts))  # (S, W, D)
        return torch.cat([joined, torch.ones_like(joined[..., :1])], dim=-1) if self.prior else joined


class WordStream(nn.Module):
    """A bidirectional RNN; one vector per word, the sum of both directions mapped to the stream's size.

    Source: Karpathy and Fei-Fei 2015, eqs. 3 to 7; GRU cells: Cho et al. 2014.
    """

    def __init__(
        self, config: SentenceEncoderConfig, learned: int, pretrained_size: int, size: int, unit: bool
    ) -> None:
        """Make the layers; `learned` words have an embedding of their own."""
        super().__init__()
        self.unit, self.word_dropout = unit, config.word_dropout
        self.embedding: nn.Embedding | None = None
        self.translate: nn.Linear | None = None
        if config.words != "pretrained":
            self.embedding = nn.Embedding(learned + 1, config.embedding_size, padding_idx=PADDING)
            nn.init.normal_(self.embedding.weight[1:].data, std=0.1)
        if config.words != "learned":
            self.translate = nn.Linear(pretrained_size, config.embedding_size, bias=False)
        if self.embedding is not None and self.translate is not None:  # both enter with the same spread
            nn.init.normal_(self.translate.weight, std=0.1 / math.sqrt(pretrained_size))
        self.dropout = nn.Dropout(config.dropout)
        self.rnn: nn.RNNBase
        hidden = config.hidden_size
        if config.cell == "gru":
            self.before, self.after = nn.Sequential(), nn.Sequential()
            self.rnn = nn.GRU(config.embedding_size, hidden, batch_first=True, bidirectional=True)
        else:
            self.before = nn.Sequential(nn.Linear(config.embedding_size, hidden), nn.ReLU())
            self.after = nn.Sequential(nn.ReLU())
            self.rnn = nn.RNN(hidden, hidden, nonlinearity="relu", batch_first=True, bidirectional=True)
        self.project = nn.Linear(hidden, size)

    def forward(self, numbers: Tensor, pretrained: Tensor, lengths: Tensor) -> Tensor:
        """Encode word numbers, int64 (S, W), and pretrained vectors, float32 (S, W, P), to float32 (S, W, size)."""
        S, W = numbers.shape
        embedded = self.before(self.dropout(self._embed(numbers, pretrained)))  # (S, W, embedding or hidden size)
        if int(lengths.min()) == W:  # nothing is padded: a query, mostly
            states, _ = self.rnn(embedded)  # (S, W, 2 * hidden)
        else:
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=W)
        both = states.view(S, W, 2, -1).sum(dim=2)  # (S, W, hidden)
        vectors: Tensor = self.after(self.project(self.dropout(both)))  # (S, W, size)
        return nn.functional.normalize(vectors, dim=-1) if self.unit else vectors

    def _embed(self, numbers: Tensor, pretrained: Tensor) -> Tensor:
        if self.embedding is None:
            assert self.translate is not None
            translated: Tensor = self.translate(pretrained)
            return translated
        learned: Tensor = self.embedding(numbers)
        if self.translate is None:
            return learned
        if self.training and self.word_dropout > 0:
            kept = torch.rand(numbers.shape, device=numbers.device) >= self.word_dropout
            learned = learned * kept[..., None]
        both: Tensor = learned + self.translate(pretrained)
        return both
