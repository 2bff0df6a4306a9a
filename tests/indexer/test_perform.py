"""What jobs do: uploads, documents, deletions, folders of the server; and uploads when everything is encoded again."""

import io
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue import Catalogue
from engine.catalogue.documents import document_page, sentence_page
from engine.catalogue.jobs import job
from engine.exceptions import BadRequest, PathNotAllowed, SourceError
from engine.settings import Settings
from indexer.collections import create_collection, sweep_leftovers
from indexer.index import index_paths
from indexer.perform import Models, perform
from indexer.queue import JobQueue
from indexer.requests import UploadRequest, allowed_path
from indexer.uploads import UploadedSentence, UploadFolder
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Workspace, make_photo


class Desk:
    """Does jobs of the collection `test` at once."""

    def __init__(self, workspace: Workspace, **settings: Any) -> None:
        self.settings = workspace.settings.model_copy(update=settings)
        self.catalogue = Catalogue(self.settings.catalogue_url)
        self.collection = create_collection(self.catalogue, "test", workspace.encoder)
        self.folder = UploadFolder(self.settings, self.collection.id)
        self._models = Models(workspace.encoder, None)

    def do(self, kind: Any, **request: Any) -> dict[str, Any]:
        queue = JobQueue(self.catalogue)
        queue.add(kind, self.collection, request)
        claimed = queue.claim("worker")
        assert claimed is not None
        report = perform(claimed, request, self.catalogue, self.settings, self._models, lambda *_: None)
        queue.finish(claimed.id, "worker", "done", report=report)
        assert job(self.catalogue, claimed.id).report == report
        return report

    def upload(self, *photos: Path) -> dict[str, Any]:
        token, taken, refused = self.folder.receive_photos([(p.name, io.BytesIO(p.read_bytes())) for p in photos])
        return self.do("upload", **asdict(UploadRequest(token, taken, refused)))

    def names(self) -> list[str]:
        return [photo.name for photo in self.catalogue.photo_page("test", 0, 100)]


@pytest.fixture
def desk(workspace: Workspace) -> Iterator[Desk]:
    """A desk that may index the workspace's photos, too."""
    made = Desk(workspace, allowed_roots=(workspace.photos,))
    yield made
    made.catalogue.close()


