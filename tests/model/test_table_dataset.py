from pathlib import Path

import pytest

from model.datasets import read_dataset
from model.exceptions import DatasetError


def test_rows_of_a_photo_are_joined_and_the_splits_named_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text('split,caption,image\ntrain,Un perro,a.jpg\nval,Un gato,b.jpg\nTRAIN,"Un perro, otro",./a.jpg\n')
    found = read_dataset(path, images=tmp_path / "photos")
    assert [(image.path, image.split, image.sentences) for image in found.images] == [
        (tmp_path / "photos/a.jpg", "train", ("Un perro", "Un perro, otro")),
        (tmp_path / "photos/b.jpg", "dev", ("Un gato",)),
    ]


def test_tab_separated_without_header_or_splits(tmp_path: Path) -> None:
    path = tmp_path / "d.tsv"
    path.write_text("\ufeffa.jpg\t犬が走る\u2028速く\nb.png\t猫\n", encoding="utf-8")
    found = read_dataset(path)
    assert [image.sentences for image in found.images] == [("犬が走る\u2028速く",), ("猫",)]
    assert found.images[0].path == tmp_path / "a.jpg"
    with pytest.raises(DatasetError, match="no split 'train'; it has none"):
        found.split("train")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,x", "row 3 is malformed: not 3 columns"),
        (",a dog,train", "row 3 names no file"),
        ("a.jpg, ,train", "row 3 has no sentence"),
        ("a.pdf,a dog,train", "row 3 names a file that is not a photo"),
        ('a.jpg,"a dog,train', "row 3 is malformed: a quote is not closed"),
        ("a.jpg,a dog,dev", r"row 3: a\.jpg is in two splits, train and dev"),
    ],
)
def test_malformed_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "d.csv").write_text(f"photo,sentence,split\na.jpg,a cat,train\n{row}\n")
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path / "d.csv")


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("photo,sentence,split\n")
    with pytest.raises(DatasetError, match="has no row"):
        read_dataset(tmp_path / "d.csv")
