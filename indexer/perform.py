"""Does what jobs ask for: each kind of job is a scan, which the indexer executes as it does any other."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.jobs import JobInfo
from engine.catalogue.tables import LIVE, JobKind
from engine.encoder import Encoder
from engine.exceptions import UnknownCollection
from engine.settings import Settings
from indexer.index import execute
from indexer.report import IndexReport, Progress, Skipped
from indexer.requests import DeleteRequest, DocumentRequest, IndexRequest, UploadRequest, allowed_folders, allowed_path
from indexer.rows import photo_rows
from indexer.run import Run
from indexer.scan import scan_paths
from indexer.sources import Description, Scan, SourceSentence
from indexer.uploads import UploadFolder, read_sentences

SHOWN = 100  # items that a job's report names one by one


@dataclass(frozen=True)
class Models:
    """What encodes, and what captions photos, if anything does."""

    encoder: Encoder
    captioner: PhotoCaptioner | None


@dataclass(frozen=True)
class Work:
    """A job that is done now.

    Attributes:
        collection: that the job belongs to.
        request: what the job was asked to do.
        progress: told how far it is; what it raises ends the job.
    """

    catalogue: Catalogue
    settings: Settings
    models: Models
    collection: CollectionInfo
    request: dict[str, Any]
    progress: Progress

    @property
    def folder(self) -> UploadFolder:
        """Where uploads into the collection lie."""
        return UploadFolder(self.settings, self.collection.id)

    def new_scan(self) -> Scan:
        """Return a scan that has found nothing yet and speaks for nothing."""
        return Scan(IndexReport(self.collection.name), self.settings.language)

    def execute(self, scan: Scan, captions: bool = True) -> None:
        """Make the collection what a scan found."""
        captioner = self.models.captioner if captions else None
        run = Run(
            self.catalogue, self.collection, self.models.encoder, captioner, self.settings, scan, False, self.progress
        )
        execute(run)


def perform(
    job: JobInfo,
    request: dict[str, Any],
    catalogue: Catalogue,
    settings: Settings,
    models: Models,
    progress: Progress,
) -> dict[str, Any]:
    """Do a job; returns its report as JSON values, which say nothing of the server's folders.

    Raises:
        EngineError: see engine.exceptions; the collection is as it was.
    """
    collection = catalogue.collection(job.collection)
    if collection.id != job.collection_id:
        raise UnknownCollection(f"the collection {job.collection!r} was deleted")
    return _KINDS[job.kind](Work(catalogue, settings, models, collection, request, progress))


def _index(work: Work) -> dict[str, Any]:
    asked = IndexRequest(**work.request)
    path = allowed_path(work.settings, asked.path)  # again: links may have changed since
    report = IndexReport(work.collection.name)
    scan = scan_paths([Path(path)], report, None, work.settings.language, allowed_folders(work.settings))
    work.execute(scan, asked.captions)
    return _report(report, {path: Path(path).name})


def _upload(work: Work) -> dict[str, Any]:
    asked = UploadRequest.of(work.request)
    scan = work.new_scan()
    for refusal in asked.refused:
        scan.report.seen += 1
        scan.report.skip(refusal.name, refusal.reason)
    places = map(str, work.folder.place_photos(asked.token, asked.photos))
    names = {path: photo.name for path, photo in zip(places, asked.photos, strict=True)}
    for path, name in names.items():
        scan.add_photo(path, str(work.folder.root))
        scan.descriptions[path] = Description(name, asked.tags, asked.attributes)
    work.execute(scan)
    with work.catalogue.read() as connection:
        held = photo_rows(connection, work.collection.id, LIVE)
    work.folder.remove(names.keys() - held.keys())  # what was no photo after all
    return _report(scan.report, names)


def _documents(work: Work) -> dict[str, Any]:
    asked = DocumentRequest(**work.request)
    scan = work.new_scan()
    path = work.folder.place_document(asked.token)
    sentences = [SourceSentence(sentence.text, sentence.photo) for sentence in read_sentences(path)]
    scan.add_document(str(path), str(work.folder.root), sentences, asked.name)
    work.execute(scan)
    return _report(scan.report, {str(path): asked.name})


def _delete(work: Work) -> dict[str, Any]:
    asked = DeleteRequest(**work.request)
    scan = work.new_scan()
    scan.roots.update(asked.paths)  # of which the scan finds nothing
    work.execute(scan)
    work.folder.remove(asked.paths)
    return _report(scan.report, {})


_KINDS: dict[JobKind, Callable[[Work], dict[str, Any]]] = {
    "index": _index,
    "upload": _upload,
    "documents": _documents,
    "delete": _delete,
}


def _report(report: IndexReport, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a report with names that the client knows, by the paths that they stand for."""

    def shown(item: Skipped) -> Skipped:
        for path, name in names.items():
            if item.name.startswith(path):
                return Skipped(name + item.name.removeprefix(path), item.reason)
        return Skipped(Path(item.name).name, item.reason)

    document = asdict(report)
    for items in ("skipped_items", "uncaptioned_items"):
        document[items] = [asdict(shown(item)) for item in getattr(report, items)[:SHOWN]]
    return document
