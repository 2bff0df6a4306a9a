"""Made items and queries for the tests of indexes."""

import numpy as np
import numpy.typing as npt

from engine.fragments import Fragments, ScoreTerms

D = 16
WORDS_ASK = ScoreTerms(query=True, stored=False, reduction="sum")
REGIONS_ASK = ScoreTerms(query=False, stored=True, reduction="mean")


def half(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Round to what an index stores."""
    return vectors.astype(np.float16).astype(np.float32)


def some_items(ids: list[int], seed: int = 0) -> Fragments:
    """Items of one to five random vectors."""
    random = np.random.default_rng(seed)
    vectors = [half(random.standard_normal((int(random.integers(1, 6)), D)).astype(np.float32)) for _ in ids]
    return Fragments.of(ids, vectors, D)


def query_of(count: int = 3, seed: int = 9) -> npt.NDArray[np.float32]:
    """So many random vectors."""
    return np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)
