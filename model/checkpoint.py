"""Checkpoints: a folder with `weights.safetensors` and `checkpoint.json`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.checkpoint_files import CheckpointFiles, identity
from model.exceptions import CheckpointError
from model.vocabulary import Vocabulary
from model.word_vectors import WordVectors, no_word_vectors

FORMAT_VERSION = 2
PRETRAINED = Path(__file__).parent / "pretrained"
BUNDLED = PRETRAINED / "alignment"
_PRETRAINED = "sentence_encoder.pretrained"
_KEYS = {"config": dict[str, Any], "about": dict[str, Any], "vocabulary": list[str], "learned_words": int}


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and what is known of it.

    Attributes:
        model: ready to encode (evaluation mode).
        vocabulary: the words it knows.
        about: training data, terms, figures on dev, the command that made it.
        model_hash: of weights, configuration and vocabulary: names the vectors it makes.
    """

    model: AlignmentModel
    vocabulary: Vocabulary
    about: dict[str, Any]
    model_hash: str


def save_checkpoint(folder: Path, model: AlignmentModel, vocabulary: Vocabulary, about: dict[str, Any]) -> None:
    """Write a checkpoint."""
    description = {
        "config": dataclasses.asdict(model.config),
        "about": about,
        "vocabulary": vocabulary.words,
        "learned_words": vocabulary.learned,
    }
    _files(folder).write(model.state_dict(), description)


def annotate_checkpoint(folder: Path, about: dict[str, Any]) -> None:
    """Add to what a checkpoint says of itself: dataset, terms, the command that made it. Its hash stays."""
    _files(folder).annotate(about)


def load_checkpoint(folder: Path = BUNDLED) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: it is not there, cut short, changed, or of another version.
    """
    files = _files(folder)
    description = files.description()
    weights = files.weights(description)
    config = files.config(AlignmentConfig, description)
    vocabulary = Vocabulary(description["vocabulary"], description["learned_words"])
    try:
        model = build_alignment_model(config, vocabulary, no_word_vectors(weights[_PRETRAINED].shape[1]))
        model.load_state_dict(weights)
    except (KeyError, IndexError, RuntimeError) as error:
        raise CheckpointError(f"the weights {files.weights_path} do not fit the configuration beside them") from error
    return Checkpoint(model.eval(), vocabulary, description["about"], identity(description, vocabulary.words))


def word_vectors_of(folder: Path = BUNDLED) -> WordVectors:
    """Return the pretrained word vectors that a checkpoint carries.

    Raises:
        CheckpointError: as `load_checkpoint`.
    """
    checkpoint = load_checkpoint(folder)
    encoder = checkpoint.model.sentence_encoder
    table, scale = encoder.pretrained.numpy()[1:], encoder.pretrained_scale.numpy()[1:]
    kept = np.flatnonzero(table.any(axis=1))
    return WordVectors([checkpoint.vocabulary.words[row] for row in kept], table[kept], scale[kept])


def _files(folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, "checkpoint.json", FORMAT_VERSION, _KEYS)
