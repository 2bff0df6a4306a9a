"""The stages of a search in one call, where one query asks one segment that is mapped whole, as is mostly so.

What lies between the stages of `approximate_scores`, threads that wake and short steps in Python, takes as long as they
do at a hundred thousand photos. Both choose the same items.
"""

from functools import partial

import numpy as np
import numpy.typing as npt

from engine.codebook import QUERY_ROWS, Codebook
from engine.cores import together
from engine.fragments import QueryPart
from engine.inverted_lists import block
from engine.kernels import SOUND, in_lanes, search
from engine.kernels.search import BOARDS, Asked, Items, Room
from engine.kernels.sharing import WRONG
from engine.scoring import joined_terms
from engine.segments import Segment
from engine.stored_fragments import check_states

Places = npt.NDArray[np.int64]


def choose_at_once(
    segment: Segment, part: QueryPart, codebook: Codebook, places: Places, lists: int, choices: tuple[int, int, int]
) -> tuple[Places, npt.NDArray[np.float32]] | None:
    """Choose the items that may be best, and score them exactly.

    Args:
        segment: compressed.
        part: of the query, the only one.
        codebook: of the segment.
        places: of the items that may be chosen, ascending.
        lists: how many are looked at.
        choices: how many items are chosen by the lists, the coarse and the refined scores; see kernels.search.

    Returns:
        Their places, ascending, and scores, float32; None where it cannot be done at once.

    Raises:
        IndexError: codes, lists or items are not of this index.
        IndexDamaged: a vector has changed since it was written, or is missing.
    """
    assert segment.compressed is not None, "only a compressed index has stages"
    items = segment.compressed.mapped(segment.counts)
    if items is None or len(part.vectors) > QUERY_ROWS or part.weight != 1 or len(places) <= choices[0]:
        return None
    lanes, terms, quantizer = codebook.in_lanes(part.vectors), part.terms, codebook.quantizer
    filled = quantizer.padded(lanes)
    flags = terms.query, terms.stored, terms.reduction == "mean"
    whole, count = in_lanes(part.vectors), np.array([len(part.vectors)])
    exact = whole, np.array([0, whole.shape[1]]), count
    asked = Asked(lanes, filled, len(part.vectors), *flags, quantizer.scale(filled), *exact)
    room, boards = _room(asked, items, lists, choices, segment.longest), np.zeros((BOARDS, 3), np.int64)
    given = asked, items, segment.stored.source, places, *choices, block(len(items.sizes)), room, boards
    together(partial(search, *given), len(places))
    if boards[:, WRONG].any():
        raise IndexError("a fragment, or a list, is not of this index")
    check_states(room.states, room.ids)
    by_query, by_stored = room.exact[0]
    chosen = room.chosen[: room.held[0]]
    return chosen, joined_terms(by_query, by_stored, terms, asked.vectors, items.sizes[chosen])


def _room(asked: Asked, items: Items, lists: int, choices: tuple[int, int, int], longest: int) -> Room:
    to_list, to_refine, to_score = choices
    fragments = min(len(items.codes), min(to_list, to_refine) * longest) if asked.by_stored else 0
    rows = 1 if asked.by_stored else asked.vectors
    return Room(
        products=np.empty((len(items.centroids), asked.lanes.shape[1]), np.float32),
        values=np.empty(len(items.centroids) if asked.by_stored else 0, np.float32),
        lists=np.empty((rows, lists), np.int32),
        gains=np.empty((rows, lists), np.float32),
        least=np.empty(rows, np.float32),
        scores=np.empty(len(items.sizes), np.float32),
        chosen=np.empty(to_list, np.int64),
        begins=np.empty(to_list, np.int64),
        counts=np.empty(to_list, np.int64),
        starts=np.empty(to_list, np.int64),
        sums=np.empty((2, to_list), np.float32),
        best=np.empty(fragments, np.float32),
        held=np.zeros(1, np.int64),
        ids=np.empty(to_score, np.int64),
        checksums=np.empty(to_score, np.uint32),
        exact=np.empty((1, 2, to_score), np.float32),
        states=np.full(to_score, SOUND, np.uint8),
    )
