"""The doors of the indexer: paths, or what a job asks for, in; a published collection and a report out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue
from engine.catalogue.tables import LIVE
from engine.encoder import Encoder
from engine.exceptions import BadRequest, SourceError, UnknownCollection
from engine.settings import Settings
from indexer.captions import CaptionStep
from indexer.locks import collection_lock
from indexer.photos import PhotoStep
from indexer.publish import publish
from indexer.renewal import renew_index
from indexer.report import IndexReport, Progress
from indexer.rows import document_rows, photo_rows
from indexer.run import Changes, Run, check_model, open_collection
from indexer.scan import scan_paths
from indexer.sentences import DocumentStep
from indexer.sources import Scan, is_storable
from indexer.stored_uploads import add_uploads
from indexer.sweep import sweep_snapshots


def index_paths(
    paths: Sequence[Path],
    collection: str,
    encoder: Encoder,
    settings: Settings,
    rebuild: bool = False,
    progress: Progress | None = None,
    images: Path | None = None,
    captioner: PhotoCaptioner | None = None,
) -> IndexReport:
    """Make a collection hold what is at the paths: encode what is new or changed, drop what is gone.

    What the collection holds from other paths stays. Nothing that was published changes before the end, and behind it
    the photos that were published without a caption get theirs; an interrupted run is continued by the next. Last, the
    index is renewed where that is due, while others may change the collection again (see indexer.renewal).

    Args:
        paths: folders of photos and texts, photos, text files, CSV/TSV tables, datasets (see model.datasets).
        collection: its name; made where there is none.
        encoder: the model.
        settings: where the collection is.
        rebuild: encode everything again, for another model or a damaged index; paths must be all that it holds besides
            what was uploaded.
        progress: told (stage, done, of how many).
        images: folder of the photos that a dataset's JSON names; None is where the JSON says.
        captioner: gives each photo a caption that has none of its own; None gives new photos none.

    Raises:
        EngineError: see engine.exceptions; the collection is as it was.
    """
    if not collection.strip() or not is_storable(collection):
        raise BadRequest("a collection needs a name")
    report = IndexReport(collection)
    uploads_only = rebuild and not paths
    scan = Scan(report, settings.language) if uploads_only else scan_paths(paths, report, images, settings.language)
    catalogue = Catalogue(settings.catalogue_url)
    try:
        info = open_collection(catalogue, collection, encoder)
        execute(Run(catalogue, info, encoder, captioner, settings, scan, rebuild, progress or _no_progress))
    finally:
        catalogue.close()
    return scan.report


def execute(run: Run) -> None:
    """Make the collection of a run what its scan found, and fill its report.

    Raises:
        UnknownCollection: the collection is gone.
        CollectionBusy: another process is indexing into it.
        EngineError: see engine.exceptions; the collection is as it was.
    """
    check_model(run.collection, run.encoder, run.rebuild)
    with collection_lock(run.settings, run.collection):
        newest = run.catalogue.collection(run.collection.name)  # another run may have published in between
        if newest.id != run.collection.id:
            raise UnknownCollection(f"the collection {newest.name!r} was deleted")
        _execute(replace(run, collection=newest))
    run.report.renewed = renew_index(run.catalogue, newest.name, run.settings, run.progress)


def _execute(run: Run) -> None:
    check_model(run.collection, run.encoder, run.rebuild)
    sweep_snapshots(run.settings, run.collection)
    if run.rebuild:
        add_uploads(run.scan, run.catalogue, run.collection, run.settings)
        with run.catalogue.read() as connection:
            _check_rebuild(connection, run)
    changes = Changes()
    PhotoStep(run, changes).execute()
    DocumentStep(run, changes).execute()
    publish(run, changes)
    if run.captioner is not None:
        CaptionStep(run, run.captioner).execute()


def _check_rebuild(connection: Connection, run: Run) -> None:
    """Refuse a rebuild that would lose what came from other paths: their vectors are of no use any more."""
    photos = photo_rows(connection, run.collection.id, LIVE).values()
    documents = document_rows(connection, run.collection.id, LIVE).values()
    rows = [(row.path, row.root) for row in photos] + [(row.path, row.root) for row in documents]
    roots = {root for path, root in rows if not run.scan.speaks_for(path, root)}
    if roots:
        raise SourceError(
            f"the collection {run.collection.name!r} also holds what came from {', '.join(sorted(roots))}; "
            "to rebuild it, name these paths too, and see that they can be read"
        )


def _no_progress(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
