"""All stages of a search of one segment by one query in one call, so that threads are woken once.

Every thread runs the whole of it. The loop of a stage is shared, and ends for all of them together; between the stages
one thread chooses, and the others wait.
"""

from typing import Any, NamedTuple

import numpy as np

from engine.kernels.arrays import Bytes, Codes, Floats, Halves, Places, Sums, Wholes
from engine.kernels.choice import largest_places
from engine.kernels.exact import score
from engine.kernels.fragments import add_query_term, add_stored_term, refine
from engine.kernels.lanes import compiled
from engine.kernels.lists import choose_lists, list_by_query, list_by_stored, rank_lists
from engine.kernels.products import multiply, raise_to_best
from engine.kernels.sharing import take, tell_wrong

BOARDS = 10  # loops and choices of a search


class Asked(NamedTuple):
    """A query.

    Attributes:
        lanes: float32 (P, W).
        filled: the same with zeros up to the numbers of residuals, float32 (B * 4, W).
        vectors: their number, Q.
        by_query, by_stored: whether the score has the query's term, and the stored one.
        mean: whether these are means, else sums.
        scale: see `refine`.
        whole: in lanes by all numbers, float32 (D, W); their begin and end, int64 (2,), and their number, int64 (1,).
    """

    lanes: Floats
    filled: Floats
    vectors: int
    by_query: bool
    by_stored: bool
    mean: bool
    scale: float
    whole: Floats
    parts: Places
    counts: Places


class Items(NamedTuple):
    """A segment's items, and what they are compressed with.

    Attributes:
        centroids, scale: in whole numbers, int16 (C, R); see `multiply`.
        patterns: float32 (B, 256, 4).
        list_offsets, list_items, list_counts: see InvertedLists.
        offsets: item i has the fragments offsets[i]:offsets[i + 1], int64 (I + 1,).
        codes, residuals: of the fragments; see CompressedFragments.
        sizes: fragments of each item, float32 (I,).
    """

    centroids: Wholes
    scale: float
    patterns: Floats
    list_offsets: Places
    list_items: Codes
    list_counts: Bytes
    offsets: Places
    codes: Codes
    residuals: Bytes
    sizes: Floats


class Stored(NamedTuple):
    """The same items' exact vectors; see StoredFragments and `score`."""

    ids: Places
    sums: Sums
    vectors: Halves
    file: int
    header: int


class Room(NamedTuple):
    """What the threads of a search write for each other.

    Attributes:
        products: float32 (C, W).
        values: the best product of each centroid, float32 (C,); none where the score has no stored term.
        lists, gains, least: that are looked at, int32 and float32 (Q, n), float32 (Q,), see list_by_query; of the
            stored term (1, n) and what a fragment in none of them gives, (1,).
        scores: of all items by the lists, float32 (I,).
        chosen: places of items, int64 (L,); begins and counts of their fragments in `codes`, and where each item's
            fragments begin in `best`, likewise.
        sums: of both terms of these, float32 (2, L).
        best: of the fragments of those that are refined, float32; none where the score has no stored term.
        held: how many items are chosen, int64 (1,).
        ids, checksums: of the items that are scored exactly, int64 and uint32 (S,).
        exact, states: of these, float32 (1, 2, S), uint8 (S,); see `score`.
    """

    products: Floats
    values: Floats
    lists: Codes
    gains: Floats
    least: Floats
    scores: Floats
    chosen: Places
    begins: Places
    counts: Places
    starts: Places
    sums: Floats
    best: Floats
    held: Places
    ids: Places
    checksums: Sums
    exact: Floats
    states: Bytes


