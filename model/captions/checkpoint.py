"""Checkpoints of captioners."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.captions.captioner import Captioner, CaptionerConfig, Subject, build_captioner
from model.checkpoint import PRETRAINED
from model.checkpoint_files import CheckpointFiles, identity
from model.eight_bits import in_eight_bits, restored
from model.exceptions import CheckpointError
from model.vocabulary import Vocabulary

FORMAT_VERSION = 1
BUNDLED = PRETRAINED / "captioner"
BUNDLED_REGIONS = PRETRAINED / "region-captioner"
_KEYS = {"config": dict[str, Any], "about": dict[str, Any], "vocabulary": list[str]}


@dataclass(frozen=True)
class CaptionerCheckpoint:
    """A trained captioner and what is known of it.

    Attributes:
        model: ready to caption (evaluation mode).
        vocabulary: the words it says.
        about: training data, terms, figures on dev, the command that made it.
        model_hash: of weights, configuration and vocabulary: names the captions it makes.
    """

    model: Captioner
    vocabulary: Vocabulary
    about: dict[str, Any]
    model_hash: str


def save_captioner(folder: Path, model: Captioner, vocabulary: Vocabulary, about: dict[str, Any]) -> None:
    """Write a checkpoint, matrices in eight bits."""
    description = {"config": dataclasses.asdict(model.config), "about": about, "vocabulary": vocabulary.words}
    _files(folder).write(in_eight_bits(model.state_dict()), description)


def annotate_captioner(folder: Path, about: dict[str, Any]) -> None:
    """Add to what a checkpoint says of itself: dataset, terms, the command that made it. Its hash stays."""
    _files(folder).annotate(about)


def load_captioner(folder: Path) -> CaptionerCheckpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: it is not there, cut short, changed, or of another version; or its vocabulary has not the
            words that its weights are for.
    """
    files = _files(folder)
    description = files.description()
    weights = files.weights(description)
    vocabulary = Vocabulary(description["vocabulary"])
    config = files.config(CaptionerConfig, description)
    if "bias" in weights and len(weights["bias"]) != len(vocabulary) + 1:
        raise CheckpointError(
            f"{files.description_path} names {len(vocabulary):,} words and its weights are for "
            f"{len(weights['bias']) - 1:,}; train or copy it again"
        )
    try:
        model = build_captioner(config, len(vocabulary))
        model.load_state_dict(restored(weights))
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"the weights {files.weights_path} do not fit the configuration beside them") from error
    return CaptionerCheckpoint(model.eval(), vocabulary, description["about"], identity(description, vocabulary.words))


def started_captioner(folder: Path, config: CaptionerConfig, vocabulary: Vocabulary) -> Captioner:
    """Read a captioner to train it further.

    Args:
        folder: of its checkpoint.
        config: that it must have.
        vocabulary: likewise.

    Raises:
        CheckpointError: as `load_captioner`, or it has others.
    """
    checkpoint = load_captioner(folder)
    if checkpoint.model.config != config or checkpoint.vocabulary.words != vocabulary.words:
        raise CheckpointError(
            f"the captioner in {folder} has another configuration or other words than this training: train it with the "
            "same --config, --set, dataset and alignment model"
        )
    return checkpoint.model.train()


def refuse_unfit(checkpoint: CaptionerCheckpoint, subject: Subject, features: str) -> None:
    """Refuse a captioner that is not for what it shall caption.

    Args:
        checkpoint: of the captioner.
        subject: what it shall describe.
        features: `RegionExtractor.name` of those that it would be given.

    Raises:
        CheckpointError: it describes something else, or was trained on other features.
    """
    config = checkpoint.model.config
    if config.subject != subject:
        raise CheckpointError(f"the captioner describes {config.subject}, and one that describes {subject} is needed")
    if config.features != features:
        raise CheckpointError(
            f"the captioner was trained on the features {config.features}, and the alignment model takes {features}: "
            "name the alignment model of its training, or train a captioner with this one"
        )


def _files(folder: Path) -> CheckpointFiles:
    return CheckpointFiles(folder, "captioner.json", FORMAT_VERSION, _KEYS)
