"""Killed or out of disk in the middle: the old state answers, the next run ends as if nothing had happened."""

import multiprocessing
import signal
from pathlib import Path

import pytest

from engine.catalogue import Catalogue
from engine.search import SearchRequest, SearchService
from tests.conftest import NewDatabase
from tests.indexer import interrupted_run
from tests.indexer.captioned import captioned, expected
from tests.tiny_captioner import TinyCaptioner
from tests.workspace import Contents, Workspace

# children are forks of a process that has imported everything and done nothing else
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([interrupted_run.__name__])
NEW_PHOTOS = 40  # more than one batch
POINTS = [
    "photo:1",
    "photo:20",
    "photo:38",
    "sentence:1",
    "sentence:3",
    "writing",
    "written",
    "committing",
    "committed",
]


def run_until(workspace: Workspace, point: str) -> tuple[int | None, str]:
    """Index in a process of its own; returns its exit code and the error that it reported."""
    errors = workspace.settings.home.parent / "errors.txt"
    settings = workspace.settings
    arguments = (str(settings.home), settings.database_url, str(workspace.photos), point, str(errors))
    process = PROCESSES.Process(target=interrupted_run.main, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode, errors.read_text() if errors.exists() else ""


def first_state(workspace: Workspace) -> None:
    for number in range(4):
        workspace.photo(f"old{number}.png", number)
    workspace.text("old0.txt", "A dog runs. The sun shines.")
    workspace.text("notes.txt", "Rain falls on the town.")


def second_state(workspace: Workspace) -> None:
    """New photos and texts, one photo gone, one renamed, one changed, a text changed."""
    for number in range(NEW_PHOTOS):
        workspace.photo(f"new{number:02d}.png", 100 + number)
    (workspace.photos / "old1.png").unlink()
    (workspace.photos / "old2.png").rename(workspace.photos / "renamed.png")
    workspace.photo("old3.png", 33)
    workspace.text("notes.txt", "Snow lies on the town. Rain falls on the town.")
    workspace.text("new00.txt", "Two cats sleep.")
    workspace.text("table.csv", "image,caption\n" + "".join(f"new{n:02d}.png,sentence number {n}\n" for n in range(40)))


def search(workspace: Workspace) -> tuple[list[str | None], list[str | None]]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    service = SearchService(catalogue, workspace.settings.home, workspace.encoder)
    photos = service.search_text("two dogs run", SearchRequest(("test",), k=100))
    sentences = service.search_text("two dogs run", SearchRequest(("test",), k=100, target="sentences"))
    catalogue.close()
    return [hit.path for hit in photos.hits], [hit.text for hit in sentences.hits]


def relative(workspace: Workspace) -> Contents:
    """The contents as another folder of the same photos would give them."""

    def cut(value: object) -> object:
        return value.replace(str(workspace.photos), "") if isinstance(value, str) else value

    return {str(cut(name)): tuple(cut(value) for value in entry) for name, entry in workspace.contents().items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a run that nobody interrupts ends with."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    first_state(workspace)
    workspace.index()
    second_state(workspace)
    report = workspace.index()
    assert (report.photos, report.moved, report.removed) == (NEW_PHOTOS + 3, 1, 1)
    return relative(workspace)


@pytest.mark.parametrize("point", POINTS)
def test_killed_run_leaves_a_whole_collection_and_is_continued(
    tmp_path: Path, new_database: NewDatabase, undisturbed: Contents, point: str
) -> None:
    workspace = Workspace(tmp_path, captioner=TinyCaptioner(), database_url=new_database())
    first_state(workspace)
    workspace.index()
    before, answers = workspace.contents(), search(workspace)
    second_state(workspace)

    assert run_until(workspace, point)[0] == -signal.SIGKILL

    if point == "committed":
        assert relative(workspace) == undisturbed
    else:
        assert workspace.contents() == before
        assert search(workspace) == answers
    staged, encoded = workspace.staged_photos(), workspace.encoder.photos
    workspace.index()
    assert relative(workspace) == undisturbed
    assert captioned(workspace) == expected(workspace)
    assert workspace.captioner is not None
    assert workspace.captioner.photos == workspace.encoder.photos  # what was staged kept its caption, too
    assert len(workspace.snapshots()) == 2  # the newest, and the one before
    assert workspace.staged_photos() == 0
    wanted = 0 if point == "committed" else NEW_PHOTOS + 1 - staged
    assert workspace.encoder.photos - encoded == wanted
    if point not in ("photo:1", "photo:20", "committed"):
        assert staged >= 32  # a whole batch at least was not lost


def test_first_run_that_is_killed_is_continued(
    tmp_path: Path, new_database: NewDatabase, undisturbed: Contents
) -> None:
    workspace = Workspace(tmp_path, database_url=new_database())
    first_state(workspace)
    second_state(workspace)
    for point in ("photo:20", "sentence:1", "written", "committing"):
        assert run_until(workspace, point)[0] == -signal.SIGKILL
    workspace.index()
    assert relative(workspace) == undisturbed


@pytest.mark.parametrize(("point", "said"), [("full:staging", "is the disk full"), ("full:writing", "cannot write")])
def test_full_disk_is_one_sentence_and_loses_nothing(
    tmp_path: Path, undisturbed: Contents, point: str, said: str
) -> None:
    workspace = Workspace(tmp_path)
    first_state(workspace)
    workspace.index()
    before = workspace.contents()
    second_state(workspace)
    code, error = run_until(workspace, point)
    assert code == 1
    assert said in error
    assert len(error.splitlines()) == 1
    assert workspace.contents() == before
    workspace.index()
    assert relative(workspace) == undisturbed
