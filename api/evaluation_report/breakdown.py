"""Shares of queries that were found, by what the queries are like."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from api.drawing import PLAIN_WORDS
from model.grounding import GroundedPhrase

Z = 1.96  # standard deviations of a 95 % interval
LENGTHS = ((0, 6), (7, 9), (10, 12), (13, 16), (17, None))  # words, both ends included
AREAS = ((0.0, 0.05), (0.05, 0.15), (0.15, 0.4), (0.4, 1.0))  # shares of the photo, up to the second


@dataclass(frozen=True)
class Share:
    """How many of a group were found.

    >>> share = Share("dog", 30, 40)
    >>> share.percent, [round(edge, 1) for edge in share.interval]
    (75.0, [59.8, 85.8])
    """

    name: str
    found: int
    total: int

    @property
    def percent(self) -> float:
        """Found of a hundred; 0 of an empty group."""
        return 100.0 * self.found / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the percentage (Wilson 1927): what chance alone leaves open."""
        if not self.total:
            return 0.0, 100.0
        share, spread = self.found / self.total, Z * Z / self.total
        middle = (share + spread / 2) / (1 + spread)
        half = sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
        return 100.0 * max(0.0, middle - half), 100.0 * min(1.0, middle + half)

    def clearly_below(self, other: "Share") -> bool:
        """Tell whether the intervals do not touch, this one below."""
        return self.interval[1] < other.interval[0]


def least_count(queries: int) -> int:
    """Return how often a word must be seen before a share of it says something: 0.4 % of the queries, 5 at least."""
    return max(5, round(0.004 * queries))


def by_word(words: Sequence[Sequence[str]], found: npt.NDArray[np.bool_], least: int) -> list[Share]:
    """Share of sentences found, for each word of `least` sentences or more that says something of a picture.

    Args:
        words: of each of the S sentences.
        found: which sentences found their photo, bool (S,).
        least: sentences that a word must be in.

    Returns:
        The hardest word first, by the upper end of its interval: few sentences alone make no word hard.
    """
    shares = _shares((word, hit) for of_one, hit in zip(words, found, strict=True) for word in set(of_one))
    telling = [share for share in shares if share.total >= least and share.name not in PLAIN_WORDS]
    return sorted(telling, key=lambda share: (share.interval[1], share.name))


def by_length(words: Sequence[Sequence[str]], found: npt.NDArray[np.bool_]) -> list[Share]:
    """Share of sentences found by their number of words, shortest first; empty groups are left out."""
    lengths = np.array([len(of_one) for of_one in words])
    groups = []
    for least, most in LENGTHS:
        chosen = (lengths >= least) & (lengths <= (most or lengths.max()))
        name = f"{least} words or more" if not most else f"{least} to {most} words" if least else f"up to {most} words"
        groups.append(Share(name, int(found[chosen].sum()), int(chosen.sum())))
    return [group for group in groups if group.total]


def by_type(phrases: Sequence[GroundedPhrase], found: Sequence[bool]) -> list[Share]:
    """Share of phrases found by the type of what they name, the largest group first; some have two types."""
    pairs = ((kind, hit) for one, hit in zip(phrases, found, strict=True) for kind in one.phrase.type.split("/"))
    return sorted(_shares(pairs), key=lambda share: (-share.total, share.name))


def by_area(phrases: Sequence[GroundedPhrase], boxes: npt.NDArray[np.float32], found: Sequence[bool]) -> list[Share]:
    """Share of phrases found by the size of their largest box, smallest first; empty groups are left out.

    Args:
        phrases: what they chose.
        boxes: of the regions, float32 (I, R, 4), the whole photo last.
        found: of each phrase.
    """
    areas = np.array([_areas(one.phrase.boxes).max() / _areas(boxes[one.image, -1:])[0] for one in phrases])
    hits, groups = np.asarray(found, dtype=bool), []
    for least, most in AREAS:
        chosen = (areas >= least) & ((areas < most) | (most == 1.0))
        name = f"under {most:.0%}" if not least else f"{least:.0%} to {most:.0%}" if most < 1 else f"over {least:.0%}"
        groups.append(Share(name.replace("%", " %"), int(hits[chosen].sum()), int(chosen.sum())))
    return [group for group in groups if group.total]


def chance_recall(pool: int, true: int, k: int) -> npt.NDArray[np.float64]:
    """Return R@1 to R@k, in percent, of an order at random.

    Args:
        pool: answers.
        true: true ones among them.
        k: at most the pool.

    >>> chance_recall(4, 2, 3).round(1).tolist()
    [50.0, 83.3, 100.0]
    """
    drawn = np.arange(k, dtype=np.float64)
    missed = np.cumprod(np.maximum(pool - true - drawn, 0) / (pool - drawn))
    return np.asarray(100.0 * (1 - missed), dtype=np.float64)


def _shares(pairs: Iterable[tuple[Hashable, bool]]) -> list[Share]:
    counts: dict[Hashable, list[int]] = defaultdict(lambda: [0, 0])
    for name, hit in pairs:
        counts[name][0] += bool(hit)
        counts[name][1] += 1
    return [Share(str(name), found, total) for name, (found, total) in counts.items()]


def _areas(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    areas: npt.NDArray[np.float32] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
