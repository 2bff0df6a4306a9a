import json
from pathlib import Path

import pytest
from PIL import Image

from model.dataset import Dataset, DatasetImage
from model.datasets import read_dataset
from model.exceptions import DatasetError
from model.usable_photos import leave_out_unusable


def dataset(folder: Path, described: dict[str, int]) -> Dataset:
    """Photos of the train split, that many sentences each."""
    for name in described:
        Image.new("RGB", (20, 20)).save(folder / name)
    return Dataset(
        "d", tuple(DatasetImage(folder / name, "train", ("x",) * count) for name, count in described.items())
    )


def test_a_split_that_does_not_exist_is_refused_and_those_that_do_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="d has no split 'test'; it has train"):
        dataset(tmp_path, {"a.png": 1}).split("test")


def test_a_split_with_missing_photos_is_refused_the_first_named_and_all_counted(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"a.png": 1, "b.png": 1, "c.png": 1})
    (tmp_path / "b.png").unlink()
    (tmp_path / "c.png").unlink()
    with pytest.raises(DatasetError, match=r"2 of the 3 photos of the train split .*/b\.png is not there.*--skip-mis"):
        data.split("train")


def test_a_split_with_undescribed_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"1 of the 2 photos .*/b\.png has no sentence"):
        dataset(tmp_path, {"a.png": 1, "b.png": 0}).split("train")


def test_what_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"a.png": 1, "gone.png": 1, "cut.png": 1, "mute.png": 0, "empty.png": 1, "z.png": 2})
    (tmp_path / "gone.png").unlink()
    (tmp_path / "empty.png").write_bytes(b"")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:-20])
    left, left_out = leave_out_unusable(data, ("train",))
    assert [image.path.name for image in left.split("train")] == ["a.png", "z.png"]
    assert [Path(text.split(" ", 1)[0]).name for text in left_out] == ["gone.png", "cut.png", "mute.png", "empty.png"]
    assert [text.split(" ", 1)[1] for text in left_out] == [
        "is not there", "is cut short or damaged", "has no sentence", "is empty",
    ]  # fmt: skip


def test_other_splits_are_not_looked_at(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"a.png": 1})
    (tmp_path / "a.png").unlink()
    assert leave_out_unusable(data, ("dev",)) == (data, [])


def test_what_is_no_dataset_is_refused_with_what_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no dataset; name a folder with .*Flickr8k.*Flickr30k.*COCO"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="does not exist"):
        read_dataset(tmp_path / "nowhere.json")
    (tmp_path / "photos.zip").write_bytes(b"x")
    with pytest.raises(DatasetError, match="neither a folder nor"):
        read_dataset(tmp_path / "photos.zip")


def test_a_folder_of_two_datasets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flickr30k-images").mkdir()
    (tmp_path / "results_20130124.token").write_text("a.jpg#0\tx\n")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/captions_val2017.json").write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(DatasetError, match="more than one dataset: Flickr30k, COCO"):
        read_dataset(tmp_path)


@pytest.mark.parametrize("name", ["d.json", "d.csv", "d.tsv"])
@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00", b"\x93quoted\x94,\xe9"])
def test_files_that_are_empty_or_not_utf_8_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=r"d\.(json|csv|tsv)(,| is | has )"):
        read_dataset(tmp_path / name)
