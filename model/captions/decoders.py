"""The recurrent networks that turn features into words, one after the other.

All have three doors, so that teacher forcing (all words at once) and beam search (one word at a time) are the same
code: `remember` makes of the features what stays the same for all words, `begin` the state before the first word, and
`forward` takes the words read so far to what the next ones are predicted from.

Letters: B photos or regions, K sentences of each, W words of a sentence, N rows of features, X numbers in a row, E size
of a word's embedding, H hidden size.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

State = tuple[Tensor, ...]  # each (B * K, ...)
Memory = tuple[Tensor, ...]  # each (B, ...)


class Decoder(Protocol):
    """A recurrent network over word embeddings. Its output has the size of an embedding."""

    def remember(self, subject: Tensor, rows: Tensor) -> Memory:
        """Make of features what stays the same for all words.

        Args:
            subject: what is described, float32 (B, Y).
            rows: the regions of its photo, float32 (B, N, X).
        """
        ...

    def begin(self, memory: Memory, sentences: int) -> State:
        """Return the state before the first word of K sentences of each photo."""
        ...

    def __call__(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Read words.

        Args:
            words: embeddings, float32 (B, K, W, E).
            memory: of the B photos.
            state: of the B * K sentences so far.

        Returns:
            What the word after each is predicted from, float32 (B, K, W, E); and the state after the last.
        """
        ...


