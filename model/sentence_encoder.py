"""Words in context to word vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from model.vocabulary import PADDING


def pad_numbers(numbers: Sequence[Sequence[int]]) -> Tensor:
    """Pad sentences of word numbers to one length: int64 (S, W)."""
    return pad_sequence([torch.tensor(sentence) for sentence in numbers], batch_first=True, padding_value=PADDING)


Cell = Literal["gru", "relu"]


@dataclass(frozen=True)
class SentenceEncoderConfig:
    """What a sentence encoder is made of; kept in the checkpoint.

    Attributes:
        cell: "relu" is the BRNN of the paper, with a ReLU layer before and after; "gru" has gated units instead.
        embedding_size: of a word before the RNN.
        hidden_size: of the RNN, each direction.
        dropout: rate on word embeddings and RNN states; the recurrence itself has none.
        fixed_words: word embeddings are not trained, as in the paper.
    """

    cell: Cell = "gru"
    embedding_size: int = 300
    hidden_size: int = 384
    dropout: float = 0.2
    fixed_words: bool = False


class SentenceEncoder(nn.Module):
    """A bidirectional RNN; one vector per word, the sum of both directions mapped to D.

    Source: Karpathy and Fei-Fei 2015, eqs. 3 to 7; GRU cells: Cho et al. 2014.
    """

    def __init__(self, config: SentenceEncoderConfig, vocabulary_size: int, dimension: int, unit: bool) -> None:
        """Make the layers; `unit` scales word vectors to length one."""
        super().__init__()
        self.unit = unit
        size, hidden = config.embedding_size, config.hidden_size
        self.embedding = nn.Embedding(vocabulary_size + 1, size, padding_idx=PADDING)
        nn.init.normal_(self.embedding.weight[1:].data, std=0.1)
        self.embedding.weight.requires_grad_(not config.fixed_words)
        self.dropout = nn.Dropout(config.dropout)
        self.rnn: nn.RNNBase
        if config.cell == "gru":
            self.before, self.after = nn.Sequential(), nn.Sequential()
            self.rnn = nn.GRU(size, hidden, batch_first=True, bidirectional=True)
        else:
            self.before, self.after = nn.Sequential(nn.Linear(size, hidden), nn.ReLU()), nn.Sequential(nn.ReLU())
            self.rnn = nn.RNN(hidden, hidden, nonlinearity="relu", batch_first=True, bidirectional=True)
        self.project = nn.Linear(hidden, dimension)

    def forward(self, numbers: Tensor) -> Tensor:
        """Encode sentences.

        Args:
            numbers: word numbers, int64 (S, W), at least one per sentence, then PADDING.

        Returns:
            Word vectors, float32 (S, W, D); those under padding mean nothing. A sentence's vectors do not depend on
            the sentences beside it.
        """
        S, W = numbers.shape
        embedded = self.before(self.dropout(self.embedding(numbers)))  # (S, W, embedding or hidden size)
        lengths = (numbers != PADDING).sum(dim=1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=W)  # (S, W, 2 * hidden)
        both = states.view(S, W, 2, -1).sum(dim=2)  # (S, W, hidden)
        vectors: Tensor = self.after(self.project(self.dropout(both)))  # (S, W, D)
        return torch.nn.functional.normalize(vectors, dim=-1) if self.unit else vectors
