import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from model.datasets import read_dataset
from model.exceptions import DatasetError

IMAGES = [{"id": 9, "file_name": "9.jpg", "license": 1}, {"id": 25, "file_name": "25.jpg"}]
ANNOTATIONS = [
    {"id": 1, "image_id": 25, "caption": "A giraffe\n"},
    {"id": 2, "image_id": 9, "caption": "A bowl"},
    {"id": 3, "image_id": 25, "caption": "Two giraffes"},
]


def write(path: Path, images: Any = IMAGES, annotations: Any = ANNOTATIONS) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"info": {}, "images": images, "annotations": annotations}))
    return path


def test_a_folder_with_its_two_files(tmp_path: Path) -> None:
    write(tmp_path / "annotations/captions_train2017.json")
    write(tmp_path / "annotations/captions_val2017.json", IMAGES[:1], ANNOTATIONS[1:2])
    write(tmp_path / "annotations/instances_val2017.json", [], [])
    for name in ("train2017/9.jpg", "train2017/25.jpg", "val2017/9.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    found = read_dataset(tmp_path)
    assert [(image.path, image.sentences) for image in found.split("train")] == [
        (tmp_path / "train2017/9.jpg", ("A bowl",)),
        (tmp_path / "train2017/25.jpg", ("A giraffe", "Two giraffes")),
    ]
    assert [image.path for image in found.split("dev")] == [tmp_path / "val2017/9.jpg"]


@pytest.mark.parametrize(
    ("name", "split"), [("captions_val2014", "dev"), ("captions_train2014", "train"), ("stair_v1.2_train", "train")]
)
def test_one_file_and_a_folder_of_photos(tmp_path: Path, name: str, split: str) -> None:
    found = read_dataset(write(tmp_path / f"{name}.json"), images=tmp_path / "photos")
    assert {image.split for image in found.images} == {split}
    assert found.images[0].path == tmp_path / "photos/9.jpg"


@pytest.mark.parametrize(
    ("images", "annotations", "message"),
    [
        (IMAGES + IMAGES[:1], ANNOTATIONS, "the image 9 is there twice"),
        ([*IMAGES, {"id": 8, "file_name": "9.jpg"}], ANNOTATIONS, r"the photo 9\.jpg is listed twice"),
        (IMAGES, ANNOTATIONS + ANNOTATIONS[:1], "the annotation 1 is there twice"),
        (IMAGES[:1], ANNOTATIONS, "the annotation 1 is of the image 25, which is not listed"),
        (IMAGES, [{"id": 1, "image_id": 9}], r"malformed at annotations\.0\.caption: Field required"),
        ([{"id": 1}], [], r"malformed at images\.0\.file_name"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, images: Any, annotations: Any, message: str) -> None:
    path = write(tmp_path / "captions_train2017.json", images, annotations)
    with pytest.raises(DatasetError, match=message):
        read_dataset(path)


def test_an_image_without_captions_is_refused_in_its_split(tmp_path: Path) -> None:
    path = write(tmp_path / "captions_train2017.json", annotations=ANNOTATIONS[:1])
    with pytest.raises(DatasetError, match=r"2 of the 2 photos .*/9\.jpg has no sentence"):
        read_dataset(path, images=tmp_path).split("train")


def test_files_of_two_years_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "annotations/captions_train2014.json")
    write(tmp_path / "annotations/captions_train2017.json")
    with pytest.raises(DatasetError, match="2 caption files of the train split"):
        read_dataset(tmp_path)


def test_a_name_without_a_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="says its split in its name"):
        read_dataset(write(tmp_path / "captions.json"))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "captions_val2017.json")
    path.write_text(path.read_text()[:-30])
    with pytest.raises(DatasetError, match="Invalid JSON: EOF"):
        read_dataset(path)


def test_the_word_annotations_in_a_caption_is_no_sign_of_coco(tmp_path: Path) -> None:
    image = {"filename": "a.jpg", "split": "test", "sentences": [{"raw": 'see "annotations": none', "tokens": ["see"]}]}
    (tmp_path / "d.json").write_text(json.dumps({"images": [image]}))
    assert read_dataset(tmp_path / "d.json").images[0].split == "test"
