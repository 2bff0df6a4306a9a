"""Texts, tables and datasets, good and bad."""

import json
from pathlib import Path

import pytest

from engine.exceptions import SourceError
from tests.workspace import Workspace, make_photo

NO_WORD = "sentence has no word that the model knows"


@pytest.mark.parametrize(
    ("content", "reason", "sentences"),
    [
        (b"", "holds no sentence", 0),
        (b" \n\t\n", "holds no sentence", 0),
        (b"...!?\n-- ;", NO_WORD, 0),
        (b"zzxy zzyx.", NO_WORD, 0),
        (b"\xff\xfeabc \xe9", "is not UTF-8", 0),
        ("Die Straße ist naß. イヌが走る。".encode(), None, 2),
        (b"\xef\xbb\xbfA dog runs.", None, 1),
        (b"A dog\0 runs.\r\nTwo cats sleep.\r\n", None, 2),
        (b"dog " * 10_000, None, 1),
    ],
)
def test_text_file(workspace: Workspace, content: bytes, reason: str | None, sentences: int) -> None:
    workspace.photo("a.png", 1)
    workspace.text("notes.txt", content)
    report = workspace.index()
    assert report.sentences == sentences
    assert set(report.skipped) == ({reason} if reason else set())
    again = workspace.index()
    assert again.skipped == report.skipped
    assert workspace.encoder.photos == 1


def test_unknown_sentence_is_named_by_number_and_the_rest_is_indexed(workspace: Workspace) -> None:
    path = workspace.text("notes.txt", "A dog runs. Zzxy zzyx. Two cats sleep.")
    report = workspace.index()
    assert report.sentences == 2
    assert [(item.name, item.reason) for item in report.skipped_items] == [(f"{path}, sentence 2", NO_WORD)]


def test_text_file_that_does_not_exist_is_refused(workspace: Workspace) -> None:
    with pytest.raises(SourceError, match=r"none\.txt does not exist"):
        workspace.index(workspace.photos / "none.txt")


def test_file_of_another_kind_is_skipped(workspace: Workspace) -> None:
    path = workspace.text("letter.pdf", b"%PDF")
    assert workspace.index(path).skipped == {"is not a photo, text, table or dataset": 1}


def test_photo_named_alone_brings_its_sidecar(workspace: Workspace) -> None:
    photo = workspace.photo("a.jpg", 1)
    workspace.text("a.txt", "A dog runs.")
    workspace.photo("b.jpg", 2)
    report = workspace.index(photo)
    assert (report.photos, workspace.sentences()) == (1, {"A dog runs.": "a.jpg"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "a.png,A dog runs\nb.png,Two cats sleep\n"),
        ("t.csv", "file,sentence\na.png,A dog runs\nb.png,Two cats sleep\n"),
        ("t.csv", "caption;number;image\nA dog runs;1;a.png\n\nTwo cats sleep;2;b.png\n"),
        ("t.tsv", "a.png\tA dog runs\r\nb.png\tTwo cats sleep\r\n"),
        ("t.csv", '\ufeffimage,caption\r\na.png,"A dog\nruns"\r\nb.png,Two cats sleep'),
    ],
)
def test_table(workspace: Workspace, name: str, content: str) -> None:
    workspace.photo("a.png", 1)
    workspace.photo("b.png", 2)
    report = workspace.index(workspace.text(name, content))
    assert (report.photos, report.sentences, report.skipped) == (2, 2, {})
    assert workspace.sentences() == {"A dog runs": "a.png", "Two cats sleep": "b.png"}


