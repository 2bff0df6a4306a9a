"""Configurations by name: the product's default, and the paper's."""

from model.alignment import AlignmentConfig
from model.score import ScoreConfig
from model.sentence_encoder import SentenceEncoderConfig
from model.train import TrainingConfig

CONFIGURATIONS: dict[str, tuple[AlignmentConfig, TrainingConfig]] = {
    "default": (AlignmentConfig(), TrainingConfig()),
    # Karpathy and Fei-Fei 2015, section 3.1. Open in the paper: learning rate, weight decay, dropout rates. Their word
    # vectors are word2vec's, kept fixed; these are random and fixed, which they found to change little.
    "dvsa": (
        AlignmentConfig(
            proposer="selective-search",
            dimension=1000,
            unit=False,
            score=ScoreConfig("words", "sum"),
            sentence=SentenceEncoderConfig("relu", hidden_size=300, fixed_words=True),
        ),
        TrainingConfig(batch_size=100, loss="hinge", optimiser="sgd", learning_rate=1e-4, averaging=0.997),
    ),
}
