"""Configurations by name: the product's default, and the paper's; and settings by name, to try others."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from model.alignment import AlignmentConfig
from model.exceptions import TrainingError
from model.score import ScoreConfig
from model.sentence_encoder import SentenceEncoderConfig
from model.train import TrainingConfig
from model.training.config import LoopConfig

Config = TypeVar("Config")
Training = TypeVar("Training", bound=LoopConfig)

CONFIGURATIONS: dict[str, tuple[AlignmentConfig, TrainingConfig]] = {
    "default": (AlignmentConfig(), TrainingConfig()),
    # Karpathy and Fei-Fei 2015, section 3.1. Open in the paper: learning rate, weight decay, dropout rates. Their word
    # vectors are word2vec's, kept fixed; these are GloVe's. With features as the CNN makes them, SGD diverges at twice
    # the learning rate.
    "dvsa": (
        AlignmentConfig(
            proposer="selective-search",
            features=("cropped",),
            streams=1,
            dimension=1000,
            feature_spread=0.1,
            unit=False,
            context=False,
            rank_prior=0.0,
            score=ScoreConfig("words", "sum"),
            sentence=SentenceEncoderConfig("relu", hidden_size=600, words="pretrained", dropout=0.3),
        ),
        TrainingConfig(epochs=16, batch_size=100, loss="hinge", optimiser="sgd", learning_rate=1e-3),
    ),
}


def changed(config: Config, training: Training, settings: Sequence[str]) -> tuple[Config, Training]:
    """Return a configuration with some of its settings changed.

    Args:
        config: of a model.
        training: of its training.
        settings: "name=value", a name being that of a field of either, or with a dot that of a field of its part:
            "rank_prior=0", "sentence.hidden_size=384", "features=pooled,cropped".

    Raises:
        TrainingError: there is no such setting, or the value does not fit it.
    """
    for setting in settings:
        key, _, value = setting.partition("=")
        first = key.partition(".")[0]
        if first in {field.name for field in dataclasses.fields(config)}:  # type: ignore[arg-type]
            config = _set(config, key, value)
        elif first in {field.name for field in dataclasses.fields(training)}:
            training = _set(training, key, value)
        else:
            raise TrainingError(f"there is no setting {key!r}")
    return config, training


def _set(config: Any, key: str, value: str) -> Any:
    """Return a dataclass with one of its fields, or one of a field's fields, read from text."""
    first, dot, rest = key.partition(".")
    types = {field.name: field.type for field in dataclasses.fields(config)}
    if first not in types:
        raise TrainingError(f"there is no setting {key!r}")
    if dot:
        return dataclasses.replace(config, **{first: _set(getattr(config, first), rest, value)})
    try:
        hint: Any = types[first]
        read: Any = value.split(",") if isinstance(getattr(config, first), tuple) else value
        return dataclasses.replace(config, **{first: TypeAdapter(hint).validate_python(read)})
    except ValidationError as error:
        raise TrainingError(f"{value!r} does not fit the setting {key!r}: {error.errors()[0]['msg']}") from error
