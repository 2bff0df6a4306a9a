"""Where a model and the networks that make its features meet: loaded by name, and refused where they differ."""

import dataclasses

from model.alignment import AlignmentConfig
from model.backbones import load_backbone
from model.exceptions import CheckpointError
from model.proposals import load_proposer
from model.region_features import RegionExtractor
from model.weight_files import BACKBONE_VARIABLE, NO_FILES, PROPOSER_VARIABLE, WeightFiles


def extractor_for_training(
    config: AlignmentConfig, files: WeightFiles = NO_FILES
) -> tuple[AlignmentConfig, RegionExtractor]:
    """Load the networks that a configuration names.

    Returns:
        The configuration with what follows from them, the size of the features and whose they are; and their extractor.

    Raises:
        CheckpointError: a network has no such name, its weights cannot be had, or it makes no such features.
    """
    backbone = load_backbone(config.backbone, files.backbone)
    proposer = load_proposer(config.proposer, files.proposer)
    fitted = dataclasses.replace(
        config,
        feature_size=backbone.feature_size,
        backbone_weights=backbone.weights,
        proposer_weights=proposer.weights,
    )
    return fitted, RegionExtractor(proposer, backbone, config.features)


def extractor_of_model(config: AlignmentConfig, files: WeightFiles = NO_FILES) -> RegionExtractor:
    """Load the networks whose features a model was trained with.

    Raises:
        CheckpointError: as above, or these are others.
    """
    here, extractor = extractor_for_training(config, files)
    if config.feature_size != here.feature_size:
        raise CheckpointError(
            f"the checkpoint takes features of {config.feature_size} numbers and {config.backbone} makes "
            f"{here.feature_size}: train it again"
        )
    _refuse_others(config.backbone, config.backbone_weights, here.backbone_weights, BACKBONE_VARIABLE)
    _refuse_others(config.proposer, config.proposer_weights, here.proposer_weights, PROPOSER_VARIABLE)
    return extractor


def _refuse_others(name: str, trained: str, here: str, variable: str) -> None:
    if trained and trained != here:
        raise CheckpointError(
            f"the checkpoint was trained with {name} of the weights {trained}, these are {here}: "
            f"name the file of its own by {variable}, or train it again"
        )
