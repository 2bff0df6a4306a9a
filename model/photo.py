"""Photos from files or bytes, as upright RGB arrays."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from model.exceptions import PhotoError

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
SUFFIX_OF_FORMAT = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
PHOTO_FORMATS = tuple(SUFFIX_OF_FORMAT)
MAX_PIXELS = 100_000_000  # a 100-megapixel camera's photo; 300 MB decoded
BACKGROUND = (255, 255, 255)  # behind transparent pixels: a page


def load_photo(source: Path | bytes, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Decode a photo; the first frame if it moves, turned as its EXIF orientation says.

    Args:
        source: a file or its bytes: JPEG, PNG, WebP or GIF.
        max_pixels: refuse a photo of more pixels, before decoding it.

    Returns:
        RGB, uint8 (height, width, 3).

    Raises:
        PhotoError: what is wrong with it, without its name, as the end of a sentence: "is cut short".
    """
    data = _read(source) if isinstance(source, Path) else source
    with _photo_errors(max_pixels), _opened(data, max_pixels) as image:
        image.seek(0)
        upright = ImageOps.exif_transpose(image)
        return np.array(_to_rgb(upright), dtype=np.uint8)


def photo_suffix(data: bytes, max_pixels: int = MAX_PIXELS) -> str:
    """Return the suffix that the content of a file asks for, as ".jpg"; nothing is decoded.

    Raises:
        PhotoError: it is no photo, or one of too many pixels; as `load_photo`.
    """
    with _photo_errors(max_pixels), _opened(data, max_pixels) as image:
        assert image.format is not None, "opened as one of PHOTO_FORMATS"
        return SUFFIX_OF_FORMAT[image.format]


@contextlib.contextmanager
def _photo_errors(max_pixels: int) -> Iterator[None]:
    """Turn what Pillow raises into one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's notes on odd EXIF, palettes and size; ours are exceptions
            yield
    except UnidentifiedImageError as error:
        raise PhotoError("is not a photo (JPEG, PNG, WebP or GIF)") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"has more pixels than the cap of {max_pixels:,}") from error
    except (OSError, SyntaxError, ValueError, IndexError, EOFError, MemoryError) as error:
        raise PhotoError("is cut short or damaged") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PhotoError("does not exist") from error
    except PermissionError as error:
        raise PhotoError("cannot be read: permission denied") from error
    except OSError as error:
        raise PhotoError(f"cannot be read: {(error.strerror or 'input/output error').lower()}") from error


@contextlib.contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    assert not ImageFile.LOAD_TRUNCATED_IMAGES, "a photo cut short must raise"
    if not data:
        raise PhotoError("is empty")
    with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise PhotoError(f"has {width:,} x {height:,} pixels, more than the cap of {max_pixels:,}")
        yield image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: keep the upper eight
        values = np.asarray(image, dtype=np.int64)
        return Image.fromarray(np.clip(values >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        return Image.alpha_composite(page, layer).convert("RGB")
    return image.convert("RGB")
