"""When a photo was taken, by its EXIF, in files good and bad."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from model.photo_date import photo_date

EXIF = 0x8769


def photo(kind: str = "JPEG", **fields: str) -> bytes:
    """Return a photo with fields of EXIF, by hexadecimal number: x9003."""
    exif = Image.Exif()
    exif[0x010F] = "a maker"  # without a field of its own Pillow writes none into a PNG
    for name, value in fields.items():
        exif.get_ifd(EXIF)[int(name[1:], 16)] = value
    written = io.BytesIO()
    Image.new("RGB", (4, 4)).save(written, kind, exif=exif)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_date_is_read_from_each_format_that_has_any(kind: str) -> None:
    assert photo_date(photo(kind, x9003="2024:05:01 12:30:00")) == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def test_zone_is_heeded_where_the_camera_wrote_one() -> None:
    taken = photo(x9003="2024:05:01 12:30:00", x9011="+02:00")
    assert photo_date(taken) == datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
    odd = photo(x9003="2024:05:01 12:30:00", x9011="summer")
    assert photo_date(odd) == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def test_date_of_digitising_serves_where_that_of_taking_is_missing() -> None:
    assert photo_date(photo(x9003="    :  :     :  :  ", x9004="1999:12:31 23:59:59")) == datetime(
        1999, 12, 31, 23, 59, 59, tzinfo=UTC
    )


@pytest.mark.parametrize("date", ["", "yesterday", "2024:13:01 00:00:00", "0000:00:00 00:00:00", "0001:01:01 00:00:00"])
def test_what_is_no_date_is_none(date: str) -> None:
    found = photo_date(photo(x9003=date, x9011="+14:00"))
    assert found is None or found.year == 1  # the first day of all, in the zone of UTC


@pytest.mark.parametrize("length", [0, 2, 20, 60, 90])
def test_damaged_files_have_no_date(length: int) -> None:
    assert photo_date(photo(x9003="2024:05:01 12:30:00")[:length]) is None
    assert photo_date(photo()) is None
