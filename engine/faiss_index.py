"""Fragments in FAISS: a flat inner-product index, and a codebook once exact search would be slow."""

import threading
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
import numpy.typing as npt

from engine.codebook import Codebook
from engine.exceptions import IndexDamaged, StorageError
from engine.fragments import Fragments, ScoreTerms

EXACT_UP_TO = 1_000_000
"""Fragments up to which every item is a candidate: 47,000 photos of 21 regions, 0.1 s for ten words on two cores."""


class _Rows:
    """The memory of a flat index as a numpy array that keeps the index alive."""

    def __init__(self, flat: Any, count: int) -> None:
        self.flat = flat
        self.__array_interface__ = faiss.rev_swig_ptr(flat.get_xb(), count * flat.d).__array_interface__


class FaissFragmentIndex:
    """The embedded index: exact up to `exact_up_to` fragments, candidates from a codebook above.

    Args:
        dimension: D.
        exact_up_to: fragments up to which `candidates` gives every item.
    """

    def __init__(self, dimension: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self.dimension = dimension
        self.exact_up_to = exact_up_to
        self._flat: Any = faiss.IndexFlatIP(dimension)
        self._ids = np.empty(0, np.int64)
        self._offsets = np.zeros(1, np.int64)
        self._codebook: Codebook | None = None
        self._building = threading.Lock()

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of all items, int64 (I,), in stored order."""
        return self._ids

    def add(self, items: Fragments) -> None:
        """Add items; see FragmentIndex.add."""
        if items.vectors.shape[1] != self.dimension:
            raise ValueError(f"vectors of {items.vectors.shape[1]} numbers in an index of {self.dimension}")
        if not np.isfinite(items.vectors).all():
            raise ValueError("a vector holds NaN or infinity")
        if len(np.unique(items.ids)) != len(items) or np.isin(items.ids, self._ids).any():
            raise ValueError("an id is in the index already or given twice")
        self._flat.add(np.ascontiguousarray(items.vectors, np.float32))
        self._ids = np.concatenate([self._ids, items.ids])
        self._offsets = np.concatenate([self._offsets, self._offsets[-1] + items.offsets[1:]])
        self._codebook = None

    def reserve(self, fragments: int) -> None:
        """Make room; a vector that grows by doubling would hold two and a half times its bytes for a while."""
        codes, bytes_used = self._flat.codes, self._flat.codes.size()
        codes.resize(bytes_used + fragments * self._flat.code_size)
        codes.resize(bytes_used)  # the capacity stays

    def remove(self, ids: npt.NDArray[np.int64]) -> int:
        """Remove items; see FragmentIndex.remove."""
        kept = np.flatnonzero(~np.isin(self._ids, ids))
        removed = len(self) - len(kept)
        if removed:
            items = self.all_fragments().take(kept)
            self._flat = faiss.IndexFlatIP(self.dimension)
            self._flat.add(items.vectors)
            self._ids, self._offsets, self._codebook = items.ids, items.offsets, None
        return removed

    def candidates(
        self,
        query: npt.NDArray[np.float32],
        terms: ScoreTerms,
        count: int,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> npt.NDArray[np.int64]:
        """Every item, or above `exact_up_to` fragments the best by codebook; see FragmentIndex.candidates."""
        open_to = np.arange(len(self)) if allowed is None else np.flatnonzero(np.isin(self._ids, allowed))
        if self._offsets[-1] <= self.exact_up_to or len(open_to) <= count:
            return self._ids[open_to]
        coarse = self._built_codebook().scores(query, self._offsets, terms)[open_to]
        best = np.argpartition(-coarse, count)[:count]
        return self._ids[open_to[best]]

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        """The items with these ids, in the order given; see FragmentIndex.fragments."""
        order = np.argsort(self._ids, kind="stable")
        places = np.searchsorted(self._ids, ids, sorter=order)
        numbers = order[np.minimum(places, len(self) - 1)] if len(self) else places
        found = self._ids[numbers] == ids if len(self) else np.zeros(len(ids), bool)
        if not found.all():
            raise KeyError(f"not in the index: {np.asarray(ids)[~found][:5].tolist()}")
        return self.all_fragments().take(numbers)

    def all_fragments(self) -> Fragments:
        """All items as views of the memory that FAISS holds."""
        count = int(self._flat.ntotal)
        if count == 0:
            return Fragments(self._ids, self._offsets, np.empty((0, self.dimension), np.float32))
        rows: npt.NDArray[np.float32] = np.asarray(_Rows(self._flat, count))
        return Fragments(self._ids, self._offsets, rows.reshape(count, self.dimension))

    def write(self, path: Path) -> None:
        """Write items, vectors and, above `exact_up_to`, the codebook into a new folder."""
        path.mkdir(parents=True)
        try:
            np.savez(path / "items.npz", ids=self._ids, offsets=self._offsets)
            faiss.write_index(self._flat, str(path / "vectors.faiss"))
            if self._offsets[-1] > self.exact_up_to:
                self._built_codebook().write(path / "codebook.npz")
        except (OSError, RuntimeError) as error:  # FAISS reports a full disk as RuntimeError
            raise StorageError(f"cannot write the index to {path}: {error}") from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; see FragmentIndex.read."""
        try:
            with np.load(path / "items.npz") as items:
                ids, offsets = items["ids"], items["offsets"]
            flat = faiss.read_index(str(path / "vectors.faiss"))
            codebook = Codebook.read(path / "codebook.npz") if (path / "codebook.npz").exists() else None
        except Exception as error:  # numpy, zipfile and FAISS each raise their own for bytes that are not theirs
            raise IndexDamaged(f"the index in {path} cannot be read: {error}") from error
        if not isinstance(flat, faiss.IndexFlat) or offsets.shape != (len(ids) + 1,) or offsets[-1] != flat.ntotal:
            raise IndexDamaged(f"the index in {path} does not fit together; index the collection again with --rebuild")
        index = cls(flat.d)
        index._flat, index._ids, index._offsets, index._codebook = flat, ids, offsets, codebook
        return index

    def _built_codebook(self) -> Codebook:
        with self._building:
            if self._codebook is None:
                self._codebook = Codebook.train(self.all_fragments().vectors)
            return self._codebook
