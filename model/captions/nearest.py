"""The nearest neighbour's caption: what the most similar region of the training photos was called."""

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from model.captions.described import Described
from model.exceptions import CaptionError

_AT_ONCE = 1024  # training regions compared at once: their products with 8,000 boxes take 32 MB


@torch.inference_mode()
def nearest_snippets(features: npt.NDArray[np.float16], training: Described, compared: slice) -> list[tuple[str, ...]]:
    """Find for each region the training region with the most similar features, by cosine, with progress.

    Args:
        features: of N regions, (N, X).
        training: regions of the training split, with snippets.
        compared: the part of the X features that is compared.

    Returns:
        Words of the first snippet of the training region; of equally similar regions, the first.

    Raises:
        CaptionError: no training region has a snippet.
    """
    if not len(training):
        raise CaptionError("the alignment model knows no word of the training sentences: no region has a name to take")
    wanted = _unit(features[:, compared])  # (N, F)
    best = torch.full((len(wanted),), -torch.inf)
    nearest = torch.zeros(len(wanted), dtype=torch.int64)
    for start in tqdm(range(0, len(training), _AT_ONCE), desc="nearest neighbours", unit=f" x {_AT_ONCE:,} regions"):
        part = slice(start, start + _AT_ONCE)
        found = _unit(training.split.features[training.photos[part], training.regions[part], compared])
        similarity, place = (wanted @ found.T).max(dim=1)
        nearer = similarity > best
        best = torch.where(nearer, similarity, best)
        nearest = torch.where(nearer, start + place, nearest)
    return [tuple(training.sentences[item][0]) for item in nearest.tolist()]


def _unit(features: npt.NDArray[np.float16]) -> torch.Tensor:
    """Scale rows to length one."""
    return torch.nn.functional.normalize(torch.from_numpy(features.astype(np.float32)), dim=1)
