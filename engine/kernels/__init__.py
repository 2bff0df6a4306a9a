"""The loops of a search on the processor, compiled.

A query is laid out in lanes: its vectors side by side, filled up with copies of the first to W of them, a multiple of
eight. A row of a table then holds the products of all of the query's vectors with one centroid or pattern. Copies
change no maximum; sums over a query leave them out.

Every loop takes items off a board, so that several threads can share them, and what an item gets depends neither on the
others nor on how they were shared.
"""

from engine.kernels.choice import largest_places
from engine.kernels.exact import CHANGED, CUT, NO_FILE, SOUND, score
from engine.kernels.fragments import add_query_term, add_stored_term, refine, scale_of
from engine.kernels.lists import choose_lists, list_by_query, list_by_stored, rank_lists
from engine.kernels.products import LONGEST, in_lanes, multiply, raise_to_best
from engine.kernels.search import search

__all__ = [
    "CHANGED",
    "CUT",
    "LONGEST",
    "NO_FILE",
    "SOUND",
    "add_query_term",
    "add_stored_term",
    "choose_lists",
    "in_lanes",
    "largest_places",
    "list_by_query",
    "list_by_stored",
    "multiply",
    "raise_to_best",
    "rank_lists",
    "refine",
    "scale_of",
    "score",
    "search",
]
