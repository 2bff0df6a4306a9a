"""The layouts in which datasets are distributed, one file each, and the one door to them.

torchvision has classes for three of these sets, of which none serves here: `Flickr8k` reads a saved web page, not the
token file; `Flickr30k` drops the splits and the number of a malformed line; `CocoCaptions` needs pycocotools and reads
one file. All hand out a photo's sentences only together with the decoded photo.
"""

from pathlib import Path

from model.dataset import Dataset
from model.datasets import coco, flickr8k, flickr30k, karpathy, table
from model.exceptions import DatasetError

FOLDERS = {
    "Flickr8k": (flickr8k.is_layout, flickr8k.read),
    "Flickr30k": (flickr30k.is_layout, flickr30k.read),
    "COCO captions": (coco.is_layout, coco.read),
}
"""Layouts of a folder: whether a folder has it, and its reader."""


def read_dataset(path: Path, images: Path | None = None) -> Dataset:
    """Read a dataset in whichever layout is there.

    | path | layout | splits | see |
    |---|---|---|---|
    | folder | official Flickr8k | its listings | model.datasets.flickr8k |
    | folder | official Flickr30k | Karpathy's JSON or the listings of Flickr30k Entities | model.datasets.flickr30k |
    | folder | COCO with `annotations/captions_*.json` | by file: train, val | model.datasets.coco |
    | one `captions_*.json` | COCO | by its name | model.datasets.coco |
    | other JSON | Karpathy's, of Flickr8K, Flickr30K, COCO | "split" of each photo | model.datasets.karpathy |
    | `.csv`, `.tsv` | a row for each sentence | a column | model.datasets.table |

    "val" is our "dev". A photo in no split is in "none".

    Args:
        path: the folder, or the file.
        images: the folder of the photos that a file names; the file says where it is if not given.

    Raises:
        DatasetError: what is wrong, the item named.
    """
    if path.is_dir():
        return _read_folder(path, images)
    if not path.is_file():
        raise DatasetError(f"the dataset {path} does not exist")
    suffix = path.suffix.lower()
    if suffix in table.SUFFIXES:
        return table.read(path, images)
    if suffix != ".json":
        raise DatasetError(f"{path} is not a dataset: neither a folder nor a .json, .csv or .tsv file")
    if coco.is_captions(path):
        return coco.read_file(path, images)
    return karpathy.read(path, images)


def has_layout(path: Path) -> bool:
    """Tell whether a folder is a dataset rather than a folder of photos."""
    return any(is_layout(path) for is_layout, _ in FOLDERS.values())


def _read_folder(path: Path, images: Path | None) -> Dataset:
    found = [name for name, (is_layout, _) in FOLDERS.items() if is_layout(path)]
    if len(found) != 1:
        what = f"holds more than one dataset: {', '.join(found)}" if found else "holds no dataset"
        raise DatasetError(
            f"{path} {what}; name a folder with {flickr8k.EXPECTED}, {flickr30k.EXPECTED} or {coco.EXPECTED}, "
            "or a .json, .csv or .tsv file"
        )
    if images is not None:
        raise DatasetError(f"--images goes with a file, not with the folder {path}, which holds its own photos")
    return FOLDERS[found[0]][1](path)
