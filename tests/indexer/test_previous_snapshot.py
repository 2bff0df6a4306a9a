"""A damaged snapshot: the one before it answers, and says so; nothing that was deleted comes back."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import faiss_index
from engine.catalogue import Catalogue
from engine.exceptions import IndexDamaged
from engine.fragments import Kind
from engine.search import Answer, SearchRequest, SearchService
from indexer import index
from tests.workspace import Workspace


@pytest.fixture(params=[10**6, 0], ids=["exact", "compressed"])
def indexed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Photos 0 to 4 and a sentence; then 0 went, and 5 and a sentence came."""
    workspace = Workspace(tmp_path)
    monkeypatch.setattr(index, "renew_index", lambda *_: [])  # which would publish the same once more
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", request.param)
    for number in range(5):
        workspace.photo(f"{number}.png", number)
    workspace.text("1.txt", "A dog runs.")
    workspace.index()
    (workspace.photos / "0.png").unlink()
    workspace.photo("5.png", 5)
    workspace.text("5.txt", "A cat sleeps.")
    workspace.index()
    return workspace


@pytest.fixture
def service(indexed: Workspace) -> Iterator[SearchService]:
    catalogue = Catalogue(indexed.settings.catalogue_url)
    yield SearchService(catalogue, indexed.settings.home, indexed.encoder)
    catalogue.close()


def newest(workspace: Workspace) -> Path:
    return workspace.settings.collection_directory(1) / workspace.snapshots()[-1]


def search(service: SearchService, target: Kind = "images") -> Answer:
    return service.search_text("two dogs run", SearchRequest(("test",), target, k=50))


def names(answer: Answer) -> list[str]:
    return sorted(Path(hit.path or "").name for hit in answer.hits)


def unshare(path: Path) -> Path:
    """Give a file bytes of its own, so that the snapshot before keeps its own."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["manifest.json", "regions/000001/ids.npy", "words/000001/vectors.npy"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "deleted"])
def test_the_snapshot_before_serves_what_is_still_there(
    indexed: Workspace, service: SearchService, name: str, damage: str
) -> None:
    path = unshare(newest(indexed) / name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content if damage == "flipped" else content[:-20])
    if damage == "deleted":
        path.unlink()
    photos, sentences = search(service), search(service, "sentences")
    assert names(photos) == ["1.png", "2.png", "3.png", "4.png"]
    assert [hit.text for hit in sentences.hits] == ["A dog runs."]
    assert all(hit.words for hit in photos.hits)
    for answer in (photos, sentences):
        (warning,) = answer.warnings
        assert "--repair --collection test" in warning
        assert str(indexed.settings.home) not in warning


def test_a_whole_snapshot_warns_of_nothing(service: SearchService) -> None:
    answer = search(service)
    assert names(answer) == ["1.png", "2.png", "3.png", "4.png", "5.png"]
    assert answer.warnings == []


def test_damage_that_a_search_meets_lets_the_snapshot_before_serve(
    indexed: Workspace, service: SearchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.snapshot.CHECKED_UP_TO", 0)  # as if the files were large
    for number in range(6, 16):
        indexed.photo(f"{number}.png", number)
    indexed.index()
    (indexed.photos / "8.png").unlink()  # the others, 9.png the last, are scattered then, and compared when read
    indexed.index()
    path = unshare(newest(indexed) / "regions" / "000001" / "vectors.npy")
    assert search(service).warnings == []
    with path.open("r+b") as file:
        file.seek(-40, os.SEEK_END)
        file.write(b"\x7f" * 4)
    answer = search(service)
    assert answer.warnings
    assert set(names(answer)) == {path.name for path in indexed.photos.glob("*.png")}


def test_the_next_publication_ends_the_warning(indexed: Workspace, service: SearchService) -> None:
    (newest(indexed) / "manifest.json").unlink()
    assert search(service).warnings
    indexed.index(rebuild=True)
    answer = search(service)
    assert answer.warnings == []
    assert names(answer) == ["1.png", "2.png", "3.png", "4.png", "5.png"]


def test_where_both_are_damaged_the_newest_is_told(indexed: Workspace, service: SearchService) -> None:
    for name in indexed.snapshots():
        (indexed.settings.collection_directory(1) / name / "manifest.json").write_text("{}")
    with pytest.raises(IndexDamaged, match=indexed.snapshots()[-1]):
        search(service)


def test_an_open_snapshot_outlives_the_folders_of_all(indexed: Workspace, service: SearchService) -> None:
    wanted = search(service)
    sentences = search(service, "sentences")
    for name in indexed.snapshots():
        shutil.rmtree(indexed.settings.collection_directory(1) / name)
    assert search(service) == wanted
    assert search(service, "sentences") == sentences
    assert len(np.unique([hit.id for hit in wanted.hits])) == 5
