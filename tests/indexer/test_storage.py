"""The database and the index: locked, read-only, of another checkpoint, damaged, busy."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from engine.exceptions import (
    BadRequest,
    CatalogueError,
    CollectionBusy,
    IndexDamaged,
    ModelMismatch,
    SourceError,
    StorageError,
)
from engine.settings import Settings
from indexer import locks
from indexer.index import index_paths
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Contents, Workspace, make_photo

ON_SQLITE = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)


@pytest.fixture
def before(workspace: Workspace) -> Iterator[Contents]:
    """A published collection with something new beside it; it must be the same after the test."""
    workspace.photo("a.png", 1)
    workspace.text("a.txt", "A dog runs.")
    workspace.index()
    contents = workspace.contents()
    workspace.photo("b.png", 2)
    yield contents
    assert workspace.contents() == contents


@ON_SQLITE
@pytest.mark.usefixtures("before")
def test_locked_database_is_one_sentence(workspace: Workspace) -> None:
    path = workspace.settings.home / "catalogue.db"
    settings = Settings(home=workspace.settings.home, database_url=f"sqlite:///{path}?timeout=0.1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogueError, match="is locked by another program"):
            index_paths([workspace.photos], "test", workspace.encoder, settings)


@ON_SQLITE
@pytest.mark.usefixtures("before")
def test_read_only_database_is_one_sentence(workspace: Workspace) -> None:
    path = workspace.settings.home / "catalogue.db"
    url = f"sqlite:///file:{path}?mode=ro&uri=true"
    settings = Settings(home=workspace.settings.home, database_url=url)
    with pytest.raises(CatalogueError, match="is read-only"):
        index_paths([workspace.photos], "test", workspace.encoder, settings)


@pytest.mark.usefixtures("before")
def test_collection_of_another_checkpoint_is_refused_before_encoding(workspace: Workspace) -> None:
    other = TinyEncoder("1" * 64)
    with pytest.raises(ModelMismatch, match=r"dvsa index PATH\.\.\. --collection test --rebuild"):
        index_paths([workspace.photos], "test", other, workspace.settings)
    assert other.photos == 0


@pytest.mark.usefixtures("before")
def test_second_writer_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with (
        FileLock(workspace.settings.home / "collections" / "1.lock"),
        pytest.raises(CollectionBusy, match="another dvsa index is running"),
    ):
        workspace.index()


@pytest.mark.usefixtures("before")
def test_rebuild_that_would_lose_another_folder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    other = make_photo(tmp_path / "other" / "c.png", 3)
    with pytest.raises(SourceError, match="also holds what came from"):
        workspace.index(other.parent, rebuild=True)


def test_rebuild_encodes_everything_again_for_another_model(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.text("a.txt", "A dog runs.")
    workspace.index()
    contents = workspace.contents()
    workspace.encoder = TinyEncoder("1" * 64)
    report = workspace.index(rebuild=True)
    assert (report.added, report.removed, report.unchanged) == (2, 0, 0)
    assert (workspace.encoder.photos, workspace.encoder.texts) == (1, 1)
    assert workspace.contents() == contents
    assert workspace.index().unchanged == 2


def test_damaged_index_is_refused_and_a_rebuild_repairs_it(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.index()
    contents = workspace.contents()
    (vectors,) = workspace.settings.home.glob("collections/1/*/regions/000001/vectors.npy")
    vectors.write_bytes(vectors.read_bytes()[:-1])
    workspace.photo("b.png", 2)
    with pytest.raises(IndexDamaged, match="--repair"):
        workspace.index()
    (workspace.photos / "b.png").unlink()
    workspace.index(rebuild=True)
    assert workspace.contents() == contents


@ON_SQLITE
def test_home_that_is_a_file_is_one_sentence(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.settings.home.write_text("in the way")
    with pytest.raises(CatalogueError, match="cannot be created"):
        workspace.index()


def test_collections_folder_that_is_a_file_is_one_sentence(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.settings.home.mkdir()
    (workspace.settings.home / "collections").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write to"):
        workspace.index()


@ON_SQLITE
def test_database_that_is_none_is_one_sentence(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.settings.home.mkdir()
    (workspace.settings.home / "catalogue.db").write_bytes(b"this is no database at all, but a text" * 100)
    with pytest.raises(CatalogueError, match="is not a database"):
        workspace.index()


@pytest.mark.parametrize("name", ["", "  ", "\udcff"])
def test_collection_needs_a_name(workspace: Workspace, name: str) -> None:
    with pytest.raises(BadRequest, match="needs a name"):
        index_paths([workspace.photos], name, workspace.encoder, workspace.settings)


def test_leftovers_of_killed_runs_are_swept(workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.index()
    for name in ("000009-dead", ".000009-dead.tmp"):
        (workspace.settings.collection_directory(1) / name).mkdir()
    workspace.index()
    assert len(workspace.snapshots()) == 1


def test_the_snapshot_before_is_kept_and_none_more(workspace: Workspace) -> None:
    for number in range(4):
        workspace.photo(f"{number}.png", number)
        workspace.index()
    assert [name.partition("-")[0] for name in workspace.snapshots()] == ["000003", "000004"]
    workspace.index(rebuild=True)
    assert [name.partition("-")[0] for name in workspace.snapshots()] == ["000005"]
