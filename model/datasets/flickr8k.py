"""The official Flickr8k layout (Hodosh et al. 2013).

    Flicker8k_Dataset/*.jpg                  spelt so in the official distribution
    Flickr8k_text/Flickr8k.token.txt         five sentences a photo
    Flickr8k_text/Flickr_8k.trainImages.txt  also devImages and testImages: the splits

The official token file has sentences of one photo that was never distributed; it is in no split.
"""

from pathlib import Path

from model.dataset import Dataset
from model.datasets.token_file import assemble, read_listings, read_token_file

_TOKENS = Path("Flickr8k_text/Flickr8k.token.txt")
_PHOTOS = Path("Flicker8k_Dataset")
EXPECTED = f"{_TOKENS} and {_PHOTOS} (Flickr8k)"


def is_layout(root: Path) -> bool:
    """Tell whether a folder is laid out as the official Flickr8k distribution."""
    return (root / _TOKENS).is_file() and (root / _PHOTOS).is_dir()


def read(root: Path) -> Dataset:
    """Read the folder.

    Raises:
        DatasetError: what is wrong, file and line named.
    """
    splits = read_listings(
        (split, root / f"Flickr8k_text/Flickr_8k.{split}Images.txt") for split in ("train", "dev", "test")
    )
    return assemble(root.name, root / _PHOTOS, read_token_file(root / _TOKENS), splits)
