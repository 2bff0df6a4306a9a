"""Residuals in few bytes: what a fragment's centroid leaves of it, by product quantisation.

Every four numbers of a residual by directions become one byte, the number of the nearest of 256 patterns: 32 bytes
where there are 128 directions. Measured against RaBitQ and FAISS's scalar codes in docs/measurements.md.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
import numpy.typing as npt

from engine.array_files import open_array
from engine.exceptions import IndexDamaged
from engine.kernels import scale_of

PART = 4  # numbers in one byte
PATTERNS = 256
SAMPLE = 40 * PATTERNS
"""Residuals that the patterns are trained on; FAISS asks for 39 a pattern or more."""

ITERATIONS = 5
SEED = 21


class ResidualQuantizer:
    """Residuals, float32 (n, D), to bytes, uint8 (n, B), and bytes to inner products.

    Args:
        dimension: D.
        patterns: float32 (B, 256, 4); None: trained later.
    """

    def __init__(self, dimension: int, patterns: npt.NDArray[np.float32] | None = None) -> None:
        self.size = -(-dimension // PART)  # B
        self._dimension = dimension
        self._quantizer: Any = faiss.ProductQuantizer(self.size * PART, self.size, 8)
        if patterns is not None:
            faiss.copy_array_to_vector(patterns.ravel(), self._quantizer.centroids)

    @classmethod
    def train(cls, residuals: npt.NDArray[np.float32]) -> Self:
        """Learn the patterns from some residuals, at least one; the same residuals give the same patterns."""
        quantizer = cls(residuals.shape[1])
        training = quantizer._quantizer.cp
        training.niter, training.seed, training.min_points_per_centroid = ITERATIONS, SEED, 1
        rows = np.resize(residuals, (max(len(residuals), PATTERNS), residuals.shape[1]))  # repeated where too few
        quantizer._quantizer.train(quantizer._padded(rows))
        return quantizer

    def encode(self, residuals: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return the bytes of residuals."""
        codes: npt.NDArray[np.uint8] = self._quantizer.compute_codes(self._padded(residuals))
        return codes

    def padded(self, lanes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Fill a query in lanes, float32 (D, W), up with zeros to the numbers of B bytes, float32 (B * 4, W)."""
        missing = self.size * PART - self._dimension
        return np.pad(lanes, ((0, missing), (0, 0))) if missing else lanes

    def scale(self, lanes: npt.NDArray[np.float32]) -> float:
        """Return what whole numbers of products are made with, so that no sum of B of them is beyond 16 bits.

        Args:
            lanes: the query, float32 (B * 4, W).
        """
        scale: float = scale_of(self._lengths, lanes)
        return scale

    def write(self, path: Path) -> None:
        """Write the patterns."""
        np.save(path, self.patterns)

    @classmethod
    def read(cls, path: Path, dimension: int) -> Self:
        """Read what `write` wrote.

        Raises:
            IndexDamaged: the file is missing or holds something else.
        """
        patterns = open_array(path, np.float32, 3)
        if patterns.shape != (-(-dimension // PART), PATTERNS, PART):
            raise IndexDamaged(f"{path} is of vectors of another size; mend it with: dvsa verify --repair")
        return cls(dimension, patterns)

    @cached_property
    def patterns(self) -> npt.NDArray[np.float32]:
        """What each byte stands for, float32 (B, 256, 4)."""
        patterns: npt.NDArray[np.float32] = faiss.vector_to_array(self._quantizer.centroids)
        return patterns.reshape(self.size, PATTERNS, PART)

    @cached_property
    def _lengths(self) -> npt.NDArray[np.float32]:
        """Of the longest pattern of each byte, float32 (B,)."""
        lengths: npt.NDArray[np.float32] = np.linalg.norm(self.patterns, axis=2).max(axis=1)
        return lengths

    def _padded(self, residuals: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        missing = self.size * PART - self._dimension
        return np.ascontiguousarray(np.pad(residuals, ((0, 0), (0, missing))) if missing else residuals)
