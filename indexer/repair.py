"""Mends a collection: what is whole is kept, what is lost is made again of the files and texts that it came from.

    salvage    whole items of the published snapshot, else of the one before (see engine.salvage); of a whole snapshot
               links, less what the catalogue does not know
    encode     the items that are missing, from their files, if those are as they were when they were indexed, and texts
    publish    a new snapshot under the lock of the writers; ids and everything that the catalogue knows of them stay
    sweep      what killed runs left

Nothing is taken out of the catalogue: what cannot be mended is named, and can be when its file is back.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.contents import published_photos, published_sentences
from engine.encoder import Encoder
from engine.exceptions import IndexDamaged, IndexOutdated, ModelMismatch
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments
from engine.manifest import FORMAT, UPGRADABLE, Manifest, read_manifest
from engine.salvage import whole_items
from engine.settings import Settings
from engine.snapshot import Snapshot, Write, earlier_snapshots, following_name, open_snapshot, write_snapshot
from engine.verification import compare
from indexer.locks import collection_lock, renewal_lock
from indexer.lost_items import LostPhotos, LostSentences
from indexer.mended_rows import keep_mended
from indexer.sweep import sweep_snapshots

Ids = npt.NDArray[np.int64]
KINDS = {"regions": "photos", "words": "sentences"}


@dataclass
class Repair:
    """What was mended, and what was not, a sentence each."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def repair_collection(
    catalogue: Catalogue, name: str, settings: Settings, open_encoder: Callable[[], Encoder]
) -> Repair:
    """Mend what can be mended of a collection.

    Args:
        catalogue: where it is.
        name: of the collection.
        settings: where its snapshots are.
        open_encoder: loads the model; called only where something must be encoded again.

    Raises:
        UnknownCollection: there is none of that name.
        IndexOutdated: its index is in a format that this version does not know.
        CollectionBusy: another process is indexing into it.
        EngineError: the database or the disk cannot be used; the collection is as it was.
    """
    info = catalogue.collection(name)
    with renewal_lock(settings, info), collection_lock(settings, info):
        return _Mending(catalogue, catalogue.collection(name), settings, open_encoder).execute()


@dataclass(frozen=True)
class _Source:
    """A snapshot's folder, and what can be relied on of it."""

    folder: Path
    manifest: Manifest | None


