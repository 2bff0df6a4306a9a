"""Verification of what the indexer has published: whole, damaged, or of two states."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from engine.catalogue import Catalogue
from engine.catalogue.tables import Photo, Region, Sentence
from engine.exceptions import UnknownCollection
from engine.verification import Verification, verify_collection
from indexer.run import open_collection
from tests.workspace import Workspace


@pytest.fixture
def indexed(workspace: Workspace) -> Workspace:
    for number in range(3):
        workspace.photo(f"{number}.png", number)
    workspace.text("0.txt", "A dog runs. The sun shines.")
    workspace.index()
    return workspace


def verify(workspace: Workspace, change: Callable[[Catalogue], object] | None = None) -> Verification:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        if change:
            change(catalogue)
        return verify_collection(catalogue, "test", workspace.settings)
    finally:
        catalogue.close()


def files(workspace: Workspace) -> list[Path]:
    return sorted(workspace.settings.collection_directory(1).glob("*/*/*/*.npy"))


def test_a_published_collection_is_whole(indexed: Workspace) -> None:
    found = verify(indexed)
    assert found.problems == []
    assert (found.photos, found.sentences, found.files) == (3, 2, 8)
    assert found.bytes == sum(path.stat().st_size for path in files(indexed))
    (indexed.photos / "1.png").unlink()
    indexed.photo("9.png", 9)
    indexed.index()
    assert verify(indexed).problems == []


def test_a_collection_in_which_nothing_is_published_is_whole(workspace: Workspace) -> None:
    found = verify(workspace, lambda catalogue: open_collection(catalogue, "test", workspace.encoder))
    assert (found.photos, found.files, found.problems) == (0, 0, [])
    with (
        closing(Catalogue(workspace.settings.catalogue_url)) as catalogue,
        pytest.raises(UnknownCollection, match="test"),
    ):
        verify_collection(catalogue, "other", workspace.settings)


def test_every_damaged_file_is_named(indexed: Workspace) -> None:
    for path in files(indexed):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    problems = verify(indexed).problems
    assert len(problems) == 8
    assert "regions/000001/vectors.npy does not match its checksum" in problems


def test_a_file_cut_short_is_told(indexed: Workspace) -> None:
    files(indexed)[0].write_bytes(b"")
    (problem,) = verify(indexed).problems
    assert problem == "regions/000001/ids.npy does not match its checksum"


def test_a_catalogue_of_another_state_is_told(indexed: Workspace) -> None:
    def lose(catalogue: Catalogue) -> None:
        with catalogue.write() as connection:
            connection.execute(delete(Photo).where(Photo.id == 2))
            connection.execute(delete(Sentence).where(Sentence.id == 1))
            connection.execute(delete(Region).where(Region.photo_id == 3, Region.number == 0))

    problems = verify(indexed, lose).problems
    assert "1 photos of the index are not in the catalogue, the first of id 2" in problems
    assert "1 sentences of the index are not in the catalogue, the first of id 1" in problems
    assert any("boxes" in problem for problem in problems)
