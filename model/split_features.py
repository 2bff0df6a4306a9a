"""A split of a dataset with its region features, from the cache."""

from pathlib import Path

import torch

from model.dataset import Dataset
from model.feature_cache import FeatureCache
from model.region_features import RegionExtractor
from model.train import SplitFeatures


def split_features(dataset: Dataset, split: str, extractor: RegionExtractor, folder: Path) -> SplitFeatures:
    """Return a split and its region features, extracting those that the cache below `folder` lacks.

    Raises:
        DatasetError: the split or a photo is not there.
    """
    images = dataset.split(split)
    cache = FeatureCache(folder, images, extractor)
    threads = torch.get_num_threads()
    try:
        cache.fill()
    finally:
        torch.set_num_threads(threads)
    return SplitFeatures(images, cache.features, cache.boxes)