class MultimodalRNN(nn.Module):
    """`h_t = f(W_hx x_t + W_hh h_{t-1} + b_h + [t = 1] b_v)`, `b_v = W_hi CNN(I)`: the photo at the first step only.

    f is ReLU, on b_v and W_hx x_t too.

    Source: Karpathy and Fei-Fei 2015, eqs. 13 to 15.
    """

    def __init__(self, subject_size: int, row_size: int, embedding: int, hidden: int, dropout: float) -> None:
        """Make the layers; `row_size` is not used: it sees the subject only."""
        super().__init__()
        self.image = nn.Linear(subject_size, hidden)
        self.word = nn.Linear(embedding, hidden)
        self.recurrent = nn.Linear(hidden, hidden)
        nn.init.eye_(self.recurrent.weight)  # a ReLU RNN keeps what it saw first (Le et al. 2015)
        nn.init.zeros_(self.recurrent.bias)
        self.output = nn.Linear(hidden, embedding)
        self.dropout = nn.Dropout(dropout)
        self.hidden = hidden

    def remember(self, subject: Tensor, rows: Tensor) -> Memory:
        """Return b_v, (B, H)."""
        return (F.relu(self.image(self.dropout(subject))),)

    def begin(self, memory: Memory, sentences: int) -> State:
        """Return h_0, zeros, and the b_v that the first step adds, each (B * K, H)."""
        first = memory[0].repeat_interleave(sentences, dim=0)
        return torch.zeros_like(first), first

    def forward(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Read words one after the other."""
        B, K, W, _ = words.shape
        hidden, image = state
        read = F.relu(self.word(self.dropout(words))).view(B * K, W, self.hidden)
        steps = []
        for position in range(W):
            hidden = F.relu(read[:, position] + self.recurrent(hidden) + image).clamp(max=_CEILING)
            image = torch.zeros_like(image)
            steps.append(hidden)
        seen = self.dropout(torch.stack(steps, dim=1))  # (B * K, W, H)
        return self.output(seen).reshape(B, K, W, -1), (hidden, image)


_CEILING = 20.0  # what a ReLU RNN may reach: its state grows without bound else, and so do the gradients


class _PhotoFirst(nn.Module):
    """What decoders share whose LSTM reads the photo before the first word."""

    def __init__(self, subject_size: int, embedding: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.image = nn.Linear(subject_size, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def begin(self, memory: Memory, sentences: int) -> State:
        """Return the state after the photo, each (B * K, H)."""
        zeros = memory[0].new_zeros(len(memory[0]), self.lstm.hidden_size)
        hidden, cell = self._step(memory[0], (zeros, zeros))
        return hidden.repeat_interleave(sentences, dim=0), cell.repeat_interleave(sentences, dim=0)

    def _read(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        """Read words (B, K, W, E): what the LSTM makes of each, (B * K, W, H), and the state after the last."""
        read = self.dropout(words).flatten(0, 1)  # (B * K, W, E)
        if read.shape[1] == 1:
            stepped = self._step(read[:, 0], state)
            return stepped[0][:, None], stepped
        said, (hidden, cell) = self.lstm(read, (state[0][None], state[1][None]))
        return said, (hidden[0], cell[0])

    def _step(self, read: Tensor, state: State) -> State:
        """Read one word or photo, (N, E): unlike the cell, the whole LSTM puts its weights in order anew each time."""
        return torch.lstm_cell(read, state, *self.lstm.all_weights[0])


class LSTMDecoder(_PhotoFirst):
    """An LSTM whose first input is the photo, before the first word.

    Source: Vinyals et al. 2015; neuraltalk and neuraltalk2.
    """

    def __init__(self, subject_size: int, row_size: int, embedding: int, hidden: int, dropout: float) -> None:
        """Make the layers; `row_size` is not used: it sees the subject only."""
        super().__init__(subject_size, embedding, hidden, dropout)
        self.output = nn.Linear(hidden, embedding)

    def remember(self, subject: Tensor, rows: Tensor) -> Memory:
        """Return the photo as a first input, (B, E)."""
        return (self.image(self.dropout(subject)),)

    def forward(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Read words."""
        said, state = self._read(words, state)  # (B * K, W, H)
        return self.output(self.dropout(said)).reshape(words.shape), state


class AttentionDecoder(_PhotoFirst):
    """An LSTM that begins with the photo, and looks at the regions for each word that it says.

    Attention has several heads of scaled inner products. It depends on the words alone, not on what was looked at
    before, so that all words of a sentence are trained in one call of the LSTM.

    Source: Xu et al. 2015 (attention for captions), Luong et al. 2015 (behind the recurrent layer), Vaswani et al. 2017
    (its heads).
    """

    HEADS = 4

    def __init__(self, subject_size: int, row_size: int, embedding: int, hidden: int, dropout: float) -> None:
        """Make the layers."""
        super().__init__(subject_size, embedding, hidden, dropout)
        self.region = nn.Linear(row_size, hidden)
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))
        self.output = nn.Linear(2 * hidden, embedding)

    def remember(self, subject: Tensor, rows: Tensor) -> Memory:
        """Return the photo as a first input, (B, E), and its regions' keys and values, (B, heads, N, H / heads)."""
        regions = self.dropout(F.relu(self.region(self.dropout(rows))))  # (B, N, H)
        return self.image(self.dropout(subject)), self._heads(self.key(regions)), self._heads(self.value(regions))

    def forward(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Read words, and look at the regions after each."""
        B, K, W, _ = words.shape
        said, state = self._read(words, state)  # (B * K, W, H)
        said = self.dropout(said).reshape(B, K * W, -1)
        queries = self._heads(self.query(said))  # (B, heads, K * W, H / heads)
        looked = F.scaled_dot_product_attention(queries, memory[1], memory[2])
        looked = looked.transpose(1, 2).reshape(B, K * W, -1)  # (B, K * W, H)
        joined = self.dropout(torch.cat([said, looked], dim=-1))
        return self.output(joined).view(words.shape), state

    def _heads(self, vectors: Tensor) -> Tensor:
        B, length, _ = vectors.shape
        return vectors.view(B, length, self.HEADS, -1).transpose(1, 2)


DECODERS: dict[str, Callable[[int, int, int, int, float], Decoder]] = {
    "attention": AttentionDecoder,
    "lstm": LSTMDecoder,
    "mrnn": MultimodalRNN,
}
