"""The loops of a search on the processor, compiled.

A query is laid out in lanes: its vectors side by side, filled up with copies of the first to W of them, a multiple of
eight. A row of a table then holds the products of all of the query's vectors with one centroid or pattern. Copies
change no maximum; sums over a query leave them out.

Every loop works on some items, so that several threads can share them, and what an item gets depends neither on the
others nor on how they were shared.
"""

from engine.kernels.fragments import add_query_term, add_stored_term, refine
from engine.kernels.lists import add_best_lists, add_lists, rank_lists
from engine.kernels.products import in_lanes, multiply, raise_to_best, score

__all__ = [
    "add_best_lists",
    "add_lists",
    "add_query_term",
    "add_stored_term",
    "in_lanes",
    "multiply",
    "raise_to_best",
    "rank_lists",
    "refine",
    "score",
]