@compiled
def search(
    asked: Any,
    items: Any,
    stored: Any,
    places: Any,
    to_list: Any,
    to_refine: Any,
    to_score: Any,
    step: Any,
    room: Any,
    boards: Any,
) -> None:
    """Choose the items that may be best, and score them exactly.

    Args:
        asked: the query, `Asked`.
        items: where they are, `Items`.
        stored: their vectors, `Stored`.
        places: of those that may be chosen, int64, ascending; more than `to_list`.
        to_list: how many the lists choose, the length of `room.chosen`.
        to_refine: how many the coarse scores choose of them; as many: there are no coarse scores.
        to_score: how many the refined scores choose, fewer.
        step: items whose lists a thread adds up at a time.
        room: `Room`; at the end `room.chosen[: room.held[0]]` are the places, and `exact` and `states` say the rest.
        boards: int64 (BOARDS, 3), all zero; on one of them codes, lists and items are told that cannot be.
    """
    multiply(items.centroids, items.scale, asked.lanes, room.products, boards[0])
    if asked.by_stored:
        if _alone(boards[1]):
            room.values[:] = -np.inf
            raise_to_best(room.products, room.values)
            room.least[0] = choose_lists(room.values, items.list_offsets, room.lists[0], room.gains[0])
            _done(boards[1])
        given = items.list_offsets, room.lists[0], room.gains[0], items.list_items, items.list_counts
        list_by_stored(*given, items.sizes, room.least, asked.mean, room.scores, step, boards[2])
    else:
        rank_lists(room.products, room.lists, room.gains, room.least, boards[1])
        given_too = items.list_offsets, room.lists, room.gains, room.least, items.list_items
        list_by_query(*given_too, room.scores, step, boards[2])
    if _alone(boards[3]):
        scores = room.scores if len(places) == len(room.scores) else room.scores[places]
        best = largest_places(scores, to_list)
        for rank in range(to_list):
            room.chosen[rank] = places[best[rank]]
        _prepare(items, room, to_list, to_list <= to_refine, boards[3])
        _done(boards[3])
    if to_list > to_refine:
        some = room.begins[:to_list], room.counts[:to_list], items.codes
        if asked.by_query:
            add_query_term(*some, room.products, asked.vectors, room.sums[0, :to_list], boards[4])
        if asked.by_stored:
            add_stored_term(*some, room.values, room.sums[1, :to_list], boards[5])
        if _alone(boards[6]):
            _choose(asked, items, room, to_refine, boards[6])
            _done(boards[6])
    left = min(to_list, to_refine)
    some = room.begins[:left], room.counts[:left], items.codes
    query = room.products, items.patterns, asked.filled, asked.vectors, asked.scale
    refine(*some, items.residuals, *query, room.sums[0, :left], room.starts, room.best, boards[7])
    if _alone(boards[8]):
        if asked.by_stored:
            for rank in range(left):
                end = room.starts[rank] + room.counts[rank]
                room.sums[1, rank] = room.best[room.starts[rank] : end].sum()
        _choose(asked, items, room, to_score, boards[8])
        for rank in range(to_score):
            room.ids[rank], room.checksums[rank] = stored.ids[room.chosen[rank]], stored.sums[room.chosen[rank]]
        _done(boards[8])
    chosen = room.begins[:to_score], room.counts[:to_score]
    source = stored.vectors, stored.file, stored.header, room.ids, room.checksums
    score(*chosen, *source, asked.whole, asked.parts, asked.counts, room.exact, room.states, boards[9])


@compiled
def _alone(board: Any) -> Any:
    """Say whether this thread is to do what one thread does; the others wait until it is done."""
    first, last = take(board, 1, 1, 0)
    return first < last


@compiled
def _done(board: Any) -> Any:
    take(board, 1, 1, 1)


@compiled
def _prepare(items: Any, room: Any, count: Any, refined: Any, board: Any) -> Any:
    """Note where the fragments of the chosen items are; what they are added to is zero, or the least, then."""
    start = 0
    for rank in range(count):
        begin, end = items.offsets[room.chosen[rank]], items.offsets[room.chosen[rank] + 1]
        if not 0 <= begin <= end <= len(items.codes):
            tell_wrong(board)
            begin = end = 0
        room.begins[rank], room.counts[rank], room.starts[rank] = begin, end - begin, start
        start += end - begin
    room.sums[:, :count] = 0
    if refined and len(room.best):
        room.best[:start] = -np.inf
    room.held[0] = count


@compiled
def _choose(asked: Any, items: Any, room: Any, count: Any, board: Any) -> Any:
    """Keep the items of the best scores among the chosen ones."""
    scores = np.empty(room.held[0], np.float32)
    for rank in range(len(scores)):
        by_query, by_stored = np.float32(0), np.float32(0)
        if asked.by_query:
            by_query = room.sums[0, rank] / np.float32(asked.vectors if asked.mean else 1)
        if asked.by_stored:
            by_stored = room.sums[1, rank] / (items.sizes[room.chosen[rank]] if asked.mean else np.float32(1))
        scores[rank] = by_query + by_stored
    best = largest_places(scores, count)
    for rank in range(count):
        room.chosen[rank] = room.chosen[best[rank]]
    _prepare(items, room, count, True, board)
