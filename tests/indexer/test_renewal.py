"""An index is written anew where that is due, while others may change the collection, and whatever happens to it."""

import threading
from pathlib import Path

import numpy as np
import pytest

from engine import faiss_index, revision
from engine.catalogue import Catalogue
from engine.faiss_index import FaissFragmentIndex
from engine.verification import verify_collection
from indexer import index as index_module
from indexer.index import index_paths
from indexer.locks import renewal_lock
from indexer.renewal import renew_index
from tests.workspace import Workspace


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed from 40 fragments on: eight photos of five regions."""
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 39)
    monkeypatch.setattr(revision, "MERGED_AT_ONCE", 10)


@pytest.fixture
def grown(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A collection that has outgrown exact search and is not renewed yet."""
    for number in range(4):
        workspace.photo(f"{number}.png", number)
    workspace.text("0.txt", "A dog runs. The sun shines.")
    workspace.index()
    with monkeypatch.context() as patch:
        patch.setattr(index_module, "renew_index", lambda *_: [])
        for number in range(4, 12):
            workspace.photo(f"{number}.png", number)
        workspace.index()
    return workspace


def renew(workspace: Workspace) -> list[str]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        return renew_index(catalogue, "test", workspace.settings, lambda *_: None)
    finally:
        catalogue.close()


def problems(workspace: Workspace) -> list[str]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        return verify_collection(catalogue, "test", workspace.settings).problems
    finally:
        catalogue.close()


def codebooks(workspace: Workspace) -> list[Path]:
    newest = workspace.snapshots()[-1]
    return list(workspace.settings.snapshot_directory(1, newest).glob("*/codebook"))


def test_indexing_renews_what_has_outgrown_exact_search(workspace: Workspace) -> None:
    for number in range(4):
        workspace.photo(f"{number}.png", number)
    assert workspace.index().renewed == []
    for number in range(4, 12):
        workspace.photo(f"{number}.png", number)
    assert workspace.index().renewed == ["photos: it has outgrown exact search"]
    assert len(codebooks(workspace)) == 1
    assert workspace.index().renewed == []
    assert problems(workspace) == []


def test_a_renewal_changes_nothing_that_a_search_can_see(grown: Workspace) -> None:
    before = grown.contents()
    assert not codebooks(grown)
    assert renew(grown) == ["photos: it has outgrown exact search"]
    assert codebooks(grown)
    assert grown.contents() == before
    assert problems(grown) == []
    assert not grown.settings.renewal_directory(1).exists()
    assert renew(grown) == []


def test_what_comes_and_goes_during_a_renewal_is_in_the_renewed_index(
    grown: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewing, changed = threading.Event(), threading.Event()
    original = FaissFragmentIndex.renew

    def slow(index: FaissFragmentIndex, path: Path) -> FaissFragmentIndex:
        renewing.set()
        assert changed.wait(60)
        return original(index, path)

    monkeypatch.setattr(FaissFragmentIndex, "renew", slow)
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(renew(grown)))
    thread.start()
    assert renewing.wait(60)
    (grown.photos / "3.png").unlink()
    grown.photo("new.png", 77)
    grown.text("new.txt", "A new sentence.")
    assert grown.index().renewed == []  # another is at it
    grown.photo("newer.png", 78)  # a second run sweeps the snapshot that is being renewed
    grown.index()
    before = grown.contents()
    changed.set()
    thread.join(60)
    assert found == [["photos: it has outgrown exact search"]]
    assert codebooks(grown)
    assert grown.contents() == before
    assert str(grown.photos / "new.png") in before
    assert str(grown.photos / "3.png") not in before
    assert problems(grown) == []


def test_a_rebuild_during_a_renewal_wins(grown: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    original = FaissFragmentIndex.renew

    def rebuilt(index: FaissFragmentIndex, path: Path) -> FaissFragmentIndex:
        monkeypatch.setattr(FaissFragmentIndex, "renew", original)
        encoder = type(grown.encoder)("1" * 64)
        index_paths([grown.photos], "test", encoder, grown.settings, rebuild=True)
        return original(index, path)

    monkeypatch.setattr(FaissFragmentIndex, "renew", rebuilt)
    assert renew(grown) == []
    assert problems(grown) == []
    catalogue = Catalogue(grown.settings.catalogue_url)
    assert catalogue.collection("test").model_hash == "1" * 64
    catalogue.close()


def test_what_a_killed_renewal_left_is_in_nobodys_way(grown: Workspace) -> None:
    left = grown.settings.renewal_directory(1) / "pinned" / "regions"
    left.mkdir(parents=True)
    np.save(left / "half.npy", np.arange(3))
    assert renew(grown) == ["photos: it has outgrown exact search"]
    assert not grown.settings.renewal_directory(1).exists()


def test_one_process_at_a_time_renews(grown: Workspace) -> None:
    catalogue = Catalogue(grown.settings.catalogue_url)
    info = catalogue.collection("test")
    catalogue.close()
    with renewal_lock(grown.settings, info):
        assert renew(grown) == []
    assert not codebooks(grown)
