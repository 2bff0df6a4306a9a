"""What an evaluation measures: read from the disk, everything cheap checked before the features are made."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from model.checkpoint import BUNDLED, Checkpoint, load_checkpoint
from model.dataset import Dataset
from model.datasets import read_dataset
from model.entities import Phrase, read_entities
from model.exceptions import DatasetError
from model.region_extractor import extractor_of_model
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


def load(source: Source) -> Loaded:
    """Read dataset, entities and checkpoint, then the region features.

    Raises:
        DatasetError: the dataset, the split or the entities are not what they should be, or too few photos are there.
        CheckpointError: the checkpoint cannot be used.
    """
    data = read_dataset(source.dataset, source.images)
    images = data.split(source.split)
    first = slice(source.subset)
    if source.subset and source.subset > len(images):
        raise DatasetError(
            f"{data.name} {source.split} has {len(images):,} photos, fewer than --subset {source.subset:,}"
        )
    check_folds(len(images[first]), source.folds)
    phrases = read_entities(source.entities, images[first]) if source.entities else []
    checkpoint = load_checkpoint(source.checkpoint or BUNDLED)
    whole = _features(data, source, checkpoint)
    chosen = SplitFeatures(whole.images[first], whole.features[first], whole.boxes[first])
    return Loaded(data.name, checkpoint, chosen, phrases)


def _features(data: Dataset, source: Source, checkpoint: Checkpoint) -> SplitFeatures:
    """Region features of the whole split, which a cache holds once for all subsets."""
    with nullcontext(str(source.cache)) if source.cache else TemporaryDirectory() as folder:
        extractor = extractor_of_model(checkpoint.model.config, source.weight_files)
        return split_features(data, source.split, extractor, Path(folder))
