import json
from pathlib import Path
from typing import Any

import pytest

from model.datasets import read_dataset
from model.exceptions import DatasetError

GOOD = {"filename": "a.jpg", "split": "test", "sentences": [{"raw": "One."}]}


def write(folder: Path, images: Any, name: str = "coco") -> Path:
    path = folder / "dataset.json"
    path.write_text(json.dumps({"dataset": name, "images": images}))
    return path


def test_splits_folders_and_any_number_of_sentences(tmp_path: Path) -> None:
    images = [
        {"filename": "a.jpg", "split": "restval", "sentences": [{"raw": "One."}, {"raw": "Two."}, {"raw": "Three."}]},
        {"filename": "b.jpg", "filepath": "val2014", "split": "val", "sentences": [{"raw": "Four."}], "cocoid": 3},
        {"filename": "c.jpg", "split": "test", "sentences": [{"tokens": ["two", "dogs"]}, {"raw": "  "}]},
    ]
    found = read_dataset(write(tmp_path, images), images=tmp_path / "photos")
    assert found.name == "coco"
    assert [(image.split, len(image.sentences)) for image in found.images] == [("train", 3), ("dev", 1), ("test", 1)]
    assert found.images[1].path == tmp_path / "photos/val2014/b.jpg"
    assert found.images[2].sentences == ("two dogs",)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (5, "malformed at images: Input should be a valid array"),
        ([GOOD, {"filename": "a.jpg", "sentences": []}], r"malformed at images\.1\.split: Field required"),
        (
            [GOOD | {"sentences": [{"raw": None}]}],
            r"malformed at images\.0\.sentences\.0\.raw: Input should be a valid",
        ),
        ([GOOD | {"filename": 7}], r"malformed at images\.0\.filename"),
        ([GOOD, GOOD], r"the photo a\.jpg is listed twice"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, images: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_dataset(write(tmp_path, images))


@pytest.mark.parametrize("kept", [1, 30, 100])
def test_json_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path, [GOOD, GOOD])
    path.write_text(path.read_text()[:kept])
    with pytest.raises(DatasetError, match=r"Invalid JSON: EOF .* line 1 column"):
        read_dataset(path)


@pytest.mark.parametrize("text", ["[]", "null", '"images"', "[" * 100_000])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(DatasetError, match="is not what it should be"):
        read_dataset(tmp_path / "d.json")


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    path = write(tmp_path, [GOOD])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_dataset(path).images) == 1
