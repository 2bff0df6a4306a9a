"""CIDEr of single sentences against a corpus that stays the same: the reward of a training."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

Numbers = Sequence[int]
Vector = list[dict[tuple[int, ...], float]]  # weights of the sequences of one word, of two, ...

LONGEST = 4  # words of a sequence
SPREAD = 6.0  # words of difference in length after which a sentence counts 0.6


class CorpusCider:
    """How near sentences are to the references of an item: CIDEr-D, as `model.captions.measures.cider` of all at once.

    Source: Vedantam et al. 2015, with the clipping and the penalty of length of the COCO caption evaluation.
    """

    def __init__(self, references: Sequence[Sequence[Numbers]]) -> None:
        """Take word numbers of the sentences of each item, one sentence at least."""
        counted = [[_counts(sentence) for sentence in of_item] for of_item in references]
        self._items_with = Counter(chain.from_iterable(set(chain(*of_item)) for of_item in counted))
        self._log_items = math.log(len(references))
        self._references = [
            [(self._weights(counts), len(sentence)) for counts, sentence in zip(of_item, sentences, strict=True)]
            for of_item, sentences in zip(counted, references, strict=True)
        ]

    def score(self, item: int, sentence: Numbers) -> float:
        """Score word numbers of a sentence about an item: 0, nothing in common, to 10, the same as all references."""
        vector = self._weights(_counts(sentence))
        lengths = _lengths(vector)
        total = 0.0
        for reference, words in self._references[item]:
            likeness = sum(map(_cosine, vector, reference, lengths, _lengths(reference)))
            total += likeness * math.exp(-((len(sentence) - words) ** 2) / (2 * SPREAD**2))
        return 10 * total / LONGEST / len(self._references[item])

    def _weights(self, counts: Mapping[tuple[int, ...], int]) -> Vector:
        weights: Vector = [{} for _ in range(LONGEST)]
        for sequence, count in counts.items():
            rarity = self._log_items - math.log(max(1, self._items_with[sequence]))
            weights[len(sequence) - 1][sequence] = count * rarity
        return weights


def _counts(sentence: Numbers) -> Counter[tuple[int, ...]]:
    words = tuple(sentence)
    return Counter(
        words[start : start + length] for length in range(1, LONGEST + 1) for start in range(len(words) - length + 1)
    )


def _lengths(vector: Vector) -> list[float]:
    return [math.sqrt(sum(weight * weight for weight in part.values())) for part in vector]


def _cosine(
    said: Mapping[tuple[int, ...], float], wanted: Mapping[tuple[int, ...], float], length: float, other: float
) -> float:
    """Multiply weights of sequences, those that are said too often only as often as they are wanted."""
    if not length or not other:
        return 0.0
    shared = ((weight, wanted[sequence]) for sequence, weight in said.items() if sequence in wanted)
    return sum(min(weight, there) * there for weight, there in shared) / (length * other)
