"""The alignment model: image encoder, sentence encoder and the score of a pair."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from model.image_encoder import ImageEncoder
from model.score import ScoreConfig, image_sentence_scores
from model.sentence_encoder import SentenceEncoder, SentenceEncoderConfig
from model.vocabulary import PADDING


@dataclass(frozen=True)
class AlignmentConfig:
    """Everything needed to rebuild the model; kept in the checkpoint.

    Attributes:
        backbone: name of the CNN.
        proposer: name of the region proposer.
        feature_size: F + 5, numbers per region.
        dimension: D.
        dropout: rate on region features.
        unit: region and word vectors have length one.
        score: how the score of a pair is made.
        sentence: what the sentence encoder is made of.
    """

    backbone: str = "efficientnet-lite2"
    proposer: str = "grid"
    feature_size: int = 1285
    dimension: int = 256
    dropout: float = 0.5
    unit: bool = True
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
            features: region features, float32 (I, R, F + 5).
            numbers: word numbers, int64 (S, W), padded with PADDING.

        Returns:
            Scores, float32 (I, S).
        """
        regions = self.image_encoder(features)  # (I, R, D)
        words = self.sentence_encoder(numbers)  # (S, W, D)
        region_mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        return image_sentence_scores(regions, region_mask, words, numbers != PADDING, self.config.score)


def build_alignment_model(config: AlignmentConfig, vocabulary_size: int) -> AlignmentModel:
    """Make a model with fresh weights."""
    image_encoder = ImageEncoder(config.feature_size, config.dimension, config.dropout, config.unit)
    sentence_encoder = SentenceEncoder(config.sentence, vocabulary_size, config.dimension, config.unit)
    return AlignmentModel(config, image_encoder, sentence_encoder)
