"""Reads and decodes one photo; what is wrong with it is a result, not an exception."""

import errno
import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from indexer.sources import PhotoFile, os_reason
from model.exceptions import PhotoError
from model.photo import load_photo
from model.photo_date import photo_date

MAX_BYTES = 512 * 1024**2  # more than any photo under the pixel cap; a file of zeros named .jpg may be larger


@dataclass(frozen=True)
class DecodedPhoto:
    """A photo on its way to the encoder.

    Attributes:
        content_hash: SHA-256 of the file; empty where it could not be read.
        pixels: RGB, uint8 (height, width, 3); None where decoding failed or the content is known.
        taken_at: when it was taken, if its EXIF says so.
        failure: why there are no pixels, as the end of a sentence; None where nothing is wrong.
        unreadable: the file is there and could not be read, which may pass.
    """

    file: PhotoFile
    content_hash: str = ""
    pixels: npt.NDArray[np.uint8] | None = None
    taken_at: datetime | None = None
    failure: str | None = None
    unreadable: bool = False


def decode_photo(file: PhotoFile, known: Container[str], max_pixels: int) -> DecodedPhoto:
    """Read and decode a photo, unless its content hash is known."""
    try:
        with open(file.path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        gone = error.errno in (errno.ENOENT, errno.ENOTDIR)
        reason = "vanished while it was being indexed" if gone else os_reason(error)
        return DecodedPhoto(file, failure=reason, unreadable=not gone)
    if len(data) > MAX_BYTES:
        return DecodedPhoto(file, failure=f"is larger than {MAX_BYTES // 1024**2} MB")
    content_hash = hashlib.sha256(data).hexdigest()
    if content_hash in known:
        return DecodedPhoto(file, content_hash, taken_at=photo_date(data))
    try:
        return DecodedPhoto(file, content_hash, load_photo(data, max_pixels), photo_date(data))
    except PhotoError as error:
        return DecodedPhoto(file, content_hash, failure=str(error))
