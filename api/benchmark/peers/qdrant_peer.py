"""Qdrant Edge: multivectors compared by MaxSim, optimised, as its own defaults are; in an environment of its own."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

AT_ONCE = 500  # points of one update


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Put all items in, then let it optimise."""
    import qdrant_edge as qdrant

    multi = qdrant.MultiVectorConfig(comparator=qdrant.MultiVectorComparator.MaxSim)
    vector = qdrant.EdgeVectorParams(size=vectors.shape[1], distance=qdrant.Distance.Dot, multivector_config=multi)
    (folder / "shard").mkdir()
    shard = qdrant.EdgeShard.create(str(folder / "shard"), qdrant.EdgeConfig(vectors={"": vector}))
    for first in range(0, len(offsets) - 1, AT_ONCE):
        places = range(first, min(first + AT_ONCE, len(offsets) - 1))
        points = [qdrant.Point(item, vectors[offsets[item] : offsets[item + 1]].tolist()) for item in places]
        shard.update(qdrant.UpdateOperation.upsert_points(points))
    shard.optimize()
    shard.flush()
    shard.close()


class Engine:
    """See worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        import qdrant_edge as qdrant

        self._qdrant = qdrant
        self._shard = qdrant.EdgeShard.load(str(folder / "shard"))

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        hits = self._shard.search(self._qdrant.SearchRequest(query=self._qdrant.Query.Nearest(query.tolist()), limit=k))
        return [int(hit.id) for hit in hits]
