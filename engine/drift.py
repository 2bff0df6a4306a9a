"""How well a codebook fits what an index holds by now: the mean squared distance of its fragments to their centroids.

A codebook is trained on what an index held then. Where other things are added, their fragments lie farther from the
centroids, coarse scores say less of them, and searches miss more. The distance is measured when a codebook is trained,
and of a sample of all fragments whenever the index has changed.

    trained_error.npy    float64 ()     in the codebook's folder
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.array_files import open_array
from engine.codebook import Codebook, VectorSource, sample

SAMPLE = 8192  # fragments that are measured: the mean is then known to about one hundredth
AT_ONCE = 512  # of them, whose products with 8,192 centroids take 16 MB
NAME = "trained_error.npy"


def mean_error(vectors: VectorSource, codebook: Codebook) -> float:
    """Return the mean squared distance of a sample of vectors, one at least, to the nearest centroid."""
    drawn = sample(vectors, SAMPLE)
    squares = (codebook.centroids**2).sum(axis=1)
    nearest = [_nearest(drawn[first : first + AT_ONCE], codebook, squares) for first in range(0, len(drawn), AT_ONCE)]
    return float(np.concatenate(nearest).mean(dtype=np.float64))


def write_error(path: Path, error: float) -> None:
    """Keep the error of a codebook that was just trained beside it."""
    np.save(path / NAME, np.float64(error))


def read_error(path: Path) -> float:
    """Read what `write_error` wrote.

    Raises:
        IndexDamaged: the file is missing or holds something else.
    """
    return float(open_array(path / NAME, np.float64, 0))


def drift(vectors: VectorSource, codebook: Codebook, trained_error: float) -> float:
    """Return by what factor the mean error has grown since the codebook was trained."""
    return mean_error(vectors, codebook) / max(trained_error, float(np.finfo(np.float32).tiny))


def _nearest(
    vectors: npt.NDArray[np.float32], codebook: Codebook, squares: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    distances = squares - 2 * vectors @ codebook.centroids.T
    nearest: npt.NDArray[np.float32] = np.maximum(distances.min(axis=1) + (vectors**2).sum(axis=1), 0)
    return nearest
