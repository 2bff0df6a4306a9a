import json
from pathlib import Path

import pytest
from PIL import Image

from model.dataset import read_dataset
from model.exceptions import DatasetError


def write_flickr8k(root: Path, photos: dict[str, str]) -> None:
    """Write a folder in the Flickr8k layout: photo name -> split."""
    (root / "Flickr8k_text").mkdir(parents=True)
    (root / "Flicker8k_Dataset").mkdir()
    for name in photos:
        Image.new("RGB", (40, 30)).save(root / "Flicker8k_Dataset" / name)
    tokens = [f"{name}#{number}\tsentence {number} of {name} ." for name in photos for number in range(2)]
    (root / "Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(tokens))
    for split in set(photos.values()):
        chosen = [name for name, of in photos.items() if of == split]
        (root / f"Flickr8k_text/Flickr_8k.{split}Images.txt").write_text("\n".join(chosen))


def test_flickr8k_layout(tmp_path: Path) -> None:
    write_flickr8k(tmp_path, {"a.jpg": "train", "b.jpg": "dev"})
    (image,) = read_dataset(tmp_path).split("dev")
    assert image.path == tmp_path / "Flicker8k_Dataset/b.jpg"
    assert image.sentences == ("sentence 0 of b.jpg .", "sentence 1 of b.jpg .")


def test_karpathy_json_with_any_number_of_sentences(tmp_path: Path) -> None:
    entries = [
        {"filename": "a.jpg", "split": "restval", "sentences": [{"raw": "One."}, {"raw": "Two."}, {"raw": "Three."}]},
        {"filename": "b.jpg", "filepath": "val2014", "split": "val", "sentences": [{"raw": "Four."}]},
    ]
    (tmp_path / "dataset.json").write_text(json.dumps({"dataset": "coco", "images": entries}))
    dataset = read_dataset(tmp_path / "dataset.json", images=tmp_path / "photos")
    assert dataset.name == "coco"
    assert [(image.split, len(image.sentences)) for image in dataset.images] == [("train", 3), ("dev", 1)]
    assert dataset.images[1].path == tmp_path / "photos/val2014/b.jpg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON: line 1"),
        ("[]", 'no list "images"'),
        ('{"images": [{"filename": "a.jpg"}]}', "image 0 lacks"),
        ('{"images": [%s, %s]}' % (('{"filename": "a.jpg", "split": "test", "sentences": []}',) * 2), "listed twice"),
    ],
)
def test_bad_json_names_the_item(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path / "d.json")


def test_missing_split_photo_dataset_and_layout_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not in the Flickr8k layout"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="does not exist"):
        read_dataset(tmp_path / "nowhere.json")
    write_flickr8k(tmp_path, {"a.jpg": "train"})
    with pytest.raises(DatasetError, match="no split 'test' with sentences; it has train"):
        read_dataset(tmp_path).split("test")
    (tmp_path / "Flicker8k_Dataset/a.jpg").unlink()
    with pytest.raises(DatasetError, match=r"a\.jpg of the train split is not there"):
        read_dataset(tmp_path).split("train")
