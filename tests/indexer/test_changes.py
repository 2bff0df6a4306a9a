"""Indexing again: only what is new costs inference, what is gone goes, what moved moves."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.encoder import PhotoFragments
from tests.conftest import NewDatabase
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Workspace, make_photo


def three_photos(workspace: Workspace) -> None:
    for number, name in enumerate(["a.jpg", "b.png", "c.webp"]):
        workspace.photo(name, number)
    workspace.text("a.txt", "A dog runs.\n\nTwo cats sleep. The sun shines.\n")
    workspace.text("notes.txt", "Rain falls on the town. Nobody is outside.")


def test_first_run_indexes_photos_sidecars_and_documents(workspace: Workspace) -> None:
    three_photos(workspace)
    report = workspace.index()
    assert (report.seen, report.added, report.unchanged, report.skipped) == (5, 5, 0, {})
    assert (report.photos, report.sentences) == (3, 5)
    assert workspace.sentences() == {
        "A dog runs.": "a.jpg",
        "Two cats sleep.": "a.jpg",
        "The sun shines.": "a.jpg",
        "Rain falls on the town.": None,
        "Nobody is outside.": None,
    }


def test_second_run_encodes_and_writes_nothing(workspace: Workspace) -> None:
    three_photos(workspace)
    workspace.index()
    before, snapshots = workspace.contents(), workspace.snapshots()
    report = workspace.index()
    assert (report.seen, report.unchanged, report.added, report.removed) == (5, 5, 0, 0)
    assert (workspace.encoder.photos, workspace.encoder.texts) == (3, 5)
    assert workspace.contents() == before
    assert workspace.snapshots() == snapshots


def test_renamed_photo_and_sidecar_cost_no_inference_and_keep_their_link(workspace: Workspace) -> None:
    three_photos(workspace)
    workspace.index()
    (workspace.photos / "a.jpg").rename(workspace.photos / "z.jpg")
    (workspace.photos / "a.txt").rename(workspace.photos / "z.txt")
    report = workspace.index()
    assert (report.moved, report.unchanged, report.added, report.removed) == (2, 3, 0, 0)
    assert (workspace.encoder.photos, workspace.encoder.texts) == (3, 5)
    assert workspace.sentences()["A dog runs."] == "z.jpg"


def test_swapped_names_cost_no_inference(workspace: Workspace, new_database: NewDatabase) -> None:
    first, second = workspace.photo("a.png", 1), workspace.photo("b.png", 2)
    workspace.index()
    first.rename(workspace.photos / "c.png")
    second.rename(first)
    (workspace.photos / "c.png").rename(second)
    workspace.index()
    assert workspace.encoder.photos == 2
    fresh = Workspace(workspace.photos.parent / "fresh", photos=workspace.photos, database_url=new_database())
    fresh.index()
    assert workspace.contents() == fresh.contents()


def test_touched_photo_is_unchanged(workspace: Workspace) -> None:
    photo = workspace.photo("a.png", 1)
    workspace.index()
    os.utime(photo, (1, 1))
    assert workspace.index().unchanged == 1
    assert workspace.encoder.photos == 1


def test_changed_photo_is_encoded_again_and_sentences_from_elsewhere_follow_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    photo = workspace.photo("a.png", 1)
    table = tmp_path / "elsewhere" / "table.csv"
    table.parent.mkdir()
    table.write_text("../photos/a.png,Two dogs run\n")
    workspace.index(workspace.photos, table)
    make_photo(photo, 2)
    report = workspace.index()
    assert (report.added, report.removed, report.photos) == (1, 0, 1)
    assert workspace.encoder.photos == 2
    assert workspace.sentences() == {"Two dogs run": "a.png"}


def test_gone_files_are_dropped_with_their_vectors(workspace: Workspace) -> None:
    three_photos(workspace)
    workspace.index()
    (workspace.photos / "b.png").unlink()
    (workspace.photos / "notes.txt").unlink()
    report = workspace.index()
    assert (report.removed, report.photos, report.sentences) == (2, 2, 3)
    assert not any("b.png" in name or "notes.txt" in name for name in workspace.contents())
    assert len(workspace.snapshots()) == 2  # the newest and the one before it


def test_changed_document_encodes_only_new_sentences(workspace: Workspace) -> None:
    workspace.text("notes.txt", "Rain falls. The sun shines.")
    workspace.index()
    workspace.text("notes.txt", "The sun shines. Snow lies on the roof.")
    workspace.index()
    assert workspace.encoder.texts == 3
    assert set(workspace.sentences()) == {"The sun shines.", "Snow lies on the roof."}


def test_same_bytes_under_two_paths_are_two_photos_and_one_inference(workspace: Workspace) -> None:
    first = workspace.photo("a.png", 1)
    shutil.copy(first, workspace.photos / "b.png")
    workspace.photo("c.png", 3)
    assert workspace.index().photos == 3
    assert workspace.encoder.photos == 2
    contents = workspace.contents()
    assert contents[str(first)] == contents[str(workspace.photos / "b.png")]
    shutil.copy(first, workspace.photos / "d.png")  # the vectors come from the snapshot this time
    assert workspace.index().photos == 4
    assert workspace.encoder.photos == 2
    assert workspace.contents()[str(workspace.photos / "d.png")] == contents[str(first)]


def test_same_bad_bytes_under_two_paths_are_both_named(workspace: Workspace) -> None:
    workspace.text("a.jpg", b"no photo")
    workspace.text("b.jpg", b"no photo")
    report = workspace.index()
    assert [Path(item.name).name for item in report.skipped_items] == ["a.jpg", "b.jpg"]


def test_another_folder_adds_and_a_folder_speaks_only_for_itself(workspace: Workspace, tmp_path: Path) -> None:
    workspace.photo("a.png", 1)
    other = make_photo(tmp_path / "other" / "b.png", 2)
    workspace.index()
    assert workspace.index(other.parent).photos == 2
    (workspace.photos / "a.png").unlink()
    assert workspace.index(other.parent).photos == 2


def test_photo_repaired_later_gets_its_sentences(workspace: Workspace) -> None:
    workspace.text("a.png", b"not yet a photo")
    workspace.text("a.txt", "Two dogs run.")
    workspace.index()
    assert workspace.sentences() == {"Two dogs run.": None}
    workspace.photo("a.png", 1)
    workspace.index()
    assert workspace.sentences() == {"Two dogs run.": "a.png"}


class FailingEncoder(TinyEncoder):
    """Raises at a photo."""

    fails_at: int | None = None

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        if self.photos == self.fails_at:
            raise RuntimeError("out of memory")
        return super().encode_photo(photo)


def test_encoder_that_raises_loses_nothing_that_was_encoded(tmp_path: Path, new_database: NewDatabase) -> None:
    encoder = FailingEncoder()
    workspace = Workspace(tmp_path, encoder, database_url=new_database())
    workspace.photo("0.png", 0)
    workspace.index()
    before = workspace.contents()
    for number in range(1, 11):
        workspace.photo(f"{number:02d}.png", number)
    encoder.fails_at = 6
    with pytest.raises(RuntimeError, match="out of memory"):
        workspace.index()
    assert workspace.contents() == before
    staged = workspace.staged_photos()
    assert staged >= 3
    encoder.fails_at, encoded = None, encoder.photos
    assert workspace.index().photos == 11
    assert encoder.photos - encoded == 10 - staged


def test_vectors_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    class BrokenEncoder(TinyEncoder):
        def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
            fragments = super().encode_photo(photo)
            return PhotoFragments(fragments.boxes, fragments.vectors * np.float32(np.nan))

    workspace = Workspace(tmp_path, BrokenEncoder())
    workspace.photo("a.png", 1)
    report = workspace.index()
    assert list(report.skipped) == ["cannot be encoded: the model gave vectors that are not numbers"]
    assert report.photos == 0
