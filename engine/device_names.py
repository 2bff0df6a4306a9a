"""Names of devices; a file of its own, so that what reads settings loads neither FAISS nor torch."""

from typing import Literal

DeviceName = Literal["auto", "cpu", "cuda"]
