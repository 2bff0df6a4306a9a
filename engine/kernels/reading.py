"""Reading a file outside of Python's lock."""

from typing import Any

import numpy as np
from numba import types
from numba import uint64 as place

from engine.kernels.lanes import compiled

_pread = types.ExternalFunction("pread", types.int64(types.int32, types.voidptr, types.uint64, types.int64))


@compiled
def read_whole(file: Any, words: Any, count: Any, begin: Any) -> Any:
    """Read `count` bytes from a place of a file into an array of uint64; say whether the file has them."""
    bytes_, done = words.view(np.uint8), place(0)
    while done < count:
        got = _pread(types.int32(file), bytes_[done:].ctypes, count - done, types.int64(begin + done))
        if got <= 0:
            return False
        done += place(got)
    return True
