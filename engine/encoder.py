"""The door from the engine to the model: numpy arrays outside, tensors inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.score import ScoreConfig


@dataclass(frozen=True)
class PhotoFragments:
    """A photo as the index stores it.

    Attributes:
        boxes: float32 (R, 4), (x0, y0, x1, y1) in pixels of the upright photo; the last is the whole photo.
        vectors: region vectors, float32 (R, D), as the model made them.
    """

    boxes: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float32]


@dataclass(frozen=True)
class SentenceFragments:
    """A sentence as the index stores it; unknown words have no vector.

    Attributes:
        words: the W known words, lower-cased, in order.
        spans: (start, end) of each known word in the text, characters, end exclusive.
        unknown: words of the text that the model does not know, in order.
        vectors: word vectors, float32 (W, D); W may be 0.
    """

    words: list[str]
    spans: list[tuple[int, int]]
    unknown: list[str]
    vectors: npt.NDArray[np.float32]


class Encoder(Protocol):
    """Photos and sentences to fragments. Thread-safe.

    Attributes:
        model_hash: names the weights and everything else that changes a vector; hex.
        dimension: D.
        score: how the score of a pair is made.
    """

    model_hash: str
    dimension: int
    score: ScoreConfig

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        """Encode one upright RGB photo, uint8 (height, width, 3)."""
        ...

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        """Encode sentences, results in input order; a sentence's vectors do not depend on its neighbours."""
        ...
