"""The alignment model: image encoder, sentence encoder and the score of a pair."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from pydantic import ConfigDict, with_config
from torch import Tensor, nn

from model.image_encoder import ImageEncoder
from model.score import ScoreConfig, image_sentence_scores
from model.sentence_encoder import SentenceEncoder, SentenceEncoderConfig
from model.streams import each_stream
from model.vocabulary import PADDING, Vocabulary
from model.word_vectors import WordVectors, no_word_vectors


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class AlignmentConfig:
    """Everything needed to rebuild the model; kept in the checkpoint.

    Attributes:
        backbone: name of the CNN.
        proposer: name of the region proposer.
        features: kinds of region features, see model.region_features.
        streams: how many, see model.streams; the first takes the first kind of features, and so on, round and round.
        feature_size: F, numbers per region and kind; follows from the backbone when training.
        backbone_weights: which weights of the CNN made the features, see model.network_weights; follows likewise. Empty
            where that is not known: any are taken.
        proposer_weights: which weights of the proposer chose the regions, likewise; empty where it has none.
        dimension: D, of all streams together.
        dropout: rate on region features.
        feature_spread: region features are shifted and scaled to mean 0 and this standard deviation, number by number,
            over the training photos; 0 leaves them as the CNN makes them.
        unit: the streams' region and word vectors have length one.
        context: each region vector has a term of the whole photo.
        rank_prior: how much likelier a region is that the proposer ranks high, see ImageEncoder; 0 for the grid,
            whose order says nothing.
        score: how the score of a pair is made.
        sentence: what the sentence encoder is made of.
    """

    backbone: str = "efficientnet-lite2"
    proposer: str = "consensus"
    features: tuple[str, ...] = ("pooled", "cropped")
    streams: int = 2
    feature_size: int = 1280
    backbone_weights: str = ""
    proposer_weights: str = ""
    dimension: int = 256
    dropout: float = 0.5
    feature_spread: float = 0.0
    unit: bool = True
    context: bool = True
    rank_prior: float = 0.1
    score: ScoreConfig = field(default_factory=lambda: ScoreConfig("both", "mean"))
    sentence: SentenceEncoderConfig = field(default_factory=SentenceEncoderConfig)


class AlignmentModel(nn.Module):
    """Regions and words in one space."""

    def __init__(self, config: AlignmentConfig, image_encoder: ImageEncoder, sentence_encoder: SentenceEncoder) -> None:
        """Wire ready-made parts."""
        super().__init__()
        self.config = config
        self.image_encoder = image_encoder
        self.sentence_encoder = sentence_encoder

    def forward(self, features: Tensor, numbers: Tensor) -> Tensor:
        """Score every image of a batch against every sentence.

        Args:
            features: region features, float32 (I, R, kinds * F + 5).
            numbers: word numbers, int64 (S, W), padded with PADDING.

        Returns:
            Scores, float32 (I, S).
        """
        regions = self.image_encoder(features)  # (I, R, D)
        words = self.sentence_encoder(numbers)  # (S, W, D)
        region_mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        return image_sentence_scores(regions, region_mask, words, numbers != PADDING, self.config.score)

    def each_stream(self, regions: Tensor, words: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield region and word vectors of each stream alone, as if it were the whole model."""
        return each_stream(regions, words, self.config.streams, self.config.rank_prior > 0)


def build_alignment_model(
    config: AlignmentConfig, vocabulary: Vocabulary, vectors: WordVectors | None = None
) -> AlignmentModel:
    """Make a model with fresh weights.

    Args:
        config: what it is made of.
        vocabulary: its words.
        vectors: pretrained, for those of its words that have one.
    """
    streams, prior = config.streams, config.rank_prior > 0
    image_encoder = ImageEncoder(
        config.feature_size,
        len(config.features),
        streams,
        config.dimension,
        config.dropout,
        config.unit,
        config.context,
        config.rank_prior,
        config.feature_spread,
    )
    table, scale = _pretrained_rows(vocabulary, vectors or no_word_vectors())
    sentence_encoder = SentenceEncoder(
        config.sentence, vocabulary.learned, table, scale, streams, config.dimension, config.unit, prior
    )
    return AlignmentModel(config, image_encoder, sentence_encoder)


def _pretrained_rows(vocabulary: Vocabulary, vectors: WordVectors) -> tuple[Tensor, Tensor]:
    """Put pretrained vectors in the order of a vocabulary: int8 (V + 1, P) and float32 (V + 1)."""
    table = np.zeros((len(vocabulary) + 1, vectors.table.shape[1]), dtype=np.int8)
    scale = np.ones(len(vocabulary) + 1, dtype=np.float32)
    for word, row, size in zip(vectors.words, vectors.table, vectors.scale, strict=True):
        for number in vocabulary.numbers([word]):
            table[number], scale[number] = row, size
    return torch.from_numpy(table), torch.from_numpy(scale)
