"""xtr-warp-rs, as its own defaults are, on all cores; its package is in an environment of its own."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Let it train and compress."""
    from xtr_warp.search import XTRWarp

    items = torch.from_numpy(vectors).split(np.diff(offsets).tolist())
    XTRWarp(str(folder / "index")).create(list(items), device="cpu", show_progress=False)


class Engine:
    """See worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        from xtr_warp.search import XTRWarp

        self._index = XTRWarp(str(folder / "index")).load(device="cpu")

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        asked = torch.from_numpy(query)[None]
        (hits,) = self._index.search(asked, top_k=k, num_threads=os.cpu_count(), show_progress=False)
        return [item for item, _ in hits]
