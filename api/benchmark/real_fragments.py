"""Real photos and sentences as fragments: what a made collection is made of, and what is asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from api.session import read_photo
from engine.encoder import ModelEncoder
from engine.exceptions import SourceError
from engine.fragments import Fragments
from engine.settings import Settings
from model.checkpoint import BUNDLED, load_checkpoint
from model.dataset import DatasetImage
from model.datasets import read_dataset
from model.region_extractor import extractor_of_model
from model.score import ScoreConfig
from model.split_features import split_features

AT_ONCE = 64  # sentences or photos encoded together
QUERIES = 300  # of each kind, at most

Vectors = list[npt.NDArray[np.float32]]


@dataclass(frozen=True)
class RealFragments:
    """Photos and sentences of one model.

    Attributes:
        source: what they are, for the report.
        score: how the model scores.
        regions: photos to make photos of.
        words: sentences to make sentences of.
        texts: queries, word vectors of real sentences.
        photos: queries, region vectors of real photos.
    """

    source: str
    score: ScoreConfig
    regions: Fragments
    words: Fragments
    texts: Vectors
    photos: Vectors


def read_examples(folder: Path, settings: Settings) -> RealFragments:
    """Encode the example photos and their sentences; they are also the queries.

    Raises:
        SourceError: there are fewer than two photos with sentences.
    """
    encoder = ModelEncoder(load_checkpoint(settings.checkpoint or BUNDLED), settings.weight_files)
    paths = [path for path in sorted((folder / "photos").glob("*.jpg")) if path.with_suffix(".txt").exists()]
    if len(paths) < 2:
        raise SourceError(f"{folder / 'photos'} holds fewer than two .jpg files with a .txt beside them")
    photos = [encoder.encode_photo(read_photo(path, settings)).vectors for path in paths]
    lines = [line for path in paths for line in path.with_suffix(".txt").read_text("utf-8").splitlines()]
    words = _encode_sentences(encoder, lines)
    source = f"{len(photos)} example photos and {len(words)} sentences"
    return _gathered(source, encoder, photos, words, words, photos)


def read_training_data(dataset: Path, cache: Path, settings: Settings) -> RealFragments:
    """Encode the photos of a dataset's train split from cached features; dev's photos and sentences are the queries.

    Raises:
        DatasetError: the dataset lacks one of the splits or a photo.
    """
    checkpoint = load_checkpoint(settings.checkpoint or BUNDLED)
    encoder = ModelEncoder(checkpoint, settings.weight_files)
    data = read_dataset(dataset)
    extractor = extractor_of_model(checkpoint.model.config, settings.weight_files)
    photos, sentences = {}, {}
    for split in ("train", "dev"):
        chosen = split_features(data, split, extractor, cache)
        features = chosen.features if split == "train" else chosen.features[:QUERIES]
        photos[split] = _encode_features(checkpoint.model.image_encoder, features)
        sentences[split] = _encode_sentences(encoder, _first_sentences(chosen.images))
    source = f"{len(photos['train']):,} training photos of {data.name} and a sentence of each, asked by dev's"
    return _gathered(source, encoder, photos["train"], sentences["train"], sentences["dev"], photos["dev"])


def _gathered(
    source: str, encoder: ModelEncoder, photos: Vectors, sentences: Vectors, texts: Vectors, asked: Vectors
) -> RealFragments:
    regions = Fragments.of(range(len(photos)), photos, encoder.dimension)
    words = Fragments.of(range(len(sentences)), sentences, encoder.dimension)
    return RealFragments(source, encoder.score, regions, words, texts[:QUERIES], asked[:QUERIES])


def _first_sentences(images: Sequence[DatasetImage]) -> list[str]:
    return [image.sentences[0] for image in images if image.sentences]


def _encode_sentences(encoder: ModelEncoder, texts: Sequence[str]) -> Vectors:
    chunks = [texts[first : first + AT_ONCE] for first in range(0, len(texts), AT_ONCE)]
    encoded = [sentence.vectors for chunk in chunks for sentence in encoder.encode_sentences(chunk)]
    return [vectors for vectors in encoded if len(vectors)]


@torch.inference_mode()
def _encode_features(image_encoder: torch.nn.Module, features: npt.NDArray[np.float16]) -> Vectors:
    chunks = [features[first : first + AT_ONCE].astype(np.float32) for first in range(0, len(features), AT_ONCE)]
    return [photo for chunk in chunks for photo in image_encoder(torch.from_numpy(chunk)).numpy()]