def test_an_index_run_of_a_folder_leaves_uploads_alone_and_the_other_way_round(
    desk: Desk, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.photo("a.png", 1)
    desk.do("index", path=str(workspace.photos))
    desk.upload(make_photo(tmp_path / "b.png", 2))
    desk.do("index", path=str(workspace.photos))
    assert sorted(desk.names()) == ["a.png", "b.png"]
    (workspace.photos / "a.png").unlink()
    workspace.photo("c.png", 3)
    desk.do("index", path=str(workspace.photos))
    assert sorted(desk.names()) == ["b.png", "c.png"]


def test_rebuild_encodes_uploads_and_documents_again_and_keeps_names_and_links(
    desk: Desk, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.photo("a.png", 1)
    desk.do("index", path=str(workspace.photos))
    desk.upload(make_photo(tmp_path / "b.png", 2))
    sent = [UploadedSentence("two dogs run", photo.path) for photo in desk.catalogue.photo_page("test", 0, 9)]
    desk.do("documents", token=desk.folder.receive_sentences([*sent, UploadedSentence("zz zzz")]), name="notes")
    other = TinyEncoder(model_hash="1" * 64)
    with pytest.raises(SourceError, match="also holds what came from"):
        index_paths([], "test", other, desk.settings, rebuild=True)
    report = index_paths([workspace.photos], "test", other, desk.settings, rebuild=True)
    assert (report.photos, report.sentences, report.added) == (2, 2, 3)
    held = {photo.id: photo.name for photo in desk.catalogue.photo_page("test", 0, 9)}
    described = sentence_page(desk.catalogue, "test", None, 0, 9)
    assert sorted(held[sentence.photo_id or 0] for sentence in described) == ["a.png", "b.png"]
    assert [document.name for document in document_page(desk.catalogue, "test", 0, 9)] == ["notes"]


def test_collection_of_uploads_alone_is_rebuilt_without_paths(desk: Desk, tmp_path: Path) -> None:
    desk.upload(make_photo(tmp_path / "b.png", 2), make_photo(tmp_path / "c.png", 3))
    report = index_paths([], "test", TinyEncoder(model_hash="1" * 64), desk.settings, rebuild=True)
    assert (report.photos, desk.names()) == (2, ["b.png", "c.png"])


def test_photo_that_cannot_be_decoded_leaves_no_file(desk: Desk, tmp_path: Path) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(make_photo(tmp_path / "b.png", 2).read_bytes()[:80])
    report = desk.upload(cut, tmp_path / "b.png")
    assert report["skipped_items"] == [{"name": "cut.png", "reason": "is cut short or damaged"}]
    assert len([path for path in desk.folder.root.rglob("*") if path.is_file()]) == 1


def test_reports_name_no_folder_of_the_server(desk: Desk, workspace: Workspace) -> None:
    workspace.text("notes.txt", "zz zzz. A dog runs.")
    workspace.text("empty.txt", "")
    report = desk.do("index", path=str(workspace.photos))
    assert sorted(item["name"] for item in report["skipped_items"]) == [
        "photos/empty.txt",
        "photos/notes.txt, sentence 1",
    ]


@pytest.mark.parametrize("kind", ["link to a photo", "link to a text", "table", "link to a folder"])
def test_nothing_outside_the_allowed_folders_is_read(
    desk: Desk, workspace: Workspace, tmp_path: Path, kind: str
) -> None:
    secret = make_photo(tmp_path / "secret" / "s.png", 9)
    (tmp_path / "secret" / "s.txt").write_text("the secret is a dog")
    workspace.photo("a.png", 1)
    if kind == "table":
        workspace.text("table.csv", "image,caption\n../secret/s.png,a secret dog\n")
    elif kind == "link to a folder":
        (workspace.photos / "more").symlink_to(secret.parent)
    else:
        target = secret if kind == "link to a photo" else secret.with_suffix(".txt")
        (workspace.photos / f"link{target.suffix}").symlink_to(target)
    report = desk.do("index", path=str(workspace.photos))
    assert desk.names() == ["a.png"]
    assert "the secret is a dog" not in [s.text for s in sentence_page(desk.catalogue, "test", None, 0, 9)]
    wanted = [] if kind == "link to a folder" else ["lies outside the folders that may be indexed"]
    assert [item["reason"] for item in report["skipped_items"]] == wanted
    assert "secret/" not in str(report)


def test_dataset_with_a_link_to_elsewhere_is_refused_whole(desk: Desk, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (workspace.photos / "Flickr8k_text").symlink_to(tmp_path / "secret")
    (workspace.photos / "Flicker8k_Dataset").mkdir()
    (tmp_path / "secret" / "Flickr8k.token.txt").write_text("a.jpg#0\ta dog\n")
    with pytest.raises(SourceError):
        desk.do("index", path=str(workspace.photos))


def test_paths_are_allowed_by_where_their_links_lead(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "out").symlink_to(outside)
    (outside / "in").symlink_to(inside)
    (tmp_path / "inside2").mkdir()
    settings = Settings(home=tmp_path / "home", allowed_roots=(inside,))
    assert allowed_path(settings, str(inside)) == str(inside)
    assert allowed_path(settings, str(outside / "in")) == str(outside / "in")
    with pytest.raises(BadRequest, match="does not exist"):
        allowed_path(settings, str(inside / "none"))
    for wrong in (
        "/etc",
        str(inside / "out"),
        str(inside / ".."),
        str(tmp_path / "inside2"),
        "photos",
        "a\0b",
        "\ud800",
    ):
        with pytest.raises(PathNotAllowed):
            allowed_path(settings, wrong)
    with pytest.raises(PathNotAllowed, match="DVSA_ALLOWED_ROOTS"):
        allowed_path(Settings(home=tmp_path), str(inside))


def test_what_interruptions_left_is_swept_and_what_waits_is_not(desk: Desk) -> None:
    tokens = [desk.folder.receive_sentences([UploadedSentence("a dog")]) for _ in range(3)]
    JobQueue(desk.catalogue).add("documents", desk.collection, {"token": tokens[0], "name": "waits"})
    for token in tokens[:2]:
        os.utime(desk.folder.root / "incoming" / token, (0, 0))
    gone = [desk.settings.home / part / "99" for part in ("collections", "uploads")]
    for folder in gone:
        folder.mkdir(parents=True)
    sweep_leftovers(desk.catalogue, desk.settings)
    assert {path.name for path in (desk.folder.root / "incoming").iterdir()} == {tokens[0], tokens[2]}
    assert not any(folder.exists() for folder in gone)
