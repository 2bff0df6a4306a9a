import json
from pathlib import Path

import pytest
from PIL import Image

from model.datasets import read_dataset
from model.exceptions import DatasetError


def write_photos(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        Image.new("RGB", (40, 30)).save(folder / name)


def tokens(names: list[str]) -> str:
    return "\n".join(f"{name}#{number}\tsentence {number} of {name} ." for name in names for number in range(2)) + "\n"


@pytest.fixture
def flickr8k_folder(tmp_path: Path) -> Path:
    write_photos(tmp_path / "Flicker8k_Dataset", ["a.jpg", "b.jpg", "c.jpg"])
    (tmp_path / "Flickr8k_text").mkdir()
    (tmp_path / "Flickr8k_text/Flickr8k.token.txt").write_text(tokens(["a.jpg", "b.jpg", "c.jpg"]))
    (tmp_path / "Flickr8k_text/Flickr_8k.trainImages.txt").write_text("a.jpg\n")
    (tmp_path / "Flickr8k_text/Flickr_8k.devImages.txt").write_text("b.jpg\r\n")
    return tmp_path


@pytest.fixture(params=["results_20130124.token", "results.csv"])
def flickr30k_folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    write_photos(tmp_path / "flickr30k-images", ["1.jpg", "2.jpg", "3.jpg"])
    if request.param == "results.csv":
        rows = [f"{name}| {number}| sentence {number} of {name} ." for name in ("1.jpg", "2.jpg") for number in (0, 1)]
        rows += ["3.jpg| 0| sentence 0 of 3.jpg .", "3.jpg| 1   sentence 1 of 3.jpg ."]  # as in Kaggle's copy
        (tmp_path / request.param).write_text("\n".join(["image_name| comment_number| comment", *rows]))
    else:
        (tmp_path / request.param).write_text(tokens(["1.jpg", "2.jpg", "3.jpg"]))
    return tmp_path


def test_flickr8k(flickr8k_folder: Path) -> None:
    found = read_dataset(flickr8k_folder)
    (image,) = found.split("dev")
    assert image.path == flickr8k_folder / "Flicker8k_Dataset/b.jpg"
    assert image.sentences == ("sentence 0 of b.jpg .", "sentence 1 of b.jpg .")
    assert [image.split for image in found.images] == ["train", "dev", "none"]


def test_sentences_of_a_photo_that_was_never_distributed_are_kept_apart(flickr8k_folder: Path) -> None:
    with (flickr8k_folder / "Flickr8k_text/Flickr8k.token.txt").open("a") as file:
        file.write("x.jpg.1#0\tNobody saw it .\n")
    found = read_dataset(flickr8k_folder)
    assert [image.split for image in found.images if image.path.name == "x.jpg.1"] == ["none"]
    assert len(found.split("train")) == 1


def test_characters_that_python_breaks_lines_at_stay_in_a_sentence(flickr8k_folder: Path) -> None:
    path = flickr8k_folder / "Flickr8k_text/Flickr8k.token.txt"
    path.write_text(path.read_text() + "a.jpg#2\tone\u2028two\x85three\n", encoding="utf-8")
    assert read_dataset(flickr8k_folder).split("train")[0].sentences[-1] == "one\u2028two\x85three"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg#0\tagain\n", r"line 7: the sentence a\.jpg#0 is there twice"),
        ("a.jpg\tno number\n", "line 7: expected"),
        ("a.jpg#7\t \n", "line 7: expected"),
        ("a.jpg#7 no tab\n", "line 7: expected"),
    ],
)
def test_malformed_sentences_are_named_by_line(flickr8k_folder: Path, line: str, message: str) -> None:
    path = flickr8k_folder / "Flickr8k_text/Flickr8k.token.txt"
    path.write_text(path.read_text() + line)
    with pytest.raises(DatasetError, match=message):
        read_dataset(flickr8k_folder)


def test_token_files_that_are_empty_or_not_utf_8_are_refused(flickr8k_folder: Path) -> None:
    path = flickr8k_folder / "Flickr8k_text/Flickr8k.token.txt"
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"token\.txt holds no sentence"):
        read_dataset(flickr8k_folder)
    path.write_bytes("a.jpg#0\tcafé".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"not UTF-8 text \(byte 11\)"):
        read_dataset(flickr8k_folder)


def test_a_photo_in_two_listings_is_refused(flickr8k_folder: Path) -> None:
    (flickr8k_folder / "Flickr8k_text/Flickr_8k.testImages.txt").write_text("c.jpg\na.jpg\n")
    with pytest.raises(DatasetError, match=r"testImages\.txt, line 2: the photo a\.jpg is listed twice"):
        read_dataset(flickr8k_folder)


def test_a_listed_photo_without_sentences_or_file_is_refused(flickr8k_folder: Path) -> None:
    (flickr8k_folder / "Flickr8k_text/Flickr_8k.trainImages.txt").write_text("a.jpg\nghost.jpg\n")
    with pytest.raises(DatasetError, match=r"1 of the 2 photos .*ghost\.jpg has no sentence"):
        read_dataset(flickr8k_folder).split("train")


def test_images_do_not_go_with_a_folder(flickr8k_folder: Path) -> None:
    with pytest.raises(DatasetError, match="--images goes with a file"):
        read_dataset(flickr8k_folder, images=flickr8k_folder)


def test_flickr30k_with_the_listings_of_entities(flickr30k_folder: Path) -> None:
    for name, photos in {"train.txt": "1\n", "val.txt": "2\n", "test.txt": "3"}.items():
        (flickr30k_folder / name).write_text(photos)
    found = read_dataset(flickr30k_folder)
    assert [(image.path.name, image.split) for image in found.images] == [
        ("1.jpg", "train"), ("2.jpg", "dev"), ("3.jpg", "test"),
    ]  # fmt: skip
    assert found.split("test")[0].sentences == ("sentence 0 of 3.jpg .", "sentence 1 of 3.jpg .")


def test_flickr30k_with_the_splits_of_karpathy(flickr30k_folder: Path) -> None:
    images = [{"filename": f"{number}.jpg", "split": "val", "sentences": [{"raw": "x"}]} for number in (1, 2)]
    (flickr30k_folder / "dataset_flickr30k.json").write_text(json.dumps({"dataset": "flickr30k", "images": images}))
    (flickr30k_folder / "train.txt").write_text("1\n2\n3\n")
    found = read_dataset(flickr30k_folder)
    assert [image.split for image in found.images] == ["dev", "dev", "none"]
    assert found.images[0].path == flickr30k_folder / "flickr30k-images/1.jpg"
    assert found.images[0].sentences == ("sentence 0 of 1.jpg .", "sentence 1 of 1.jpg .")


def test_flickr30k_rows_that_are_malformed_or_twice_are_named(tmp_path: Path) -> None:
    write_photos(tmp_path / "flickr30k_images", ["1.jpg"])
    path = tmp_path / "results.csv"
    path.write_text("image_name| comment_number| comment\n1.jpg| 0| One .\n1.jpg| 0| Two .\n")
    with pytest.raises(DatasetError, match=r"line 3: the sentence 1\.jpg#0 is there twice"):
        read_dataset(tmp_path)
    path.write_text("image_name| comment_number| comment\n1.jpg, One .\n")
    with pytest.raises(DatasetError, match="line 2: expected"):
        read_dataset(tmp_path)
    path.write_text("image_name| comment_number| comment\n")
    with pytest.raises(DatasetError, match="holds no sentence"):
        read_dataset(tmp_path)
