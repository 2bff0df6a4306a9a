r"""The Flickr30k layout (Young et al. 2014).

    flickr30k-images/*.jpg          or flickr30k_images, as Kaggle's copy has it
    results_20130124.token          as Flickr8k.token.txt; or
    results.csv                     Kaggle's copy: image_name| comment_number| comment
    dataset_flickr30k.json          Karpathy's splits; or
    train.txt, val.txt, test.txt    the splits of Flickr30k Entities: a photo's number a line

The official distribution has no splits: the last two come from Karpathy's page and from Flickr30k Entities (Plummer et
al. 2017). Where both are there, Karpathy's count: published retrieval figures are of those.
"""

import re
from pathlib import Path

from model.dataset import Dataset
from model.datasets import karpathy
from model.datasets.files import read_lines
from model.datasets.token_file import assemble, read_listings, read_token_file
from model.exceptions import DatasetError

_TOKENS = Path("results_20130124.token")
_TABLE = Path("results.csv")
_PHOTOS = (Path("flickr30k-images"), Path("flickr30k_images"))
_KARPATHY = Path("dataset_flickr30k.json")
_ROW = re.compile(r"([^|]+)\|\s*(\d+)\s*[| ]\s*(\S.*)")  # one row of Kaggle's copy lacks its second bar
EXPECTED = f"{_TOKENS} or {_TABLE} and {_PHOTOS[0]} (Flickr30k)"


def is_layout(root: Path) -> bool:
    """Tell whether a folder is laid out as Flickr30k."""
    return any((root / name).is_file() for name in (_TOKENS, _TABLE)) and _photos(root) is not None


def read(root: Path) -> Dataset:
    """Read the folder.

    Raises:
        DatasetError: what is wrong, file and line named.
    """
    photos = _photos(root)
    assert photos is not None, "is_layout tells"
    sentences = read_token_file(root / _TOKENS) if (root / _TOKENS).is_file() else _read_table(root / _TABLE)
    if (root / _KARPATHY).is_file():
        splits = {image.path.name: image.split for image in karpathy.read(root / _KARPATHY).images}
    else:
        files = {"train": "train.txt", "dev": "val.txt", "test": "test.txt"}
        splits = read_listings(((split, root / name) for split, name in files.items()), suffix=".jpg")
    return assemble(root.name, photos, sentences, splits)


def _read_table(path: Path) -> dict[str, list[str]]:
    sentences: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for number, line in read_lines(path)[1:]:
        match = _ROW.fullmatch(line)
        if match is None:
            raise DatasetError(f"{path}, line {number}: expected name.jpg| 0| and a sentence")
        name, count, sentence = match.groups()
        if (name, count) in seen:
            raise DatasetError(f"{path}, line {number}: the sentence {name}#{count} is there twice")
        seen.add((name, count))
        sentences.setdefault(name.strip(), []).append(sentence)
    if not sentences:
        raise DatasetError(f"{path} holds no sentence")
    return sentences


def _photos(root: Path) -> Path | None:
    return next((root / name for name in _PHOTOS if (root / name).is_dir()), None)
