"""Threads that share a loop: each takes some of its things off a board, until all are done by somebody.

A thread that wakes late leaves them to the others, and nobody waits for one that had nothing to do: to wake a thread
takes as long as a stage of a search.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba import uint64 as place
from numba.extending import intrinsic

from engine.kernels.lanes import compiled

Board = npt.NDArray[np.int64]
"""Things of a loop that were taken, that are done, and that were found wrong."""

TAKEN, DONE, WRONG = range(3)

LOOKS = 1000  # for what others still do, before the system may let another thread run

_yield = types.ExternalFunction("sched_yield", types.int32())


@intrinsic
def _add(_typing: Any, board: Any, at: Any, number: Any) -> Any:
    """Add to a number of the board, as no other thread does at that moment; return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [values[1]]), values[2], "seq_cst")

    return types.int64(board, types.uint64, types.int64), generate


@compiled
def take(board: Any, count: Any, step: Any, finished: Any) -> Any:
    """Take the next things of a loop, once those taken before are done.

    Args:
        board: of the loop, int64 (3,), all zero at first.
        count: of all things.
        step: how many to take.
        finished: how many this thread took before.

    Returns:
        Where they begin and end; the same where none are left, but only when the others are done, too.
    """
    _add(board, place(DONE), finished)
    first = _add(board, place(TAKEN), step)
    if first < count:
        return first, min(first + step, count)
    looks = 0
    while _add(board, place(DONE), 0) < count:
        looks += 1
        if looks > LOOKS:
            _yield()
    return count, count


@compiled
def tell_wrong(board: Any) -> Any:
    """Note that something was found wrong."""
    _add(board, place(WRONG), 1)
