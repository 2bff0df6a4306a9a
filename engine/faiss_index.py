"""The embedded index: segments of exact vectors on disk, and their compressed form once exact search would be slow.

A search of a large index has four stages, each over fewer items: listed scores of all, coarse and refined scores of the
best, and exact scores of the candidates.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from engine.approximate_scores import ApproximateScores
from engine.at_once import choose_at_once
from engine.codebook import Codebook
from engine.drift import read_error
from engine.effort import DEPTHS, Depth
from engine.exceptions import BadFragments, IndexDamaged, StorageError
from engine.fragments import Effort, Fragments, QueryPart, ScoreTerms, weighted_sum
from engine.inverted_lists import looked_at
from engine.kernels import largest_places
from engine.resources import PLAIN, Resources
from engine.revision import CODEBOOK, Renewal, assemble, renew, renewal, write_whole
from engine.scoring import exact_scores
from engine.segmented_items import SegmentedItems
from engine.segments import NONE, among, read_segments, write_segment

EXACT_UP_TO = 20_000
"""Fragments up to which every search is exact: 1,000 photos, where it takes as long as an indexed one."""

ADDED = "added"  # folder of the items that come, until they are a segment


class FaissFragmentIndex:
    """The embedded index; see FragmentIndex."""

    def __init__(self, path: Path, resources: Resources = PLAIN) -> None:
        """Open what `create` or `revise` wrote; see FragmentIndex.open."""
        self._path, self._resources = path, resources
        self.device = resources.device
        self._codebook = Codebook.read(path / CODEBOOK) if (path / CODEBOOK).exists() else None
        self._trained_error = read_error(path / CODEBOOK) if self._codebook else 0.0
        self._items = SegmentedItems(read_segments(path, self._codebook, resources))
        self.dimension = self._items.dimension
        self.fragment_count = self._items.fragment_count

    @classmethod
    def create(cls, path: Path, dimension: int, pieces: Iterable[Fragments], resources: Resources = PLAIN) -> Self:
        """Write an index into a new folder; see FragmentIndex.create."""
        try:
            path.mkdir(parents=True)
            write_whole(path, dimension, pieces, EXACT_UP_TO, resources.device)
        except OSError as error:
            raise StorageError(f"cannot write the index to {path}: {error}") from error
        return cls(path, resources)._tried()

    @classmethod
    def open(cls, path: Path, resources: Resources = PLAIN) -> Self:
        """Open what `create` or `revise` wrote; see FragmentIndex.open."""
        return cls(path, resources)

    def revise(self, path: Path, removed: npt.NDArray[np.int64], added: Iterable[Fragments]) -> Self:
        """Write the next state into a new folder, for the most part as links; see FragmentIndex.revise."""
        try:
            path.mkdir(parents=True)
            removed = np.sort(removed)
            new = write_segment(path / ADDED, self.dimension, added, self._codebook)
            segments = [segment.without(removed) for segment in self._items.segments]
            for segment in segments:
                _refuse_repeats(segment.stored.ids[segment.kept], new.stored.ids)
            kept = [segment for segment in (*segments, new) if len(segment)] or [new]
            assemble(path, kept, self._codebook, self._path)
            shutil.rmtree(path / ADDED)
        except OSError as error:
            raise StorageError(f"cannot write the index to {path}: {error}") from error
        return type(self)(path, self._resources)

    def without(self, ids: npt.NDArray[np.int64]) -> Self:
        """The same less some items, in memory alone; see FragmentIndex.without."""
        other, removed = copy(self), np.sort(ids)
        for computed in ("_by_id", "_renewal"):
            other.__dict__.pop(computed, None)
        other._items = SegmentedItems([segment.without(removed) for segment in self._items.segments])
        other.fragment_count = other._items.fragment_count
        return other

    def ageing(self) -> str | None:
        """Say why the items should be written anew; see FragmentIndex.ageing."""
        return self._renewal.reason if self._renewal else None

    def renew(self, path: Path) -> Self:
        """Write the same items anew, or links to them where nothing is due; see FragmentIndex.renew."""
        if self._renewal is None:
            return self.revise(path, NONE, ())
        try:
            path.mkdir(parents=True)
            renew(path, self._items, self._codebook, self._path, EXACT_UP_TO, self._renewal, self.device)
        except OSError as error:
            raise StorageError(f"cannot write the index to {path}: {error}") from error
        return type(self)(path, self._resources)._tried()

    def _tried(self) -> Self:
        """Search once, so that the loops of a search are compiled before somebody waits for an answer."""
        if self._codebook is not None:
            vector = self._codebook.centroids[:1]
            for stored in (True, False):
                query = [QueryPart(vector, ScoreTerms(query=True, stored=stored, reduction="sum"))]
                self.candidates(query, 1, "fast")
        return self

    @cached_property
    def _renewal(self) -> Renewal | None:
        return renewal(self._items, self._codebook, self._trained_error, EXACT_UP_TO)

    def __len__(self) -> int:
        return len(self._items.kept)

    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of all items, int64 (I,), in stored order."""
        return self._items.ids[self._items.kept]

    def fragment_counts(self) -> npt.NDArray[np.int64]:
        """Number of vectors of each item, int64 (I,), in stored order."""
        return np.concatenate([np.diff(part.stored.offsets)[part.kept] for part in self._items.segments])

    def candidates(
        self,
        query: Sequence[QueryPart],
        k: int,
        effort: Effort,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Every item where that is asked for or fast, else the best by compressed fragments; see FragmentIndex."""
        items, places = self._items, self._items.kept
        if allowed is not None:
            places = self._known(np.unique(allowed))
        if self._codebook is None or effort == "exact":
            return items.ids[places], self._exact_scores(query, places)
        try:
            places, scores = self._best(query, k, DEPTHS[effort], places)
        except (IndexError, RuntimeError) as error:  # numpy's and torch's for numbers that are not of this index
            raise IndexDamaged(
                f"the index in {self._path} is damaged ({error}); dvsa verify says where, and mends it with --repair"
            ) from error
        return items.ids[places], scores

    def _best(
        self, query: Sequence[QueryPart], k: int, depth: Depth, places: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Choose from these places, by scores that cost more and more; each the sum of the query's parts."""
        codebook, items = self._codebook, self._items
        assert codebook is not None, "only a compressed index has stages"
        terms = [part.terms for part in query]
        to_list, to_refine = depth.to_list(len(self), k, terms), depth.to_refine(len(self), k, terms)
        if len(query) == len(items.segments) == 1:
            lists = looked_at(depth.stored_lists if terms[0].stored else depth.query_lists, len(codebook))
            choices = to_list, to_refine, depth.to_score(k)
            found = choose_at_once(items.segments[0], query[0], codebook, places, lists, choices)
            if found is not None:
                return found
        scores = ApproximateScores(items, query, codebook, depth)
        if len(places) > to_list:
            listed = scores.listed()
            listed = listed if len(places) == len(listed) else listed[places]
            places = places[largest_places(listed, to_list)]
        for score_of, count in ((scores.coarse_of, to_refine), (scores.refined_of, depth.to_score(k))):
            if len(places) > count:
                places = places[largest_places(score_of(places), count)]
        return places, self._exact_scores(query, places)

    def _exact_scores(self, query: Sequence[QueryPart], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Score the items at these places by their exact vectors."""
        if self._resources.compiled:
            return self._items.exact_scores(query, places)
        scores = [_exact(query, piece, self.device) for piece in self._items.pieces(places)]
        return np.concatenate([np.empty(0, np.float32), *scores])

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        """The items with these ids, in the order given; see FragmentIndex.fragments."""
        vectors, counts = [np.empty((0, self.dimension), np.float32)], [np.empty(0, np.int64)]
        for piece in self.pieces(ids):
            vectors.append(piece.vectors.copy())
            counts.append(np.diff(piece.offsets))
        offsets = np.concatenate([[0], *counts], dtype=np.int64).cumsum()
        return Fragments(np.asarray(ids, np.int64), offsets, np.concatenate(vectors))

    def pieces(self, ids: npt.NDArray[np.int64] | None = None) -> Iterator[Fragments]:
        """The items with these ids, or all; see FragmentIndex.pieces."""
        return self._items.pieces(self._items.kept if ids is None else self._places(ids))

    def memory_bytes(self) -> int:
        """Bytes of what searches read of: all but the exact vectors."""
        books = self._codebook.centroids.nbytes if self._codebook else 0
        return books + sum(segment.memory_bytes() for segment in self._items.segments)

    def bytes_touched(self, query_vectors: int, terms: ScoreTerms, k: int, effort: Effort) -> int:
        """About the bytes that a search for k hits must read, for a benchmark's floor."""
        items, size = len(self), self.fragment_count / max(1, len(self))
        vector = 2 * self.dimension
        if self._codebook is None or effort == "exact":
            return round(items * size * vector)
        depth = DEPTHS[effort]
        exact, refined, coarse = depth.to_score(k), depth.to_refine(items, k, [terms]), depth.to_list(items, k, [terms])
        lists = depth.stored_lists if terms.stored else query_vectors * depth.query_lists
        listed = sum(part.compressed.bytes_touched(lists) for part in self._items.segments if part.compressed)
        fragment = self._codebook.quantizer.size + 4  # bytes, compressed
        some = sum(min(items, count) * size for count, size in ((coarse, 4), (refined, fragment), (exact, vector)))
        return self._codebook.wholes[0].nbytes + listed + round(size * some)

    @cached_property
    def _by_id(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The ids of the items in ascending order, and the place of each."""
        ids, places = self.ids(), self._items.kept
        order = np.argsort(ids, kind="stable")  # takes no time where they are in order, as they mostly are
        return ids[order], places[order]

    def _places(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The places of the items with these ids."""
        stored, places = self._by_id
        found, there = _found(stored, ids)
        if not there.all():
            raise KeyError(f"not in the index: {np.asarray(ids)[~there][:5].tolist()}")
        return places[found]

    def _known(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The places, ascending, of those items with these ids that are there."""
        stored, places = self._by_id
        found, there = _found(stored, ids)
        return np.sort(places[found[there]])


def _found(
    stored: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Where ids stand among ascending ones, and which of them do."""
    found = np.searchsorted(stored, ids)
    found[found == len(stored)] = 0
    return found, stored[found] == ids if len(stored) else np.zeros(len(ids), bool)


def _exact(query: Sequence[QueryPart], stored: Fragments, device: torch.device) -> npt.NDArray[np.float32]:
    return weighted_sum(query, lambda part: exact_scores(part.vectors, stored, part.terms, device))


def _refuse_repeats(stored: npt.NDArray[np.int64], added: npt.NDArray[np.int64]) -> None:
    twice = stored[among(stored, np.sort(added))]
    if len(twice):
        raise BadFragments(f"the id {twice[0]} was given twice")
