"""Fragments in memory: each its centroid's number and its residual in few bytes.

    codes.npy          int32 (N,)          the centroid of each fragment
    residuals.npy      uint8 (N, B)
    list_*.npy         the items of each centroid, see inverted_lists

Three ways to score without the exact vectors, all of products that nobody normalises:

    listed     every fragment is its centroid, and of those only the best are looked at, by their lists: of all items.
    coarse     every fragment is its centroid: a look-up in the table of the query's products with the centroids.
    refined    every fragment is its centroid and what its bytes stand for.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import ArrayWriter
from engine.codebook import Codebook, Table
from engine.cores import share_out
from engine.device import CPU, best_in_each, sum_of_each
from engine.exceptions import IndexDamaged
from engine.fragments import ScoreTerms, runs
from engine.inverted_lists import InvertedLists, write_lists
from engine.kernels import add_query_term, add_stored_term, refine
from engine.kernels.search import Items
from engine.kernels.sharing import Board
from engine.resources import Resources
from engine.row_files import RowFile
from engine.scoring import joined_terms
from engine.stored_fragments import StoredFragments
from engine.torch_look_ups import query_term, refined_products, stored_term

SOME = 2**17
"""Fragments of chosen items that are looked up at a time: 9 MB where they are not mapped."""

AT_LEAST = 100  # items that another thread is woken for

Numbers = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


class CompressedFragments:
    """The items of a `StoredFragments`, compressed; read only."""

    def __init__(self, path: Path, offsets: npt.NDArray[np.int64], codebook: Codebook, resources: Resources) -> None:
        """Open what `compress` wrote.

        Args:
            path: the folder.
            offsets: int64 (I + 1,), of the stored items.
            codebook: that they were compressed with.
            resources: what searches may use.

        Raises:
            IndexDamaged: files are missing, hold something else or do not fit the stored items.
        """
        self._offsets = offsets
        self._codebook = codebook
        self._device, self._compiled = resources.device, resources.compiled
        self._lists = InvertedLists(path, len(offsets) - 1, len(codebook), resources)
        self._codes = RowFile(path / "codes.npy", np.int32, 1, resources)
        self._residuals = RowFile(path / "residuals.npy", np.uint8, 2, resources)
        size = (offsets[-1], codebook.quantizer.size)
        if self._codes.array.shape != size[:1] or self._residuals.array.shape != size:
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def query_term(self, table: Table, part: float) -> Numbers:
        """Add up each item's best centroids, float32 (I,), by the best lists; see InvertedLists.query_term."""
        return self._lists.query_term(table, part)

    def stored_term(self, best: Numbers, part: float, sizes: Numbers, mean: bool) -> Numbers:
        """Score items by the values of their fragments' centroids, float32 (I,); see InvertedLists.stored_term."""
        return self._lists.stored_term(best, part, sizes, mean)

    def query_term_of(self, table: Table, numbers: Places) -> Numbers:
        """Add up the best of an item's centroids, one for each of the query's vectors, float32 (n,).

        Args:
            table: the query's vectors.
            numbers: the items' places, one at least.
        """
        if not self._compiled:
            products = self._on_device(table.products[:, : table.asked])
            return self._by_torch(numbers, lambda codes, starts: query_term(codes, products, starts))
        scores = np.zeros(len(numbers), np.float32)
        for some, begins, counts in self._runs(numbers):
            codes, begins = self._codes.part(begins, counts)
            _all_sound(
                len(begins),
                partial(add_query_term, begins, counts, codes, table.products, table.asked, scores[some]),
            )
        return scores

    def stored_term_of(self, best: Numbers, numbers: Places) -> Numbers:
        """Add up the value of each fragment's centroid, float32 (C,), of the items at these places, float32 (n,)."""
        if not self._compiled:
            values = self._on_device(best)
            return self._by_torch(numbers, lambda codes, starts: stored_term(codes, values, starts))
        scores = np.zeros(len(numbers), np.float32)
        for some, begins, counts in self._runs(numbers):
            codes, begins = self._codes.part(begins, counts)
            _all_sound(len(begins), partial(add_stored_term, begins, counts, codes, best, scores[some]))
        return scores

    def refined_scores(self, tables: Sequence[Table], terms: ScoreTerms, numbers: Places) -> Numbers:
        """Score the items at these places by centroids and residuals, float32 (n,).

        Args:
            tables: of the query; see Codebook.tables.
            terms: which terms the score has.
            numbers: the items' places, one at least.
        """
        score = self._refined if self._compiled else self._refined_by_torch
        total, stored, sizes = (np.zeros(len(numbers), np.float32) for _ in range(3))
        for some, begins, counts in self._runs(numbers):
            total[some], stored[some] = score(tables, terms, begins, counts)
            sizes[some] = counts
        return joined_terms(total, stored, terms, sum(table.asked for table in tables), sizes)

    def _refined(
        self, tables: Sequence[Table], terms: ScoreTerms, begins: Places, counts: Places
    ) -> tuple[Numbers, Numbers]:
        starts, by_query = np.cumsum(counts) - counts, np.zeros(len(counts), np.float32)
        best = np.full(counts.sum() if terms.stored else 0, -np.inf, np.float32)
        residuals, _ = self._residuals.part(begins, counts)
        codes, begins = self._codes.part(begins, counts)
        for table in tables:
            quantizer, lanes = self._codebook.quantizer, table.lanes
            query = quantizer.patterns, lanes, table.asked, quantizer.scale(lanes)
            given = begins, counts, codes, residuals, table.products, *query, by_query, starts, best
            _all_sound(len(counts), partial(refine, *given))
        return by_query, np.add.reduceat(best, starts) if terms.stored else by_query

    def _refined_by_torch(
        self, tables: Sequence[Table], terms: ScoreTerms, begins: Places, counts: Places
    ) -> tuple[Numbers, Numbers]:
        starts, by_query = np.cumsum(counts) - counts, torch.zeros(len(counts), device=self._device)
        codes, residuals = self._codes.take(begins, counts), self._residuals.take(begins, counts)
        best = torch.full((len(codes),), -torch.inf, device=self._device)
        patterns = self._on_device(self._codebook.quantizer.patterns)
        for table in tables:
            products, query = (self._on_device(one[:, : table.asked]) for one in (table.products, table.lanes))
            found = refined_products(codes, residuals, products, patterns, query)  # (n, up to Q)
            if terms.query:
                by_query += best_in_each(found, starts).sum(1)
            if terms.stored:
                best = torch.maximum(best, found.amax(1))
        return by_query.cpu().numpy(), sum_of_each(best, starts).cpu().numpy()

    def mapped(self, sizes: Numbers) -> Items | None:
        """All of it for `kernels.search`, with fragments of each item, float32 (I,); None where not all is mapped."""
        lists = self._lists.mapped
        if lists is None or not (self._compiled and self._codes.mapped and self._residuals.mapped):
            return None
        centroids, scale = self._codebook.wholes
        offsets, items, counts = lists
        codes, residuals, patterns = self._codes.array, self._residuals.array, self._codebook.quantizer.patterns
        return Items(centroids, scale, patterns, offsets, items, counts, self._offsets, codes, residuals, sizes)

    def _runs(self, numbers: Places) -> Iterator[tuple[slice, Places, Places]]:
        """Cut the items at these places into runs, each with where their fragments begin and how many they have."""
        begins, ends = self._offsets[numbers], self._offsets[numbers + 1]
        counts = ends - begins
        if len(numbers) and not 0 <= begins.min() <= ends.max() <= len(self._codes):
            raise IndexError("an item has fragments that there are not")
        for first, last in runs(np.concatenate([[0], np.cumsum(counts)]), SOME):
            yield slice(first, last), begins[first:last], counts[first:last]

    def _by_torch(self, numbers: Places, look: Callable[[torch.Tensor, Places], torch.Tensor]) -> Numbers:
        """Look up the centroids of items, some at a time: `look` is given theirs, and where each item begins."""
        found = [
            look(self._codes.take(begins, counts), np.cumsum(counts) - counts).cpu().numpy()
            for _, begins, counts in self._runs(numbers)
        ]
        return np.concatenate(found)

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._codes.array.nbytes + self._residuals.array.nbytes + self._lists.memory_bytes()

    def bytes_touched(self, lists: float) -> int:
        """About the bytes that scores of all items read and write when they look at so many times all lists."""
        return round(self._lists.memory_bytes() * lists) + 8 * (len(self._offsets) - 1)

    def _on_device(self, array: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def _all_sound(count: int, work: Callable[[Board], None]) -> None:
    """Share items among threads; `work` tells codes that are of none of the centroids."""
    if not share_out(count, work, AT_LEAST):
        raise IndexError("a fragment is of a centroid that there is not")


def compress(path: Path, stored: StoredFragments, codebook: Codebook, device: torch.device = CPU) -> None:
    """Compress stored items into an existing folder; holds the codes, four bytes a fragment."""
    codes = [np.empty(0, np.int32)]
    with ArrayWriter(path / "residuals.npy", np.uint8, (codebook.quantizer.size,)) as residuals:
        for block, encoded in codebook.encode(stored.blocks(), device):
            codes.append(block)
            residuals.append(encoded)
    joined = np.concatenate(codes)
    np.save(path / "codes.npy", joined)
    write_lists(path, joined, stored.offsets, len(codebook))
