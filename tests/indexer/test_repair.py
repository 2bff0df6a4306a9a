"""Repair: what is whole is kept, what is lost is made again, what cannot be is named."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from engine import faiss_index
from engine.catalogue import Catalogue
from engine.catalogue.tables import Collection, Photo, Region, Sentence
from engine.encoder import Encoder
from engine.exceptions import CollectionBusy, IndexOutdated
from engine.verification import verify_collection
from indexer import locks
from indexer.locks import collection_lock
from indexer.repair import Repair, repair_collection
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Contents, Workspace


@pytest.fixture(params=[10**6, 0], ids=["exact", "compressed"])
def indexed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", request.param)
    return filled(Workspace(tmp_path))


def filled(workspace: Workspace) -> Workspace:
    """Six photos and four sentences in two segments each, and the snapshot before."""
    for number in range(5):
        workspace.photo(f"{number}.png", number)
    workspace.text("0.txt", "A dog runs. The sun shines. Rain falls.")
    workspace.index()
    workspace.photo("5.png", 5)
    workspace.text("5.txt", "A cat sleeps.")
    workspace.index()
    workspace.encoder = TinyEncoder()
    return workspace


def repair(workspace: Workspace, change: Callable[[Catalogue], object] | None = None) -> Repair:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        if change:
            change(catalogue)
        return repair_collection(catalogue, "test", workspace.settings, lambda: workspace.encoder)
    finally:
        catalogue.close()


def problems(workspace: Workspace) -> list[str]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        return verify_collection(catalogue, "test", workspace.settings).problems
    finally:
        catalogue.close()


def newest(workspace: Workspace) -> Path:
    return workspace.settings.collection_directory(1) / workspace.snapshots()[-1]


def encoded(workspace: Workspace) -> tuple[int, int]:
    return workspace.encoder.photos, workspace.encoder.texts


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def assert_mended(workspace: Workspace, before: Contents) -> None:
    assert problems(workspace) == []
    assert workspace.contents() == before


def test_a_whole_collection_is_left_as_it_is(indexed: Workspace) -> None:
    snapshots = indexed.snapshots()
    assert repair(indexed) == Repair()
    assert indexed.snapshots() == snapshots
    assert encoded(indexed) == (0, 0)


def test_every_file_is_mended(indexed: Workspace, tmp_path: Path) -> None:
    before, home = indexed.contents(), indexed.settings.home
    shutil.copytree(home, tmp_path / "copy")
    for name in sorted(path.relative_to(newest(indexed)) for path in newest(indexed).glob("regions/**/*.npy")):
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "copy", home)
        flip(newest(indexed) / name)
        assert any(str(name) in problem for problem in problems(indexed)), name
        assert repair(indexed).failed == []
        assert_mended(indexed, before)


@pytest.mark.parametrize("name", ["vectors.npy", "ids.npy", "offsets.npy", "sums.npy"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "deleted"])
def test_a_file_that_is_cut_or_gone_is_mended(indexed: Workspace, name: str, damage: str) -> None:
    before = indexed.contents()
    for kind in ("regions", "words"):
        path = newest(indexed) / kind / "000001" / name
        content = path.read_bytes()
        path.unlink()
        if damage != "deleted":
            path.write_bytes(content[: len(content) - 40] if damage == "cut" else b"")
    assert repair(indexed).failed == []
    assert_mended(indexed, before)
    assert encoded(indexed) == (0, 0)  # the snapshot before has the same file still


def test_a_changed_bit_costs_one_item(indexed: Workspace) -> None:
    before = indexed.contents()
    flip(newest(indexed) / "regions" / "000001" / "vectors.npy", place=-40)
    flip(newest(indexed) / "words" / "000001" / "vectors.npy", place=-40)
    done = repair(indexed).done
    assert "1 photos were encoded again" in done
    assert "1 sentences were encoded again" in done
    assert encoded(indexed) == (1, 1)
    assert_mended(indexed, before)


def test_a_damaged_compressed_form_is_made_of_the_exact_vectors(indexed: Workspace) -> None:
    before = indexed.contents()
    files = [path for path in newest(indexed).rglob("*.npy") if path.stem not in ("ids", "offsets", "vectors", "sums")]
    for path in files:
        flip(path)
    repair(indexed)
    assert_mended(indexed, before)
    assert encoded(indexed) == (0, 0)


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_damaged_manifest_is_made_anew(indexed: Workspace, content: bytes | None) -> None:
    before = indexed.contents()
    path = newest(indexed) / "manifest.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert repair(indexed).failed == []
    assert_mended(indexed, before)
    assert encoded(indexed) == (0, 0)


def test_a_lost_snapshot_is_made_of_the_one_before_and_the_files(indexed: Workspace) -> None:
    before = indexed.contents()
    newest(indexed).rename(indexed.photos.parent / "lost")
    assert repair(indexed).failed == []
    assert_mended(indexed, before)
    assert encoded(indexed) == (1, 1)


def test_an_index_of_another_state_follows_the_catalogue(workspace: Workspace) -> None:
    indexed = filled(workspace)

    def lose(catalogue: Catalogue) -> None:
        with catalogue.write() as connection:
            connection.execute(delete(Photo).where(Photo.id == 2))
            connection.execute(delete(Sentence).where(Sentence.id == 1))
            connection.execute(delete(Region).where(Region.photo_id == 3, Region.number == 0))
            connection.execute(update(Collection).values(photo_count=99))

    before = indexed.contents()
    done = repair(indexed, lose).done
    assert "1 photos of the index that the catalogue does not know were dropped" in done
    assert "1 sentences of the index that the catalogue does not know were dropped" in done
    assert problems(indexed) == []
    after = indexed.contents()
    assert set(before) - set(after) == {str(indexed.photos / "1.png"), f"{indexed.photos / '0.txt'}: A dog runs."}
    assert after[str(indexed.photos / "2.png")] == before[str(indexed.photos / "2.png")]  # its boxes came back
    assert encoded(indexed) == (1, 0)


def test_counts_alone_are_mended(indexed: Workspace) -> None:
    def miscount(catalogue: Catalogue) -> None:
        with catalogue.write() as connection:
            connection.execute(update(Collection).values(photo_count=99))

    assert repair(indexed, miscount).done == ["the numbers of photos and sentences were counted again"]
    assert problems(indexed) == []


def test_what_cannot_be_mended_is_named_and_waits_for_its_file(indexed: Workspace) -> None:
    before = indexed.contents()
    flip(newest(indexed) / "regions" / "000001" / "vectors.npy")
    gone = indexed.photos / "4.png"
    content = gone.read_bytes()
    gone.unlink()
    (failure,) = repair(indexed).failed
    assert failure.startswith(f"{gone} vanished")
    assert any("not in the index" in problem for problem in problems(indexed))
    gone.write_bytes(content)
    assert repair(indexed).failed == []
    assert_mended(indexed, before)


def test_another_model_does_not_encode(indexed: Workspace) -> None:
    indexed.encoder = TinyEncoder("1" * 64)
    flip(newest(indexed) / "regions" / "000001" / "vectors.npy")
    (failure,) = repair(indexed).failed
    assert "DVSA_CHECKPOINT" in failure
    assert encoded(indexed) == (0, 0)


def test_leftovers_of_killed_runs_are_deleted(indexed: Workspace) -> None:
    directory = indexed.settings.collection_directory(1)
    for name in ("000009-dead", ".000009-dead.tmp"):
        (directory / name).mkdir()
    indexed.settings.renewal_directory(1).mkdir()
    assert repair(indexed).done == ["deleted what a killed run left: .000009-dead.tmp, 000009-dead"]
    assert not indexed.settings.renewal_directory(1).exists()
    assert len(indexed.snapshots()) == 2


def rewrite_manifest(workspace: Workspace, number: int) -> None:
    """Make the newest snapshot one of another format."""
    since = {4: ("directions.npy",), 3: ("directions.npy", "list_counts.npy")}  # files
    since[2] = (*since[3], "sums.npy", "trained_error.npy")
    path = newest(workspace) / "manifest.json"
    content = json.loads(path.read_bytes())["manifest"] | {"format": number}
    for name in [name for name in content["files"] if name.endswith(since.get(number, ()))]:
        del content["files"][name]
        (newest(workspace) / name).unlink()
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"manifest": content, "sha256": digest}))


@pytest.mark.parametrize("number", [2, 3, 4])
def test_earlier_formats_are_brought_up_to_date(indexed: Workspace, number: int) -> None:
    before = indexed.contents()
    rewrite_manifest(indexed, number)
    with pytest.raises(IndexOutdated, match="--repair"):
        indexed.index()
    assert repair(indexed).failed == []
    assert_mended(indexed, before)
    assert encoded(indexed) == (0, 0)


@pytest.mark.parametrize("number", [1, 6])
def test_other_formats_are_refused(indexed: Workspace, number: int) -> None:
    rewrite_manifest(indexed, number)
    with pytest.raises(IndexOutdated, match="--rebuild"):
        repair(indexed)


def test_a_repair_waits_for_no_other_writer(indexed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    catalogue = Catalogue(indexed.settings.catalogue_url)
    with collection_lock(indexed.settings, catalogue.collection("test")), pytest.raises(CollectionBusy):
        repair(indexed)
    catalogue.close()


def test_the_model_is_not_loaded_for_nothing(indexed: Workspace) -> None:
    def no_encoder() -> Encoder:
        raise AssertionError("nothing is to be encoded")

    catalogue = Catalogue(indexed.settings.catalogue_url)
    flip(newest(indexed) / "words" / "000001" / "sums.npy")
    assert repair_collection(catalogue, "test", indexed.settings, no_encoder).failed == []
    catalogue.close()
    assert problems(indexed) == []
