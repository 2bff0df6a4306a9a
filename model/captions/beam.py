"""Beam search for captions, batched over photos."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from model.captions.captioner import BOUNDARY, Captioner
from model.exceptions import CaptionError

MAXIMUM_WORDS = 20  # longest caption; 99 % of Flickr8k's sentences are not longer


@dataclass(frozen=True)
class BeamConfig:
    """How captions are searched.

    Attributes:
        width: sentences kept at each step; 1 always takes the likeliest word.
        length_norm: complete sentences are compared by their log probability divided by their number of words, the end
            counted, to the power of this; 0 compares log probabilities.
        no_repeat: no sequence of so many words stands twice in a caption; 0 allows all.
        agreement: added to what complete sentences are compared by is this times what the alignment model thinks of
            them, see model.captions.agreement; 0 leaves the model out.
    """

    width: int = 7
    length_norm: float = 0.7
    no_repeat: int = 0
    agreement: float = 0.15

    def __post_init__(self) -> None:
        """Refuse what cannot be searched."""
        if self.width < 1:
            raise CaptionError(f"the beam must be 1 or wider, not {self.width}")
        if not 0 <= self.length_norm < float("inf"):
            raise CaptionError(f"the power of the length must be 0 or more, not {self.length_norm}")
        if self.no_repeat < 0:
            raise CaptionError(f"the length of sequences not to repeat must be 0 or more, not {self.no_repeat}")
        if not 0 <= self.agreement < float("inf"):
            raise CaptionError(f"the weight of the alignment model must be 0 or more, not {self.agreement}")


@dataclass(frozen=True)
class Sentence:
    """A sentence that was found.

    Attributes:
        numbers: of its words, one at least.
        log_probability: of all its words and its end, nats.
    """

    numbers: tuple[int, ...]
    log_probability: float

    def normed(self, length_norm: float) -> float:
        """Return the log probability divided by the number of words, the end counted, to a power."""
        return self.log_probability / math.pow(len(self.numbers) + 1, length_norm)


@torch.inference_mode()
def beam_search(captioner: Captioner, features: Tensor, config: BeamConfig) -> list[list[Sentence]]:
    """Find likely sentences.

    Args:
        captioner: in evaluation mode.
        features: of B photos or regions, float32 (B, N, X).
        config: how.

    Returns:
        For each of the B complete sentences, the best first, `width` at most.
    """
    B, K = len(features), config.width
    memory = captioner.remember(features)
    state = captioner.begin(memory, K)
    totals = torch.full((B, K), -torch.inf)
    totals[:, 0] = 0.0  # all K are the same before the first word
    numbers = torch.full((B, K, 1), BOUNDARY)
    ended = torch.zeros(B, K, dtype=torch.bool)
    for length in range(MAXIMUM_WORDS + 1):
        logits, state = captioner.logits(numbers[..., -1:], memory, state)  # (B, K, 1, V + 1)
        step = _allowed(logits[:, :, 0].log_softmax(dim=-1), numbers, ended, length, config.no_repeat)
        totals, chosen = (totals[..., None] + step).flatten(1).topk(K)  # of K * (V + 1)
        parents, words = chosen // step.shape[-1], chosen % step.shape[-1]  # (B, K)
        rows = (parents + K * torch.arange(B)[:, None]).flatten()
        state = tuple(values[rows] for values in state)
        numbers = torch.cat([numbers.flatten(0, 1)[rows].view(B, K, -1), words[..., None]], dim=-1)
        ended = words == BOUNDARY
        if bool(ended.all()):
            break
    return [_complete(*photo, config.length_norm) for photo in zip(numbers, totals, ended, strict=True)]


def _allowed(step: Tensor, numbers: Tensor, ended: Tensor, length: int, no_repeat: int) -> Tensor:
    """Set the log probabilities, (B, K, V + 1), of what must not follow to minus infinity."""
    if length == 0:
        step[..., BOUNDARY] = -torch.inf  # a caption is never empty
    if length == MAXIMUM_WORDS:
        step[..., BOUNDARY + 1 :] = -torch.inf
    if no_repeat:
        for row, place in torch.nonzero(~ended).tolist():
            step[row, place, _repeating(numbers[row, place, 1:].tolist(), no_repeat)] = -torch.inf
    step[ended] = -torch.inf
    step[..., BOUNDARY] = torch.where(ended, 0.0, step[..., BOUNDARY])  # what has ended stays as it is
    return step


def _repeating(sentence: list[int], length: int) -> list[int]:
    """Return the words that would make the last `length` words of a sentence stand in it twice.

    >>> _repeating([1, 2, 3, 1, 2], 3)
    [3]
    """
    last = sentence[len(sentence) - length + 1 :] if length > 1 else []
    if len(sentence) < length:
        return []
    return [
        sentence[start + length - 1]
        for start in range(len(sentence) - length + 1)
        if sentence[start : start + length - 1] == last
    ]


def _complete(numbers: Tensor, totals: Tensor, ended: Tensor, length_norm: float) -> list[Sentence]:
    """Return the complete sentences of one photo's beam, best first."""
    found = []
    for row, total, complete in zip(numbers[:, 1:].tolist(), totals.tolist(), ended.tolist(), strict=True):
        if complete and total > -torch.inf:
            found.append(Sentence(tuple(row[: row.index(BOUNDARY)]), total))
    return sorted(found, key=lambda one: -one.normed(length_norm))
