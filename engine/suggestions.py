"""Suggestions: how a query that somebody types could go on, from what a collection says and what the model knows."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from engine.catalogue import Catalogue
from model.words import normal_form, word_spans, words_of

MOST_TEXTS = 100_000
"""Captions, and as many sentences, that are kept in memory of a collection: the oldest."""

Spelling = tuple[str, str]
"""A text as it is compared, its words in their normal form, and as it is shown."""


class Suggestions:
    """Completes queries. Thread-safe.

    The texts of a collection are read once for each publication of it.

    Args:
        catalogue: what the collections hold.
        known_words: of the model, the commonest first.
    """

    def __init__(self, catalogue: Catalogue, known_words: Sequence[str]) -> None:
        self._catalogue = catalogue
        self._known = _Ranked((word, word) for word in known_words)
        self._said: dict[int, tuple[str | None, _Said]] = {}
        self._reading = threading.Lock()

    def complete(self, collection: str, prefix: str, count: int) -> list[str]:
        """Return up to `count` texts that begin with what was typed, as words do.

        A third of them at most end with its last word made whole, by words of the collection; then come captions and
        sentences of the collection, what is said often before what is said once, short before long; and, where these
        are too few, further words of the collection and words that only the model knows. Upper and lower case, spaces
        and punctuation do not count.

        Raises:
            UnknownCollection: there is no collection of that name.
        """
        said = self._read(collection)
        begun, start = _last_word(prefix)
        head = prefix[:start]
        said_words = [head + word for word in said.words.best(begun, count + 1)] if begun else []
        known_words = [head + word for word in self._known.best(begun, count + 1)] if begun else []
        texts = said.texts.best(_compared(prefix, bool(begun)), count + 1)
        found: dict[str, str] = {}
        for text in [*said_words[: count // 3], *texts, *said_words, *known_words]:
            found.setdefault(_compared(text, True), text)
        found.pop(_compared(prefix, True), None)  # what is there already is no suggestion
        return list(found.values())[:count]

    def _read(self, collection: str) -> "_Said":
        info = self._catalogue.collection(collection)
        with self._reading:
            snapshot, said = self._said.get(info.id, (None, None))
            if said is None or snapshot != info.snapshot:
                said = _Said(self._catalogue.texts(info.id, MOST_TEXTS))
                self._said[info.id] = info.snapshot, said
            return said


class _Said:
    """The texts of a collection and their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        spellings = [(" ".join(words), " ".join(text.split())) for text in texts if (words := words_of(text))]
        self.texts = _Ranked(_often_then_short(spellings))
        counts = Counter(word for compared, _ in spellings for word in compared.split())
        self.words = _Ranked((word, word) for word, _ in counts.most_common())


class _Ranked:
    """Texts that can be asked for by how they begin.

    Args:
        spellings: the best first.
    """

    def __init__(self, spellings: Iterable[Spelling]) -> None:
        ranked = sorted((compared, rank, shown) for rank, (compared, shown) in enumerate(spellings))
        self._compared = [compared for compared, _, _ in ranked]
        self._shown = [shown for _, _, shown in ranked]
        self._ranks: npt.NDArray[np.int64] = np.array([rank for _, rank, _ in ranked], dtype=np.int64)

    def best(self, prefix: str, count: int) -> list[str]:
        """Return the best `count` texts that begin so, the best first."""
        first = bisect_left(self._compared, prefix)
        last = bisect_left(self._compared, prefix + "\U0010ffff", first)
        best = np.argsort(self._ranks[first:last])[:count]
        return [self._shown[first + place] for place in best.tolist()]


def _often_then_short(spellings: Sequence[Spelling]) -> list[Spelling]:
    counts = Counter(compared for compared, _ in spellings)
    shown = dict(reversed(spellings))  # of two ways to write the same, the first
    return [(text, shown[text]) for text in sorted(counts, key=lambda text: (-counts[text], len(text), text))]


def _last_word(prefix: str) -> tuple[str, int]:
    """Return the word that is being typed, in its normal form, and where it begins; nothing after a space.

    >>> _last_word("two Do"), _last_word("two ")
    (('do', 4), ('', 4))
    """
    spans = word_spans(prefix)
    if not spans or spans[-1][1] < len(prefix):
        return "", len(prefix)
    return normal_form(prefix[spans[-1][0] :]), spans[-1][0]


def _compared(text: str, open_end: bool) -> str:
    """Write a text as it is compared; a word that has ended is followed by another one."""
    words = " ".join(words_of(text))
    return words if open_end or not words else words + " "
