"""fast-plaid, as its own defaults are; its package is in an environment of its own."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Let it train and compress."""
    from fast_plaid.search import FastPlaid

    items = torch.from_numpy(vectors).split(np.diff(offsets).tolist())
    FastPlaid(str(folder / "index"), device="cpu").create(documents_embeddings=list(items))


class Engine:
    """See worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        from fast_plaid.search import FastPlaid

        self._index = FastPlaid(str(folder / "index"), device="cpu")

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        (hits,) = self._index.search(torch.from_numpy(query)[None], top_k=k, show_progress=False)
        return [item for item, _ in hits]
