"""CRC-32 as zlib's, outside of Python's lock."""

from typing import Any

import numpy as np
from numba import uint32
from numba import uint64 as place

from engine.kernels.lanes import compiled

POLYNOMIAL = 0xEDB88320  # of IEEE 802.3, its bits in reverse


def _tables() -> np.ndarray:
    """What each byte gives that stands 0 to 15 places before the end, uint32 (16, 256)."""
    tables = np.empty((16, 256), np.uint32)
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, (first >> 1) ^ np.uint32(POLYNOMIAL), first >> 1)
    tables[0] = first
    for number in range(1, 16):
        tables[number] = (tables[number - 1] >> 8) ^ first[tables[number - 1] & 255]
    return tables


TABLES = _tables()


@compiled
def checksum(words: Any, count: Any, start: Any) -> Any:
    """Return the CRC-32 of the first `count` bytes of an array of uint64, after that of what came before.

    Source: sixteen bytes at a time, as Kounavis and Berry 2005 do eight.
    """
    state = place(uint32(~start))
    whole = count // place(16)
    low = place(255)
    for number in range(whole):
        one, two = words[place(2) * number] ^ state, words[place(2) * number + place(1)]
        state = place(
            TABLES[15, one & low]
            ^ TABLES[14, (one >> place(8)) & low]
            ^ TABLES[13, (one >> place(16)) & low]
            ^ TABLES[12, (one >> place(24)) & low]
            ^ TABLES[11, (one >> place(32)) & low]
            ^ TABLES[10, (one >> place(40)) & low]
            ^ TABLES[9, (one >> place(48)) & low]
            ^ TABLES[8, one >> place(56)]
            ^ TABLES[7, two & low]
            ^ TABLES[6, (two >> place(8)) & low]
            ^ TABLES[5, (two >> place(16)) & low]
            ^ TABLES[4, (two >> place(24)) & low]
            ^ TABLES[3, (two >> place(32)) & low]
            ^ TABLES[2, (two >> place(40)) & low]
            ^ TABLES[1, (two >> place(48)) & low]
            ^ TABLES[0, two >> place(56)]
        )
    bytes_ = words.view(np.uint8)
    for number in range(place(16) * whole, count):
        state = (state >> place(8)) ^ place(TABLES[0, (state ^ place(bytes_[number])) & low])
    return uint32(~uint32(state))
