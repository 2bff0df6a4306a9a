"""The door from the engine to the model: numpy arrays outside, tensors inside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import torch

from model.checkpoint import BUNDLED, Checkpoint, load_checkpoint
from model.score import ScoreConfig
from model.sentence_encoder import pad_numbers
from model.weight_files import NO_FILES, WeightFiles
from model.words import normal_form, word_spans

if TYPE_CHECKING:
    from model.region_features import RegionExtractor


@dataclass(frozen=True)
class PhotoFragments:
    """A photo as the index stores it.

    Attributes:
        boxes: float32 (R, 4), (x0, y0, x1, y1) in pixels of the upright photo; the last is the whole photo.
        vectors: region vectors, float32 (R, D), as the model made them.
        features: what a captioner takes, float32 (R, X); None of a photo that was not encoded now.
    """

    boxes: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32] | None = None


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
        known_words: the words that it knows, the commonest first, as far as they can be listed.
    """

    model_hash: str
    dimension: int
    score: ScoreConfig
    known_words: Sequence[str]

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        """Encode one upright RGB photo, uint8 (height, width, 3)."""
        ...

    def encode_box(self, photo: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]) -> PhotoFragments:
        """Encode a box of an upright RGB photo as its one region: float32 (4,), pixels, within the photo."""
        ...

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        """Encode sentences, results in input order; a sentence's vectors do not depend on its neighbours."""
        ...


class ModelEncoder:
    """The bundled or a trained checkpoint as an Encoder. The CNN is loaded with the first photo.

    Attributes:
        checkpoint: that it was made of.
    """

    def __init__(self, checkpoint: Checkpoint, files: WeightFiles = NO_FILES) -> None:
        """Wrap a loaded checkpoint; `files` are the weights of the networks that it takes features of."""
        self.checkpoint = checkpoint
        self._files = files
        self._model = checkpoint.model
        self._vocabulary = checkpoint.vocabulary
        self._extractor: RegionExtractor | None = None
        self._loading = Lock()
        self.model_hash = checkpoint.model_hash
        self.dimension = checkpoint.model.config.dimension
        self.score = checkpoint.model.config.score
        self.known_words: Sequence[str] = checkpoint.vocabulary.words

    @torch.inference_mode()
    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        """Encode one upright RGB photo, uint8 (height, width, 3).

        Raises:
            CheckpointError: with the first photo, where the CNN is not the one that the model was trained with.
        """
        regions = self._load_extractor().extract(photo)
        features = torch.from_numpy(regions.features)
        return PhotoFragments(regions.boxes, self._model.image_encoder(features).numpy(), regions.features)

    @torch.inference_mode()
    def encode_box(self, photo: npt.NDArray[np.uint8], box: npt.NDArray[np.float32]) -> PhotoFragments:
        """Encode a box of an upright RGB photo, float32 (4,), as the region that a proposer would have put first.

        Raises:
            CheckpointError: as `encode_photo`.
        """
        regions = self._load_extractor().describe(photo, box[None])
        vectors = self._model.image_encoder(torch.from_numpy(regions.features)).numpy()  # (2, D): box, whole photo
        return PhotoFragments(regions.boxes[:1], vectors[:1], regions.features[:1])

    @property
    def features_name(self) -> str:
        """Name what the features of photos depend on, see RegionExtractor.name; loads the CNN.

        Raises:
            CheckpointError: as `encode_photo`.
        """
        return self._load_extractor().name

    @torch.inference_mode()
    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        """Encode sentences, results in input order; a sentence's vectors do not depend on its neighbours."""
        parsed = [self._parse(text) for text in texts]
        vectors: list[npt.NDArray[np.float32]] = [np.empty((0, self.dimension), dtype=np.float32)] * len(texts)
        rows = [row for row, sentence in enumerate(parsed) if sentence.words]
        if rows:
            padded = pad_numbers([self._vocabulary.numbers(parsed[row].words) for row in rows])
            encoded = self._model.sentence_encoder(padded).numpy()  # (S, W, D)
            for row, sentence in zip(rows, encoded, strict=True):
                vectors[row] = sentence[: len(parsed[row].words)].copy()
        return [replace(sentence, vectors=found) for sentence, found in zip(parsed, vectors, strict=True)]

    def _parse(self, text: str) -> SentenceFragments:
        spans = word_spans(text)
        words = [normal_form(text[start:end]) for start, end in spans]
        known = [word in self._vocabulary for word in words]
        return SentenceFragments(
            words=[word for word, is_known in zip(words, known, strict=True) if is_known],
            spans=[span for span, is_known in zip(spans, known, strict=True) if is_known],
            unknown=[word for word, is_known in zip(words, known, strict=True) if not is_known],
            vectors=np.empty((0, self.dimension), dtype=np.float32),
        )

    def _load_extractor(self) -> "RegionExtractor":
        with self._loading:
            if self._extractor is None:
                from model.region_extractor import extractor_of_model  # timm: only where a photo is encoded

                self._extractor = extractor_of_model(self._model.config, self._files)
            return self._extractor


def load_encoder(checkpoint: Path | None = None, files: WeightFiles = NO_FILES) -> ModelEncoder:
    """Load a checkpoint folder, the bundled one if none is given.

    Args:
        checkpoint: its folder.
        files: of weights that come with no package.

    Raises:
        CheckpointError: it cannot be used.
    """
    return ModelEncoder(load_checkpoint(checkpoint or BUNDLED), files)
