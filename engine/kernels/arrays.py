"""Types of the arrays that loops take; float16, which numba does not know, is taken as uint16."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.uint16]
Wholes = npt.NDArray[np.int16]
Sums = npt.NDArray[np.uint32]
