"""Killed at twenty moments of a collection's life: what was acknowledged is found, what was deleted is not."""

import json
import multiprocessing
import signal
from pathlib import Path

import numpy as np
import pytest

from engine import faiss_index, revision
from engine.catalogue import Catalogue
from engine.search import SearchRequest, SearchService
from engine.verification import verify_collection
from tests.indexer import killed_run
from tests.indexer.killed_run import STEPS, State, arrange
from tests.workspace import Workspace

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([killed_run.__name__])
MOMENTS = 20
SEED = 5


def live(workspace: Workspace, last: int) -> tuple[int | None, list[tuple[int, int, list[str]]]]:
    """Go through the steps in a process of its own; returns its exit code and what it acknowledged."""
    log = workspace.settings.home.parent / "log.txt"
    arguments = (str(workspace.settings.home), str(workspace.photos), last, str(log))
    process = PROCESSES.Process(target=killed_run.main, args=arguments)
    process.start()
    process.join(200)
    lines = log.read_text().splitlines() if log.exists() else []
    return process.exitcode, [tuple(json.loads(line)) for line in lines]


def found(workspace: Workspace) -> tuple[set[str], set[str]]:
    """The photos and the sentences that searches find."""
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        if not catalogue.collections() or catalogue.collection("test").snapshot is None:
            return set(), set()
        service = SearchService(catalogue, workspace.settings.home, workspace.encoder)
        photos = service.search_text("two dogs run", SearchRequest(("test",), k=1000))
        sentences = service.search_text("two dogs run", SearchRequest(("test",), "sentences", k=1000))
        return {Path(hit.path or "").name for hit in photos.hits}, {hit.text or "" for hit in sentences.hits}
    finally:
        catalogue.close()


def expected(state: State) -> tuple[set[str], set[str]]:
    texts = " ".join(content for content in state.values() if isinstance(content, str))
    sentences = {f"{sentence}." for sentence in texts.rstrip(".").split(". ")} if texts else set()
    return {name for name, content in state.items() if isinstance(content, int)}, sentences


def problems(workspace: Workspace) -> list[str]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    try:
        return verify_collection(catalogue, "test", workspace.settings).problems if catalogue.collections() else []
    finally:
        catalogue.close()


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls an undisturbed life has; it goes through all that this test is about."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    code, acknowledged = live(workspace, last=-1)
    assert (code, len(acknowledged)) == (0, len(STEPS))
    reasons = " ".join(reason for _, _, renewed in acknowledged for reason in renewed)
    for kind in ("photos", "sentences"):
        assert f"{kind}: it has outgrown exact search" in reasons
    assert "codebook" in reasons
    assert "joined" in reasons
    assert found(workspace) == expected(STEPS[-1])
    return acknowledged[-1][1]


@pytest.mark.parametrize("number", range(MOMENTS))
def test_killed_at_any_moment_nothing_acknowledged_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int, number: int
) -> None:
    workspace = Workspace(tmp_path)
    moment = int((number + np.random.default_rng([SEED, number]).random()) / MOMENTS * calls * 0.99) + 1

    code, acknowledged = live(workspace, moment)

    assert code == -signal.SIGKILL
    done = len(acknowledged)
    states = [expected(STEPS[done - 1]) if done else (set(), set()), expected(STEPS[done])]
    assert found(workspace) in states
    assert problems(workspace) == []
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 39)
    monkeypatch.setattr(revision, "MERGED_AT_ONCE", 12)
    arrange(workspace.photos, STEPS[done])
    workspace.index()
    assert found(workspace) == states[1]
    assert problems(workspace) == []
    assert len(workspace.snapshots()) <= 2
    assert not workspace.settings.renewal_directory(1).exists()
