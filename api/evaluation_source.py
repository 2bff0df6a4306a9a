"""What an evaluation measures: read from the disk, everything cheap checked before the features are made."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from model.checkpoint import BUNDLED, Checkpoint, load_checkpoint
from model.dataset import Dataset, DatasetImage
from model.datasets import read_dataset
from model.entities import Phrase, read_entities
from model.exceptions import DatasetError
from model.region_extractor import extractor_of_model
from model.region_features import RegionExtractor
from model.retrieval import check_folds
from model.split_features import split_features
from model.train import SplitFeatures
from model.weight_files import NO_FILES, WeightFiles


@dataclass(frozen=True)
class Source:
    """What is measured, as the command line names it.

    Attributes:
        dataset: as `read_dataset` takes it.
        images: folder of the photos that a file names, where it is not the file's own.
        split: of the dataset.
        checkpoint: its folder; the bundled one if None.
        cache: folder of region features that is kept; none is kept if None.
        subset: only the first so many photos of the split; all if None.
        folds: equal parts of these photos.
        entities: file of the phrases' boxes.
        weight_files: of the networks whose features the model takes.
    """

    dataset: Path
    images: Path | None
    split: str
    checkpoint: Path | None
    cache: Path | None
    subset: int | None
    folds: int = 1
    entities: Path | None = None
    weight_files: WeightFiles = NO_FILES


@dataclass(frozen=True)
class Opened:
    """What is measured, but for the region features.

    Attributes:
        source: as it was named.
        data: the dataset.
        images: photos of the split.
        checkpoint: the model.
        extractor: of the features that it takes.
        phrases: of each of the photos, those that have boxes; empty where no entities are named.
    """

    source: Source
    data: Dataset
    images: Sequence[DatasetImage]
    checkpoint: Checkpoint
    extractor: RegionExtractor
    phrases: Sequence[Sequence[Phrase]]

    def chosen(self) -> SplitFeatures:
        """Read or make the region features of the photos; a cache holds those of the whole split for all subsets."""
        whole, first = self.features(self.source.split), slice(len(self.images))
        return SplitFeatures(self.images, whole.features[first], whole.boxes[first])

    def features(self, split: str) -> SplitFeatures:
        """Read or make the region features of a whole split.

        Raises:
            DatasetError: the split or a photo is not there.
        """
        cache = self.source.cache
        with nullcontext(str(cache)) if cache else TemporaryDirectory() as folder:
            return split_features(self.data, split, self.extractor, Path(folder))


@dataclass(frozen=True)
class Loaded:
    """What is measured, read.

    Attributes:
        dataset: its name.
        checkpoint: the model.
        chosen: photos of the split, with their regions.
        phrases: of each of the photos that have boxes; empty where no entities are named.
    """

    dataset: str
    checkpoint: Checkpoint
    chosen: SplitFeatures
    phrases: Sequence[Sequence[Phrase]]


def open_source(source: Source) -> Opened:
    """Read dataset, entities and checkpoint.

    Raises:
        DatasetError: the dataset, the split or the entities are not what they should be, or too few photos are there.
        CheckpointError: the checkpoint cannot be used.
    """
    data = read_dataset(source.dataset, source.images)
    images = data.split(source.split)
    if source.subset and source.subset > len(images):
        raise DatasetError(
            f"{data.name} {source.split} has {len(images):,} photos, fewer than --subset {source.subset:,}"
        )
    images = images[: source.subset]
    check_folds(len(images), source.folds)
    phrases = read_entities(source.entities, images) if source.entities else []
    checkpoint = load_checkpoint(source.checkpoint or BUNDLED)
    extractor = extractor_of_model(checkpoint.model.config, source.weight_files)
    return Opened(source, data, images, checkpoint, extractor, phrases)


def load(source: Source) -> Loaded:
    """Read dataset, entities and checkpoint, then the region features; errors as of `open_source`."""
    opened = open_source(source)
    return Loaded(opened.data.name, opened.checkpoint, opened.chosen(), opened.phrases)
