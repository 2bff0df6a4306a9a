"""The words a checkpoint knows."""

from collections import Counter
from collections.abc import Iterable, Sequence

from model.words import words_of

PADDING = 0  # the row of the embedding that pads a batch; no word has it


class Vocabulary:
    """Words and their numbers, 1 to V in order; 0 pads.

    Words seen less than `minimum_count` times in the TRAINING sentences are left out (5 in the paper).

    Attributes:
        words: the V words.
        learned: how many of them, the first, training sentences have; the others are known by pretrained vectors only.
    """

    def __init__(self, words: Sequence[str], learned: int | None = None) -> None:
        """Number the words in the order given; all are learned if not said otherwise."""
        self.words = list(words)
        self.learned = len(self.words) if learned is None else learned
        self._numbers = {word: number for number, word in enumerate(self.words, start=1)}

    @classmethod
    def from_sentences(cls, sentences: Iterable[str], minimum_count: int = 5) -> "Vocabulary":
        """Count the words of training sentences; the most frequent first, ties by the alphabet."""
        counts = Counter(word for sentence in sentences for word in words_of(sentence))
        kept = [word for word, count in counts.items() if count >= minimum_count]
        return cls(sorted(kept, key=lambda word: (-counts[word], word)))

    def with_more(self, words: Iterable[str]) -> "Vocabulary":
        """Return this vocabulary and, behind it, those of the words that it lacks."""
        return Vocabulary([*self.words, *(word for word in words if word not in self)], self.learned)

    def __len__(self) -> int:
        """Return V."""
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        """Tell whether a lower-cased word is known."""
        return word in self._numbers

    def numbers(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of those words that are known, in order."""
        return [self._numbers[word] for word in words if word in self._numbers]

    def number(self, word: str) -> int | None:
        """Return the number of a word, None where it is not known."""
        return self._numbers.get(word)
