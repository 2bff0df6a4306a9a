import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.exceptions import PhotoError
from model.photo import load_photo


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


RED = Image.new("RGB", (30, 20), (255, 0, 0))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_photo_formats(format: str) -> None:
    photo = load_photo(encoded(RED, format))
    assert photo.shape == (20, 30, 3)
    assert np.abs(photo.astype(int) - [255, 0, 0]).max() < 10


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "LA", "1"])
def test_other_modes_become_rgb(mode: str) -> None:
    format = "JPEG" if mode == "CMYK" else "PNG"
    assert load_photo(encoded(RED.convert(mode), format)).shape == (20, 30, 3)


def test_sixteen_bit_photo_keeps_its_brightness() -> None:
    grey = Image.fromarray(np.full((4, 5), 0x80FF, dtype=np.uint16))
    assert (load_photo(encoded(grey, "PNG")) == 0x80).all()


def test_transparent_pixels_lie_on_white() -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (load_photo(encoded(clear, "PNG")) == 255).all()


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert load_photo(data)[0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_is_honoured() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert load_photo(encoded(RED, "JPEG", exif=exif)).shape == (30, 20, 3)


def test_one_pixel() -> None:
    assert load_photo(encoded(Image.new("RGB", (1, 1)), "PNG")).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "is not a photo"),
        (encoded(RED, "PNG")[:60], "cut short"),
        (encoded(Image.effect_noise((200, 200), 50), "JPEG")[:2000], "cut short"),
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), "than the cap"),
    ],
)
def test_bad_photos_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        load_photo(data)


def test_photo_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        load_photo(tmp_path / "gone.jpg")
    with pytest.raises(PhotoError, match="cannot be read"):
        load_photo(tmp_path)
