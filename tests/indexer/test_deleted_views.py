"""A searching process lets go of the files of collections that are deleted."""

import os
from pathlib import Path

import pytest

from engine.catalogue import Catalogue
from engine.search import SearchRequest, SearchService
from indexer.collections import delete_collection
from indexer.index import index_paths
from tests.workspace import Workspace


def _held(folder: Path) -> int:
    """How many files of a folder this process has open."""
    targets = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            targets.append(os.readlink(link))
        except FileNotFoundError:
            continue  # the one that lists them
    return sum(target.startswith(str(folder)) for target in targets)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_the_files_of_a_deleted_collection_are_let_go_when_another_is_opened(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.photo("1.png", 1)
    workspace.index()
    catalogue = Catalogue(workspace.settings.catalogue_url)
    service = SearchService(catalogue, workspace.settings.home, workspace.encoder)
    assert len(service.search_text("two dogs", SearchRequest(("test",))).hits) == 1
    folder = workspace.settings.collection_directory(catalogue.collection("test").id)
    assert _held(folder) > 0
    delete_collection(catalogue, "test", workspace.settings)
    index_paths([workspace.photos], "other", workspace.encoder, workspace.settings)
    assert len(service.search_text("two dogs", SearchRequest(("other",))).hits) == 1
    assert _held(folder) == 0
    catalogue.close()