class _Mending:
    def __init__(
        self, catalogue: Catalogue, info: CollectionInfo, settings: Settings, open_encoder: Callable[[], Encoder]
    ) -> None:
        self._catalogue = catalogue
        self._info = info
        self._settings = settings
        self._repair = Repair()
        self._photos = LostPhotos(catalogue, settings, info, open_encoder)
        self._sentences = LostSentences(catalogue, settings, info, open_encoder)

    def execute(self) -> Repair:
        keep_previous = True
        if self._info.snapshot is not None:
            whole = self._open()
            writes = {kind: self._mended(kind, whole) for kind in KINDS}
            if whole is None or any(writes.values()):
                self._publish(whole, {kind: write or _links(whole, kind) for kind, write in writes.items()})
                keep_previous = whole is not None
            elif keep_mended(self._catalogue, self._info, self._info.snapshot, {}):
                self._repair.done.append("the numbers of photos and sentences were counted again")
        self._sweep(keep_previous)
        return self._repair

    @cached_property
    def _sources(self) -> list[_Source]:
        """The published snapshot and those before it, the newest first."""
        assert self._info.snapshot is not None, "what is published has a snapshot"
        directory = self._settings.collection_directory(self._info.id)
        folders = [directory / self._info.snapshot, *earlier_snapshots(directory, self._info.snapshot)]
        found = [_Source(folder, _manifest(folder)) for folder in folders]
        return [source for source in found if not _of_other_model(source.manifest, self._info)]

    def _open(self) -> Snapshot | None:
        """Open the published snapshot if it is whole; else say what is wrong."""
        assert self._info.snapshot is not None, "what is published has a snapshot"
        directory = self._settings.snapshot_directory(self._info.id, self._info.snapshot)
        try:
            snapshot = open_snapshot(directory, self._info.model_hash)
            damaged = snapshot.manifest.damaged_files(directory)
        except (IndexDamaged, IndexOutdated, ModelMismatch) as error:
            if isinstance(error, IndexOutdated) and _manifest(directory) is None:
                raise
            self._repair.done.append(f"written anew, because {str(error).rpartition('; ')[0] or error}")
            return None
        if damaged:
            self._repair.done.append(f"written anew, because files were damaged: {', '.join(damaged)}")
            return None
        return snapshot

    def _mended(self, kind: str, whole: Snapshot | None) -> Write | None:
        """Say how to write the index of a kind; None where it is as the catalogue wants it."""
        with self._catalogue.read() as connection:
            if kind == "regions":
                wanted, counts = published_photos(connection, self._info.id)
            else:
                wanted, counts = published_sentences(connection, self._info.id), None
        if whole is None:
            create, dimension = FaissFragmentIndex.create, self._info.dimension
            return lambda path: create(path, dimension, self._items(kind, wanted, counts, self._sources))
        index = _index(whole, kind)
        found = compare(index, wanted, counts)
        if not found.sentences(KINDS[kind]):
            return None
        if len(found.unknown):
            what = f"{len(found.unknown):,} {KINDS[kind]} of the index that the catalogue does not know were dropped"
            self._repair.done.append(what)
        removed, missing = np.union1d(found.unknown, found.unlike), np.union1d(found.missing, found.unlike)
        expected = counts[np.searchsorted(wanted, missing)] if counts is not None else None
        return lambda path: index.revise(path, removed, self._items(kind, missing, expected, self._sources[1:]))

    def _items(self, kind: str, wanted: Ids, counts: Ids | None, sources: list[_Source]) -> Iterator[Fragments]:
        """Give the wanted items: whole ones of the snapshots, the rest encoded again.

        Args:
            kind: regions or words.
            wanted: ids, ascending.
            counts: of the boxes of each photo; an item with another number of vectors is encoded again.
            sources: where whole items may be, the newest first.
        """
        found = np.zeros(len(wanted), bool)
        for source in sources:
            before = found.sum()
            for piece in whole_items(source.folder, kind, source.manifest, self._info.dimension, wanted[~found]):
                places = np.searchsorted(wanted, piece.ids)
                taken = ~found[places]
                if counts is not None:
                    taken &= np.diff(piece.offsets) == counts[places]
                found[places[taken]] = True
                yield piece.take(np.flatnonzero(taken))
            if found.sum() > before:
                read = f"{found.sum() - before:,} {KINDS[kind]} were taken from the snapshot {source.folder.name}"
                self._repair.done.append(read)
        lost = self._photos if kind == "regions" else self._sentences
        yield from lost.encode(wanted[~found])
        if lost.encoded:
            self._repair.done.append(f"{lost.encoded:,} {KINDS[kind]} were encoded again")
        self._repair.failed += lost.failures

    def _publish(self, whole: Snapshot | None, writes: dict[str, Write]) -> None:
        manifests = [source.manifest for source in self._sources if source.manifest]
        score = manifests[0].score if manifests else self._photos.encoder.score
        name = following_name(self._info.snapshot)
        directory = self._settings.snapshot_directory(self._info.id, name)
        manifest = Manifest(self._info.model_hash, self._info.dimension, score)
        write_snapshot(directory, writes["regions"], writes["words"], manifest, [whole] if whole else [])
        keep_mended(self._catalogue, self._info, name, self._photos.boxes)

    def _sweep(self, keep_previous: bool) -> None:
        info = self._catalogue.collection(self._info.name)
        shutil.rmtree(self._settings.renewal_directory(info.id), ignore_errors=True)
        known = {source.folder.name for source in self._sources} if info.snapshot else set()
        left = sorted(set(sweep_snapshots(self._settings, info, keep_previous)) - known)
        if left:
            self._repair.done.append(f"deleted what a killed run left: {', '.join(left)}")


def _index(snapshot: Snapshot, kind: str) -> FragmentIndex:
    return snapshot.regions if kind == "regions" else snapshot.words


def _links(whole: Snapshot | None, kind: str) -> Write:
    assert whole is not None, "a damaged snapshot is written anew"
    return lambda path: _index(whole, kind).revise(path, np.empty(0, np.int64), ())


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder, (FORMAT, *UPGRADABLE))
    except (IndexDamaged, IndexOutdated):
        return None


def _of_other_model(manifest: Manifest | None, info: CollectionInfo) -> bool:
    return manifest is not None and manifest.model_hash != info.model_hash
