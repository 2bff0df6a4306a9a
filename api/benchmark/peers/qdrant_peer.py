"""Qdrant Edge: multivectors compared by MaxSim, its HNSW graph of items built, as its own defaults are."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    MultiVectorComparator,
    MultiVectorConfig,
    Point,
    Query,
    SearchRequest,
    UpdateOperation,
)

AT_ONCE = 500  # points of one update


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Put all items in, then let it optimise."""
    multi = MultiVectorConfig(comparator=MultiVectorComparator.MaxSim)
    vector = EdgeVectorParams(size=vectors.shape[1], distance=Distance.Dot, multivector_config=multi)
    (folder / "shard").mkdir()
    shard = EdgeShard.create(str(folder / "shard"), EdgeConfig(vectors={"": vector}))
    for first in range(0, len(offsets) - 1, AT_ONCE):
        places = range(first, min(first + AT_ONCE, len(offsets) - 1))
        points = [Point(item, vectors[offsets[item] : offsets[item + 1]].tolist()) for item in places]
        shard.update(UpdateOperation.upsert_points(points))
    shard.optimize()
    shard.flush()
    shard.close()


class Engine:
    """See worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        self._shard = EdgeShard.load(str(folder / "shard"))

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        hits = self._shard.search(SearchRequest(query=Query.Nearest(query.tolist()), limit=k))
        return [int(hit.id) for hit in hits]