def test_malformed_rows_are_named_by_number_and_the_rest_is_indexed(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    rows = [
        b"a.png,A dog runs",
        b"a.png,A dog, and a cat",
        b"a.png",
        b",No file here",
        b"a.png,  ",
        b'a.png,"quoted" wrongly',
        b"a.png,\xff\xfe",
        b"notes.doc,A letter",
        b"gone.png,The photo is gone",
        b'a.png,"never closed',
        b"a.png,Two cats sleep",
    ]
    path = workspace.text("t.csv", b"\n".join(rows))
    report = workspace.index(path)
    named = [item.name.removeprefix(f"{path}, row ") for item in report.skipped_items]
    assert named == ["2", "3", "4", "5", "6", "7", "8", str(workspace.photos / "gone.png"), "10"]
    assert workspace.sentences() == {
        "A dog runs": "a.png",
        "The photo is gone": None,
        "Two cats sleep": "a.png",
    }


def test_table_in_a_folder_is_read_only_with_a_header(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.text("captions.csv", "image,caption\na.png,A dog runs\n")
    workspace.text("prices.csv", "1,2\n3,4\n")
    report = workspace.index()
    assert (report.sentences, report.skipped) == (1, {})


def test_photo_that_leaves_its_table_leaves_the_collection(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.photo("b.png", 2)
    path = workspace.text("t.csv", "a.png,A dog runs\nb.png,Two cats sleep\n")
    workspace.index(path)
    path.write_text("a.png,A dog runs\n")
    report = workspace.index(path)
    assert (report.photos, report.sentences, report.removed) == (1, 1, 1)


def karpathy(workspace: Workspace, entries: list[object]) -> Path:
    return workspace.text("dataset.json", json.dumps({"dataset": "test", "images": entries}))


def test_karpathy_json_with_its_photos_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    make_photo(tmp_path / "elsewhere" / "val" / "a.png", 1)
    sentences = [{"raw": "A dog runs ."}, {"tokens": ["two", "cats"]}]
    entry = {"filepath": "val", "filename": "a.png", "split": "train", "sentences": sentences}
    report = workspace.index(karpathy(workspace, [entry]), images=tmp_path / "elsewhere")
    assert (report.photos, report.sentences, report.skipped) == (1, 2, {})
    assert workspace.sentences() == {"A dog runs .": "a.png", "two cats": "a.png"}


def test_malformed_images_of_a_karpathy_json_are_named_and_the_rest_is_indexed(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    good = {"filename": "a.png", "split": "test", "sentences": [{"raw": "A dog \ud800runs"}, {"raw": 5}, "no"]}
    path = karpathy(workspace, [7, {"filename": "b.png"}, {"filename": 3, "sentences": []}, good])
    report = workspace.index(path)
    assert (report.photos, report.sentences) == (1, 1)
    named = [item.name.removeprefix(f"{path}, ") for item in report.skipped_items]
    assert named == ["image 1", "image 2", "image 3", "image 4", "image 4"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"images": 5}', "[" * 100_000])
def test_json_that_is_no_dataset_is_refused(workspace: Workspace, content: str) -> None:
    path = workspace.text("dataset.json", content)
    with pytest.raises(SourceError, match=r"dataset\.json is not"):
        workspace.index(path)


def test_flickr8k_layout(workspace: Workspace) -> None:
    make_photo(workspace.photos / "Flicker8k_Dataset" / "a.jpg", 1)
    make_photo(workspace.photos / "Flicker8k_Dataset" / "b.jpg", 2)
    texts = workspace.photos / "Flickr8k_text"
    texts.mkdir()
    (texts / "Flickr8k.token.txt").write_text("a.jpg#0\tA dog runs .\na.jpg#1\tTwo cats .\nb.jpg#0\tThe sun .\n")
    for split, name in [("train", "a.jpg"), ("dev", "b.jpg"), ("test", "")]:
        (texts / f"Flickr_8k.{split}Images.txt").write_text(name + "\n")
    report = workspace.index()
    assert (report.photos, report.sentences, report.skipped) == (2, 3, {})
    assert workspace.sentences() == {"A dog runs .": "a.jpg", "Two cats .": "a.jpg", "The sun .": "b.jpg"}


def test_flickr30k_layout_and_its_missing_photo(workspace: Workspace) -> None:
    make_photo(workspace.photos / "flickr30k-images" / "1.jpg", 1)
    workspace.text("results_20130124.token", "1.jpg#0\tA dog runs .\n2.jpg#0\tTwo cats .\n")
    report = workspace.index()
    assert (report.photos, report.sentences) == (1, 2)
    missing = workspace.photos / "flickr30k-images" / "2.jpg"
    assert [(item.name, item.reason) for item in report.skipped_items] == [(str(missing), "does not exist")]
    assert workspace.sentences() == {"A dog runs .": "1.jpg", "Two cats .": None}


def test_coco_captions_as_a_folder_and_as_a_file(workspace: Workspace) -> None:
    make_photo(workspace.photos / "val2017" / "a.png", 1)
    (workspace.photos / "annotations").mkdir()
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 5, "image_id": 1, "caption": "A dog runs"}],
    }
    path = workspace.text("annotations/captions_val2017.json", json.dumps(document))
    assert workspace.index().skipped == {}
    assert workspace.sentences() == {"A dog runs": "a.png"}
    report = workspace.index(path, images=workspace.photos / "val2017")
    assert (report.photos, report.sentences, report.skipped) == (1, 2, {})  # once more, as a document of its own


def test_text_files_are_split_as_their_language_has_it(workspace: Workspace) -> None:
    workspace.text("notes.txt", "एक कुत्ता दौड़ता है। एक बिल्ली सोती है।")
    assert workspace.index().sentences == 1
    workspace.settings = workspace.settings.model_copy(update={"language": "hindi"})
    assert workspace.index().sentences == 2
