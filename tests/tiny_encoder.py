"""A deterministic encoder without weights, for every test above the model.

A region's vector is the mean and spread of its colours, a word's vector comes from the hash of its letters; words of
one letter, and words that begin with "zz", are unknown.
"""

import hashlib
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.encoder import PhotoFragments, SentenceFragments
from model.score import ScoreConfig
from model.words import word_spans

DIMENSION = 16


class TinyEncoder:
    """Encodes photos on a 2 x 2 grid and the whole; counts what it is asked.

    Attributes:
        photos: photos encoded.
        texts: sentences encoded.
    """

    def __init__(self, model_hash: str = "0" * 64, score: ScoreConfig | None = None) -> None:
        self.model_hash = model_hash
        self.dimension = DIMENSION
        self.score = score or ScoreConfig()
        self.known_words: Sequence[str] = ("wall", "walrus", "red")
        self.photos = 0
        self.texts = 0
        self._lock = threading.Lock()

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        """Encode the four quarters, where there are any, and the whole photo; its features are its vectors."""
        with self._lock:
            self.photos += 1
        height, width = photo.shape[:2]
        x, y = width // 2, height // 2
        quarters = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
        boxes = [box for box in quarters if box[0] < box[2] and box[1] < box[3]]
        boxes.append((0, 0, width, height))
        vectors = [_region_vector(photo[y0:y1, x0:x1]) for x0, y0, x1, y1 in boxes]
        return PhotoFragments(np.array(boxes, np.float32), np.stack(vectors), np.stack(vectors))

    def encode_box(self, photo: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]) -> PhotoFragments:
        """Encode what a box shows, as a quarter is."""
        x0, y0, x1, y1 = (round(edge) for edge in box.tolist())
        vector = _region_vector(photo[y0:y1, x0:x1])[None]
        return PhotoFragments(box[None], vector, vector)

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        """Encode the known words of each sentence, each by itself."""
        with self._lock:
            self.texts += len(texts)
        return [_sentence_fragments(text) for text in texts]


def _region_vector(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    colours = pixels.reshape(-1, 3).astype(np.float64) / 255
    values = np.concatenate([colours.mean(axis=0), colours.std(axis=0), (colours**2).mean(axis=0)])
    vector = np.zeros(DIMENSION)
    vector[: len(values)] = values - 0.5
    return vector.astype(np.float32)


def _sentence_fragments(text: str) -> SentenceFragments:
    spans = word_spans(text)
    known = [(start, end) for start, end in spans if _is_known(text[start:end].lower())]
    words = [text[start:end].lower() for start, end in known]
    unknown = [text[start:end].lower() for start, end in spans if (start, end) not in set(known)]
    vectors = np.array([_word_vector(word) for word in words], np.float32).reshape(len(words), DIMENSION)
    return SentenceFragments(words, known, unknown, vectors)


def _is_known(word: str) -> bool:
    return len(word) > 1 and not word.startswith("zz")


def _word_vector(word: str) -> list[float]:
    digest = hashlib.sha256(word.encode()).digest()[:DIMENSION]
    return [byte / 128 - 1 for byte in digest]
