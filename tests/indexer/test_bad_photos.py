"""Bad photos: each is named with its reason, its neighbours are indexed."""

import io
import os
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from engine.encoder import PhotoFragments
from engine.exceptions import SourceError
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Workspace


def jpeg(mode: str = "RGB", size: tuple[int, int] = (24, 16)) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "JPEG")
    return stream.getvalue()


def png(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return stream.getvalue()


def huge_png() -> bytes:
    """A PNG that says it is 20,000 x 20,000, in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD: dict[str, tuple[bytes, str]] = {
    "truncated.jpg": (jpeg(size=(200, 200))[:400], "is cut short or damaged"),
    "truncated.png": (png(Image.effect_noise((64, 64), 50))[:500], "is cut short or damaged"),
    "empty.jpg": (b"", "is empty"),
    "zeros.jpg": (bytes(1000), "is not a photo"),
    "text.jpg": (b"this is not a photo", "is not a photo"),
    "huge.png": (huge_png(), "the cap of 100,000,000"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_photo_is_named_and_its_neighbours_are_indexed(workspace: Workspace, name: str) -> None:
    content, reason = BAD[name]
    workspace.photo("a.png", 1)
    workspace.text(name, content)
    workspace.photo("z.png", 2)
    report = workspace.index()
    assert (report.seen, report.added, report.photos) == (3, 2, 2)
    (item,) = report.skipped_items
    assert item.name == str(workspace.photos / name)
    assert reason in item.reason
    assert report.skipped == {item.reason: 1}


def moving(kind: str) -> bytes:
    stream = io.BytesIO()
    first = Image.new("RGB", (24, 16), "red")
    first.save(stream, kind, save_all=True, append_images=[Image.new("RGB", (24, 16), "blue")])
    return stream.getvalue()


ODD: dict[str, Callable[[], bytes]] = {
    "dot.png": lambda: png(Image.new("RGB", (1, 1))),
    "cmyk.jpg": lambda: jpeg("CMYK"),
    "grey.jpg": lambda: jpeg("L"),
    "sixteen.png": lambda: png(Image.fromarray(np.full((16, 24), 40_000, np.uint16))),
    "palette.png": lambda: png(Image.new("P", (24, 16), 3), transparency=3),
    "transparent.png": lambda: png(Image.new("RGBA", (24, 16), (255, 0, 0, 0))),
    "animated.gif": lambda: moving("GIF"),
    "animated.png": lambda: moving("PNG"),
    "animated.webp": lambda: moving("WEBP"),
    "name with spaces.jpg": jpeg,
    "größe-写真.JPG": jpeg,
    "new\nline.jpeg": jpeg,
}


@pytest.mark.parametrize("name", ODD)
def test_odd_photo_is_indexed(workspace: Workspace, name: str) -> None:
    path = workspace.text(name, ODD[name]())
    report = workspace.index()
    assert (report.added, report.skipped) == (1, {})
    assert workspace.contents()[str(path)][0] in (1, 24)
    assert workspace.index().unchanged == 1


def test_photo_is_turned_as_its_orientation_says(workspace: Workspace) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (24, 16)).save(workspace.photos / "turned.jpg", exif=exif)
    workspace.index()
    assert workspace.contents()[str(workspace.photos / "turned.jpg")][:2] == (16, 24)


def test_name_that_is_not_text_is_skipped(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    with open(os.fsencode(workspace.photos) + b"/\xff\xfe.jpg", "wb") as file:
        file.write(jpeg())
    report = workspace.index()
    assert report.photos == 1
    assert report.skipped == {"has a name that is not UTF-8": 1}


def test_dangling_link_pipe_and_folder_named_like_a_photo(workspace: Workspace) -> None:
    (workspace.photos / "dangling.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(workspace.photos / "pipe.jpg")
    (workspace.photos / "loop.jpg").symlink_to("loop.jpg")
    workspace.photo("folder.jpg/inside.png", 1)
    report = workspace.index()
    assert report.photos == 1
    reasons = {Path(item.name).name: item.reason for item in report.skipped_items}
    assert reasons.pop("loop.jpg").startswith("cannot be read: ")
    assert reasons == {"dangling.jpg": "does not exist", "pipe.jpg": "is not a file"}


def test_photo_that_can_no_longer_be_read_stays_in_the_collection(workspace: Workspace) -> None:
    photo = workspace.photo("a.png", 1)
    workspace.photo("b.png", 2)
    workspace.index()
    photo.unlink()
    photo.symlink_to(photo.name)  # a loop: there, and unreadable, for root too
    report = workspace.index()
    assert (report.photos, report.removed) == (2, 0)


def test_photo_replaced_by_a_bad_one_leaves_the_collection(workspace: Workspace) -> None:
    photo = workspace.photo("a.png", 1)
    workspace.photo("b.png", 2)
    workspace.index()
    photo.write_bytes(b"")
    report = workspace.index()
    assert (report.photos, report.removed, report.skipped) == (1, 1, {"is empty": 1})


class RemovingEncoder(TinyEncoder):
    """Deletes a file when it encodes its first photo."""

    victim: Path

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        self.victim.unlink(missing_ok=True)
        return super().encode_photo(photo)


def test_photo_that_vanishes_between_scan_and_decode_is_skipped(tmp_path: Path) -> None:
    encoder = RemovingEncoder()
    workspace = Workspace(tmp_path, encoder)
    for number in range(20):
        encoder.victim = workspace.photo(f"{number:02d}.png", number)
    report = workspace.index()
    assert report.skipped == {"vanished while it was being indexed": 1}
    assert report.photos == 19


class HidingEncoder(RemovingEncoder):
    """Puts a folder in the place of a file when it encodes a photo: there, and unreadable, for root too."""

    hides = False
    one_at_a_time = threading.Lock()  # photos are encoded in several threads

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        with self.one_at_a_time:
            if self.hides and self.victim.is_file():
                self.victim.unlink()
                self.victim.mkdir()
        return TinyEncoder.encode_photo(self, photo)


def test_photo_that_turns_unreadable_while_indexing_stays_in_the_collection(tmp_path: Path) -> None:
    encoder = HidingEncoder()
    workspace = Workspace(tmp_path, encoder)
    encoder.victim = workspace.photo("z.png", 99)
    workspace.index()
    for number in range(20):
        workspace.photo(f"{number:02d}.png", number)
    os.utime(encoder.victim, (1, 1))
    encoder.hides = True
    report = workspace.index()
    assert (report.photos, report.removed, report.skipped) == (21, 0, {"cannot be read: is a directory": 1})


def test_middle_photo_of_a_batch_is_bad_and_its_neighbours_keep_their_metadata(workspace: Workspace) -> None:
    sizes = {f"{number:02d}.png": (20 + number, 40 - number) for number in range(9)}
    for name, size in sizes.items():
        Image.new("RGB", size, (size[0] * 5, 0, 0)).save(workspace.photos / name)
    workspace.text("04.png", b"broken")
    workspace.index()
    found = {Path(path).name: entry[:2] for path, entry in workspace.contents().items()}
    assert found == {name: size for name, size in sizes.items() if name != "04.png"}


def test_folder_that_does_not_exist_is_refused_before_anything_is_made(workspace: Workspace) -> None:
    with pytest.raises(SourceError, match="nowhere does not exist"):
        workspace.index(workspace.photos / "nowhere")
    assert not workspace.settings.home.exists()


def test_empty_folder_is_refused_and_the_collection_keeps_what_it_has(workspace: Workspace) -> None:
    photo = workspace.photo("a.png", 1)
    workspace.index()
    before = workspace.contents()
    photo.unlink()  # as when a disk is not mounted
    with pytest.raises(SourceError, match="holds nothing to index"):
        workspace.index()
    assert workspace.contents() == before


def test_folder_of_bad_photos_alone_gives_a_report(workspace: Workspace) -> None:
    workspace.text("a.jpg", b"")
    report = workspace.index()
    assert (report.seen, report.photos, report.skipped) == (1, 0, {"is empty": 1})
