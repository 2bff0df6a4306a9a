"""Region features of a dataset's photos, extracted once and memory-mapped.

A cache is a folder named after proposer and backbone: `features.npy` float16 (I, R, F + 5), `boxes.npy` float32
(I, R, 4) and `hashes.json`, the content hash of the photo in each row, empty where a row is not made yet. A changed
photo is made again, and an interrupted run continues.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from model.boxes import REGIONS
from model.dataset import DatasetImage
from model.exceptions import DatasetError, PhotoError
from model.photo import load_photo
from model.region_features import RegionExtractor, RegionFeatures

_SAVE_EVERY = 200  # photos between two saves of the hashes


class FeatureCache:
    """Rows of features, in the order of the images given."""

    def __init__(self, folder: Path, images: Sequence[DatasetImage], extractor: RegionExtractor) -> None:
        """Open or create the cache of `images` below `folder`; nothing is extracted yet."""
        listing = hashlib.sha256("\n".join(image.path.name for image in images).encode()).hexdigest()[:12]
        self._root = folder / f"{extractor.name}_{listing}"
        self._root.mkdir(parents=True, exist_ok=True)
        self._images = images
        self._extractor = extractor
        self.features = self._open("features.npy", np.float16, (len(images), REGIONS, extractor.feature_size))
        self.boxes = self._open("boxes.npy", np.float32, (len(images), REGIONS, 4))

    def fill(self, workers: int = 2) -> None:
        """Extract what is missing or changed, with a progress bar.

        Raises:
            DatasetError: a photo cannot be read, its path named.
        """
        hashes = [hashlib.sha256(image.path.read_bytes()).hexdigest() for image in self._images]
        made = self._read_hashes()
        missing = [row for row, content in enumerate(hashes) if made[row] != content]
        if not missing:
            return
        torch.set_num_threads(1)  # one photo a thread: 1.5 times faster than one photo on all threads
        for count, (row, regions) in enumerate(self._extract(missing, workers), start=1):
            self.features[row] = regions.features
            self.boxes[row] = regions.boxes
            made[row] = hashes[row]
            if count % _SAVE_EVERY == 0:
                self._write_hashes(made)
        self._write_hashes(made)

    def _extract(self, rows: Sequence[int], workers: int) -> Iterator[tuple[int, RegionFeatures]]:
        with ThreadPoolExecutor(workers) as pool:
            for start in tqdm(range(0, len(rows), 50), desc=f"features {self._extractor.name}", unit="x50 photos"):
                chunk = rows[start : start + 50]
                yield from zip(chunk, pool.map(self._extract_one, chunk), strict=True)

    def _extract_one(self, row: int) -> RegionFeatures:
        path = self._images[row].path
        try:
            return self._extractor.extract(load_photo(path))
        except PhotoError as error:
            raise DatasetError(f"the photo {path} {error}") from error

    def _open(self, name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        path = self._root / name
        mode: Any = "r+" if path.exists() else "w+"
        return np.lib.format.open_memmap(path, mode=mode, dtype=dtype, shape=shape)

    def _read_hashes(self) -> list[str]:
        path = self._root / "hashes.json"
        return json.loads(path.read_text()) if path.exists() else [""] * len(self._images)

    def _write_hashes(self, hashes: Sequence[str]) -> None:
        self.features.flush()  # type: ignore[attr-defined]
        self.boxes.flush()  # type: ignore[attr-defined]
        aside = self._root / "hashes.json.tmp"
        aside.write_text(json.dumps(list(hashes)))
        aside.replace(self._root / "hashes.json")
