"""Words in context to word vectors."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from model.vocabulary import PADDING


def pad_numbers(numbers: Sequence[Sequence[int]]) -> Tensor:
    """Pad sentences of word numbers to one length: int64 (S, W)."""
    return pad_sequence([torch.tensor(sentence) for sentence in numbers], batch_first=True, padding_value=PADDING)


class SentenceEncoder(nn.Module):
    """A bidirectional RNN of gated units; one vector per word, the sum of both directions mapped to D.

    Source: Karpathy and Fei-Fei 2015, eqs. 3 to 7, with GRU cells (Cho et al. 2014) in place of ReLU.
    """

    def __init__(
        self, vocabulary_size: int, embedding_size: int, hidden_size: int, dimension: int, dropout: float, unit: bool
    ) -> None:
        """Make the layers; `unit` scales word vectors to length one."""
        super().__init__()
        self.unit = unit
        self.embedding = nn.Embedding(vocabulary_size + 1, embedding_size, padding_idx=PADDING)
        nn.init.normal_(self.embedding.weight[1:].data, std=0.1)
        self.dropout = nn.Dropout(dropout)
        self.rnn = nn.GRU(embedding_size, hidden_size, batch_first=True, bidirectional=True)
        self.project = nn.Linear(hidden_size, dimension)

    def forward(self, numbers: Tensor) -> Tensor:
        """Encode sentences.

        Args:
            numbers: word numbers, int64 (S, W), at least one per sentence, then PADDING.

        Returns:
            Word vectors, float32 (S, W, D); those under padding mean nothing. A sentence's vectors do not depend on
            the sentences beside it.
        """
        S, W = numbers.shape
        embedded = self.dropout(self.embedding(numbers))  # (S, W, E)
        lengths = (numbers != PADDING).sum(dim=1).cpu()
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=W)  # (S, W, 2 * hidden)
        both = states.view(S, W, 2, -1).sum(dim=2)  # (S, W, hidden)
        vectors: Tensor = self.project(self.dropout(both))  # (S, W, D)
        return torch.nn.functional.normalize(vectors, dim=-1) if self.unit else vectors
