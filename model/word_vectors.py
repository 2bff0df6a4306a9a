"""Pretrained word vectors, so that a model knows more words than its training sentences have."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.exceptions import DatasetError
from model.words import words_of

COMMONEST = 50_000  # words kept of a file, which lists the commonest first


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors, in eight bits.

    Attributes:
        words: V words in their normal form, the commonest first.
        table: int8 (V, P).
        scale: float32 (V,); a word's vector is its row times its scale, all together with a spread of one.
    """

    words: list[str]
    table: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]


def no_word_vectors(size: int = 1) -> WordVectors:
    """Return no words, with vectors of `size` (P): for a model that learns all its words, or whose table is read."""
    return WordVectors([], np.zeros((0, size), np.int8), np.zeros(0, np.float32))


def read_word_vectors(path: Path, also: Iterable[str] = (), commonest: int = COMMONEST) -> WordVectors:
    """Read the text format of GloVe, word2vec and fastText: a line for each word, the word and its P numbers.

    Args:
        path: the file; a first line of two numbers, as word2vec has it, is skipped.
        also: words to take however rare they are.
        commonest: how many words to take from the top.

    Raises:
        DatasetError: the file cannot be read; the line is named.
    """
    wanted = set(also)
    found: dict[str, list[float]] = {}
    size = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                word, *values = line.rstrip().split(" ")
                if number == 1 and len(values) == 1:
                    continue
                size = size or len(values)
                if len(values) != size or not values:
                    raise DatasetError(f"{path}, line {number}: expected a word and {size} numbers")
                if word in found or (len(found) >= commonest and word not in wanted) or words_of(word) != [word]:
                    continue
                found[word] = _numbers(values, path, number)
    except UnicodeDecodeError as error:
        raise DatasetError(f"the word vectors {path} are not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise DatasetError(f"the word vectors {path} cannot be read: {error.strerror}") from error
    if not found:
        raise DatasetError(f"the word vectors {path} hold no words")
    vectors = np.array(list(found.values()), dtype=np.float32)
    vectors /= vectors.std()
    largest = np.abs(vectors).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return WordVectors(list(found), np.round(vectors / scale[:, None]).astype(np.int8), scale)


def _numbers(values: list[str], path: Path, line: int) -> list[float]:
    try:
        return [float(value) for value in values]
    except ValueError as error:
        raise DatasetError(f"{path}, line {line}: not every value behind the word is a number") from error
