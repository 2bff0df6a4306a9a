"""Region features of a dataset's photos, extracted once and memory-mapped.

A cache is a folder named after proposer, backbone, their weights, preprocessing and the photos' names: `features.npy`
float16 (I, R, F + 5), `boxes.npy` float32 (I, R, 4) and `hashes.json`, the SHA-256 of the photo in each row, empty
where a row is not made yet. A changed photo is made again, an interrupted run continues, and what is damaged is made
anew. Several processes may ask for the same cache: one fills it, the others wait.
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
from filelock import FileLock
from tqdm import tqdm

from model.boxes import REGIONS
from model.dataset import DatasetImage
from model.exceptions import DatasetError, PhotoError
from model.photo import load_photo
from model.region_features import RegionExtractor, RegionFeatures

_SAVE_EVERY = 200  # photos between two saves of the hashes: seconds of work that a crash can cost
_AT_ONCE = 50  # photos: features that wait for an earlier photo's are few


class FeatureCache:
    """Rows of features, in the order of the images given.

    Attributes:
        features: float16 (I, R, F + 5).
        boxes: float32 (I, R, 4), pixels.
    """

    def __init__(self, folder: Path, images: Sequence[DatasetImage], extractor: RegionExtractor) -> None:
        """Open or create the cache of `images` below `folder`; nothing is extracted yet."""
        listing = hashlib.sha256("\n".join(image.path.name for image in images).encode()).hexdigest()[:12]
        self._root = folder / f"{extractor.name}_{listing}"
        self._root.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._root / ".lock")
        self._images = images
        self._extractor = extractor
        with self._lock:
            self.features = self._open("features.npy", np.float16, (len(images), REGIONS, extractor.feature_size))
            self.boxes = self._open("boxes.npy", np.float32, (len(images), REGIONS, 4))

    def fill(self, workers: int = 2) -> None:
        """Extract what is missing or changed, with a progress bar.

        Raises:
            DatasetError: photos cannot be read; the first is named. The others are extracted and kept.
        """
        with self._lock:
            self._fill(workers)

    def _fill(self, workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            hashes = list(pool.map(_content_hash, self._images))
        made = self._read_hashes()
        missing = [row for row, content in enumerate(hashes) if made[row] != content or not content]
        if not missing:
            return
        problems: list[str] = []
        torch.set_num_threads(1)  # one photo a thread: 1.5 times faster than one photo on all threads
        try:
            for count, (row, regions) in enumerate(self._extract(missing, workers), start=1):
                if isinstance(regions, PhotoError):
                    problems.append(f"{self._images[row].path} {regions}")
                    continue
                self.features[row] = regions.features
                self.boxes[row] = regions.boxes
                made[row] = hashes[row]
                if count % _SAVE_EVERY == 0:
                    self._write_hashes(made)
        finally:
            self._write_hashes(made)
        if problems:
            raise DatasetError(
                f"{len(problems):,} of {len(hashes):,} photos cannot be used, the first: {problems[0]}; "
                "put this right, or train without them by --skip-missing"
            )

    def _extract(self, rows: Sequence[int], workers: int) -> Iterator[tuple[int, RegionFeatures | PhotoError]]:
        with ThreadPoolExecutor(workers) as pool, tqdm(total=len(rows), desc="region features", unit=" photos") as bar:
            for start in range(0, len(rows), _AT_ONCE):
                chunk = rows[start : start + _AT_ONCE]
                yield from zip(chunk, pool.map(self._extract_one, chunk), strict=True)
                bar.update(len(chunk))

    def _extract_one(self, row: int) -> RegionFeatures | PhotoError:
        try:
            return self._extractor.extract(load_photo(self._images[row].path))
        except PhotoError as error:
            return error

    def _open(self, name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Map an array; one that is not there, cut short or of another shape is begun anew, and no row is made."""
        path = self._root / name
        try:
            found = np.lib.format.open_memmap(path, mode="r")  # "r+" would fill up what was cut off with zeros
            if found.shape == shape and found.dtype == dtype:
                return np.lib.format.open_memmap(path, mode="r+")
        except (OSError, ValueError):  # what numpy raises for a file that is not there, or is no array of its length
            pass
        (self._root / "hashes.json").unlink(missing_ok=True)
        return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)

    def _read_hashes(self) -> list[str]:
        """Read the hashes; those that are damaged or of another number of photos say nothing."""
        nothing = [""] * len(self._images)
        try:
            hashes = json.loads((self._root / "hashes.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return nothing
        return hashes if isinstance(hashes, list) and len(hashes) == len(nothing) else nothing

    def _write_hashes(self, hashes: Sequence[str]) -> None:
        self.features.flush()  # type: ignore[attr-defined]
        self.boxes.flush()  # type: ignore[attr-defined]
        aside = self._root / "hashes.json.tmp"
        aside.write_text(json.dumps(list(hashes)))
        aside.replace(self._root / "hashes.json")


def _content_hash(image: DatasetImage) -> str:
    """Return the SHA-256 of a photo; empty for one that cannot be read, which its extraction then says."""
    try:
        with image.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
