"""Photos with sentences and splits, whatever layout they were read from (see model.datasets)."""

import os
from dataclasses import dataclass
from pathlib import Path

from model.exceptions import DatasetError

NO_SPLIT = "none"
SPLIT_NAMES = {"val": "dev", "valid": "dev", "validation": "dev", "restval": "train"}
"""What other layouts call our splits; "restval" is the part of COCO's val2014 that Karpathy trains on."""


@dataclass(frozen=True)
class DatasetImage:
    """One photo, the split it belongs to ("train", "dev", "test" or "none") and its sentences, any number of them."""

    path: Path
    split: str
    sentences: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """Why nothing can be learned from it, short of decoding it, as the end of a sentence; None if nothing."""
        if not self.sentences:
            return "has no sentence"
        if not os.path.isfile(self.path):
            return "is not there"
        return None


@dataclass(frozen=True)
class Dataset:
    """Photos with sentences, each photo once."""

    name: str
    images: tuple[DatasetImage, ...]

    def split(self, name: str) -> list[DatasetImage]:
        """Return the photos of a split, all of them there and with sentences.

        Raises:
            DatasetError: no photo is in the split, or some are not on the disk or have no sentence: the first is named.
        """
        chosen = [image for image in self.images if image.split == name]
        if not chosen:
            there = ", ".join(sorted({image.split for image in self.images})) or "no photo at all"
            raise DatasetError(f"{self.name} has no split {name!r}; it has {there}")
        refuse_unusable(
            [f"{image.path} {image.problem}" for image in chosen if image.problem], self.name, len(chosen), name
        )
        return chosen


def refuse_unusable(problems: list[str], dataset: str, total: int, split: str) -> None:
    """Refuse a split with photos of no use.

    Args:
        problems: photo and what is wrong, one sentence each.
        dataset: its name.
        total: photos in the split.
        split: its name.

    Raises:
        DatasetError: there are problems; it names the first and says how many.
    """
    if problems:
        raise DatasetError(
            f"{dataset}: {len(problems):,} of the {total:,} photos of the {split} split cannot be used, the first: "
            f"{problems[0]}; put this right, or train without them by --skip-missing"
        )


def refuse_duplicates(images: list[DatasetImage], source: Path) -> None:
    """Refuse a photo that is listed twice.

    Raises:
        DatasetError: the photo is named.
    """
    seen: set[Path] = set()
    for image in images:
        if image.path in seen:
            raise DatasetError(f"{source}: the photo {image.path.name} is listed twice")
        seen.add(image.path)
