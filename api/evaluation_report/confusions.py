"""Which words are taken for which: what photos show that are preferred to the right one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from api.drawing import PLAIN_WORDS

MISSED = 10  # a query whose photo is not among so many first is missed
_QUERIES_AT_ONCE = 1000  # their photos and words in memory at a time
_A_WORD = 2  # pairs told of one asked word


@dataclass(frozen=True)
class Confusion:
    """Two words that a model confuses.

    Attributes:
        asked: a word of missed queries, in no sentence of the photos counted.
        shown: a word of those photos' sentences, in no sentence of the right photo.
        times: photos ranked in the first ten of a missed query so.
        expected: the same for as many photos at random.
        queries: missed queries with the asked word.
    """

    asked: str
    shown: str
    times: int
    expected: float
    queries: int

    @property
    def ratio(self) -> float:
        """How many times as often as at random; as if once, where less is to be expected."""
        return self.times / max(self.expected, 1.0)


@dataclass(frozen=True)
class Queries:
    """What the confusions are counted from.

    Attributes:
        words: of each of the S sentences.
        image_of: the photo of each sentence, int64 (S,).
        ranks: of the sentence's photo, int64 (S,).
        first: photos ranked first, int64 (S, K).
    """

    words: Sequence[Sequence[str]]
    image_of: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]


def confusions(queries: Queries, least: int, most: int = 15) -> list[Confusion]:
    """Find the pairs of words that missed queries and wrongly preferred photos have oftener than chance explains.

    Args:
        queries: all sentences and what they found.
        least: sentences that a word must be in, and missed queries that an asked word must be in.
        most: pairs returned.

    Returns:
        The least likely by chance first, by (times - expected) / sqrt(expected + 1); at most two of one asked word.
    """
    vocabulary = _telling_words(queries.words, least)
    if not vocabulary:
        return []
    said, shown = _presence(queries, vocabulary)
    missed = np.flatnonzero(queries.ranks > MISSED)
    times, expected = _count(queries, missed, said, shown)
    asked = said[missed].sum(axis=0)  # (V,) missed queries with each word
    surprise = (times - expected) / np.sqrt(expected + 1)
    surprise[asked < least] = 0.0
    found: list[Confusion] = []
    told: Counter[str] = Counter()
    for place in np.argsort(-surprise, axis=None, kind="stable"):
        w, v = np.unravel_index(place, surprise.shape)
        if len(found) == most or surprise[w, v] < 3:  # standard deviations, about
            break
        if told[vocabulary[w]] < _A_WORD:
            told[vocabulary[w]] += 1
            found.append(
                Confusion(vocabulary[w], vocabulary[v], int(times[w, v]), float(expected[w, v]), int(asked[w]))
            )
    return found


def _telling_words(words: Sequence[Sequence[str]], least: int) -> list[str]:
    counts = Counter(word for of_one in words for word in set(of_one) if word not in PLAIN_WORDS)
    return sorted(word for word, count in counts.items() if count >= least)


def _presence(queries: Queries, vocabulary: Sequence[str]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mark the words of each sentence, (S, V), and of any sentence of each photo, (I, V); 1 or 0."""
    place = {word: number for number, word in enumerate(vocabulary)}
    said = np.zeros((len(queries.words), len(vocabulary)), dtype=np.float32)
    for row, of_one in enumerate(queries.words):
        said[row, [place[word] for word in of_one if word in place]] = 1.0
    shown = np.zeros((int(queries.image_of.max()) + 1, len(vocabulary)), dtype=np.float32)
    np.maximum.at(shown, queries.image_of, said)
    return said, shown


def _count(
    queries: Queries,
    missed: npt.NDArray[np.int64],
    said: npt.NDArray[np.float32],
    shown: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Count photos by asked and shown word, and what to expect of photos at random, both (V, V)."""
    lacking = 1 - shown  # (I, V)
    chance = (lacking.T @ shown) / np.maximum(lacking.sum(axis=0), 1)[:, None]  # share with v of those without w
    times = np.zeros_like(chance)
    rows = np.zeros_like(chance)
    for start in range(0, len(missed), _QUERIES_AT_ONCE):
        query = np.repeat(missed[start : start + _QUERIES_AT_ONCE], queries.first.shape[1])  # one row a found photo
        found = queries.first[missed[start : start + _QUERIES_AT_ONCE]].reshape(-1)
        asked = said[query] * lacking[found]  # (N, V) the query says it and the photo does not
        new = lacking[queries.image_of[query]]  # (N, V) the right photo does not show it
        times += asked.T @ (new * shown[found])
        rows += asked.T @ new
    return times, rows * chance
