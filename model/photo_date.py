"""When a photo was taken, by its EXIF."""

import io
import warnings
from datetime import UTC, datetime

from PIL import Image

from model.photo import PHOTO_FORMATS

EXIF = 0x8769  # the part of EXIF that cameras fill
TAKEN = (0x9003, 0x9004)  # when the photo was taken, when it was digitised
ZONES = {0x9003: 0x9011, 0x9004: 0x9012}  # the offset of each from UTC


def photo_date(data: bytes) -> datetime | None:
    """Return when a photo was taken; None where its EXIF does not say so.

    Cameras that write no time zone mean the local one, which nobody knows: that is read as UTC.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as image:
                exif = Image.Exif()
                exif.load(image.info["exif"])  # getexif() would decode a PNG that has none
                fields = exif.get_ifd(EXIF)
    except Exception:  # EXIF is full of mistakes, for which Pillow raises anything; the photo is good without
        return None
    for tag in TAKEN:
        moment = _moment(fields.get(tag), fields.get(ZONES[tag]))
        if moment is not None:
            return moment
    return None


def _moment(written: object, offset: object) -> datetime | None:
    """Read a moment as EXIF writes it.

    >>> _moment("2024:05:01 12:30:00", "+02:00")
    datetime.datetime(2024, 5, 1, 10, 30, tzinfo=datetime.timezone.utc)
    >>> _moment("0000:00:00 00:00:00", None)
    """
    if not isinstance(written, str):
        return None
    for zone in (str(offset).strip("\0 "), "+00:00"):
        try:
            return datetime.strptime(written.strip("\0 ") + zone, "%Y:%m:%d %H:%M:%S%z").astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
