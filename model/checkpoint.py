"""Checkpoints: a folder with `weights.safetensors` and `checkpoint.json`."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.exceptions import CheckpointError
from model.score import ScoreConfig
from model.sentence_encoder import SentenceEncoderConfig
from model.vocabulary import Vocabulary
from model.word_vectors import WordVectors, no_word_vectors

FORMAT_VERSION = 2
BUNDLED = Path(__file__).parent / "pretrained" / "alignment"
_WEIGHTS = "weights.safetensors"
_PRETRAINED = "sentence_encoder.pretrained"
_DESCRIPTION = "checkpoint.json"


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
    """Write a checkpoint, weights in half precision; each file is written aside and moved into place."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.detach().half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    save_file(weights, folder / (_WEIGHTS + ".tmp"))
    description = {
        "format_version": FORMAT_VERSION,
        "config": dataclasses.asdict(model.config),
        "weights_sha256": _sha256(folder / (_WEIGHTS + ".tmp")),
        "about": about,
        "vocabulary": vocabulary.words,
        "learned_words": vocabulary.learned,
    }
    (folder / (_DESCRIPTION + ".tmp")).write_text(
        json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    for name in (_WEIGHTS, _DESCRIPTION):
        (folder / (name + ".tmp")).replace(folder / name)


def annotate_checkpoint(folder: Path, about: dict[str, Any]) -> None:
    """Add to what a checkpoint says of itself: dataset, terms, the command that made it. Its hash stays."""
    description = _read_description(folder)
    description["about"] = {**about, **description["about"]}
    aside = folder / (_DESCRIPTION + ".tmp")
    aside.write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")
    aside.replace(folder / _DESCRIPTION)


def load_checkpoint(folder: Path = BUNDLED) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: it is not there, cut short, changed, or of another version.
    """
    description = _read_description(folder)
    weights_path = folder / _WEIGHTS
    try:
        weights = load_file(weights_path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the weights {weights_path} are missing or cut short; train or copy them again"
        ) from error
    if _sha256(weights_path) != description["weights_sha256"]:
        raise CheckpointError(f"the weights {weights_path} are not those that {_DESCRIPTION} describes")
    config = _read_config(description["config"], folder)
    vocabulary = Vocabulary(description["vocabulary"], description["learned_words"])
    try:
        model = build_alignment_model(config, vocabulary, no_word_vectors(weights[_PRETRAINED].shape[1]))
        model.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
        )
    except (KeyError, IndexError, RuntimeError) as error:
        raise CheckpointError(f"the weights {weights_path} do not fit the configuration beside them") from error
    identity = json.dumps([description["config"], description["weights_sha256"], vocabulary.words], sort_keys=True)
    return Checkpoint(model.eval(), vocabulary, description["about"], hashlib.sha256(identity.encode()).hexdigest())


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


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / _DESCRIPTION
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} holds no checkpoint: {_DESCRIPTION} is not there") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read or is cut short") from error
    version = description.get("format_version") if isinstance(description, dict) else None
    if version != FORMAT_VERSION:
        raise CheckpointError(f"{path} is of format {version}, this program reads format {FORMAT_VERSION}")
    missing = {"config", "weights_sha256", "about", "vocabulary", "learned_words"} - description.keys()
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}")
    return dict(description)


def _read_config(stored: dict[str, Any], folder: Path) -> AlignmentConfig:
    try:
        score, sentence = ScoreConfig(**stored["score"]), SentenceEncoderConfig(**stored["sentence"])
        return AlignmentConfig(
            **{**stored, "score": score, "sentence": sentence, "features": tuple(stored["features"])}
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"the configuration in {folder / _DESCRIPTION} is of another version; train again"
        ) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
