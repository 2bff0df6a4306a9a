"""A split of a dataset with its region features, from the cache."""

from pathlib import Path

import torch

from model.alignment import AlignmentConfig
from model.backbone import load_backbone
from model.dataset import Dataset
from model.feature_cache import FeatureCache
from model.proposals import load_proposer
from model.region_features import RegionExtractor
from model.train import SplitFeatures


def split_features(dataset: Dataset, split: str, config: AlignmentConfig, folder: Path) -> SplitFeatures:
    """Return a split and its region features, extracting those that the cache below `folder` lacks.

    Raises:
        DatasetError: the split or a photo is not there.
    """
    images = dataset.split(split)
    extractor = RegionExtractor(load_proposer(config.proposer), load_backbone(config.backbone), config.features)
    cache = FeatureCache(folder, images, extractor)
    threads = torch.get_num_threads()
    try:
        cache.fill()
    finally:
        torch.set_num_threads(threads)
    return SplitFeatures(images, cache.features, cache.boxes)
