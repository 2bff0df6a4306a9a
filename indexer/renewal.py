"""Renews a collection's index: searches and changes go on while its items are written anew.

    1. pin        the published snapshot is linked aside, so that no other run can sweep it
    2. renew      its items are written anew beside it, with a new codebook where that is called for; this takes minutes
                  for a million photos, and holds up nobody
    3. publish    under the lock of the writers: what came or went in the meantime is done to the renewed index, and
                  the catalogue names it; this takes seconds

Killed at any moment, it leaves a folder that the next renewal deletes. Ids never change and an item's vectors neither,
so that the ids alone say what has come and gone.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import update

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.tables import Collection
from engine.exceptions import CollectionBusy
from engine.fragments import FragmentIndex
from engine.segments import NONE
from engine.settings import Settings
from engine.snapshot import Snapshot, Write, following_name, open_snapshot, write_snapshot
from indexer.locks import collection_lock, renewal_lock
from indexer.report import Progress
from indexer.sweep import sweep_snapshots

KINDS = {"regions": "photos", "words": "sentences"}  # folders of a snapshot, and what each holds


def renew_index(catalogue: Catalogue, name: str, settings: Settings, progress: Progress) -> list[str]:
    """Write a collection's index anew where its searches would gain by it.

    Args:
        catalogue: where the collection is.
        name: of the collection.
        settings: where its snapshots are.
        progress: told (stage, done, of how many).

    Returns:
        What was renewed and why, a sentence each; none where nothing was due, or another process is at it.

    Raises:
        EngineError: the index cannot be read or written; the collection is as it was.
    """
    info = catalogue.collection(name)
    if info.snapshot is None:
        return []
    try:
        with renewal_lock(settings, info):
            return _Renewal(catalogue, catalogue.collection(name), settings).execute(progress)
    except CollectionBusy:
        return []


class _Renewal:
    def __init__(self, catalogue: Catalogue, info: CollectionInfo, settings: Settings) -> None:
        self._catalogue = catalogue
        self._info = info
        self._settings = settings
        self._aside = settings.renewal_directory(info.id)

    def execute(self, progress: Progress) -> list[str]:
        shutil.rmtree(self._aside, ignore_errors=True)
        snapshot = self._published(self._info)
        reasons = {kind: _index(snapshot, kind).ageing() for kind in KINDS}
        due = [f"{KINDS[kind]}: {reason}" for kind, reason in reasons.items() if reason]
        if not due:
            return []
        progress("renew", 0, 1)
        try:
            pinned = self._write(self._aside / "pinned", {kind: _linked(snapshot, kind) for kind in KINDS}, [snapshot])
            anew = {kind: _index(pinned, kind).renew if reasons[kind] else _linked(pinned, kind) for kind in KINDS}
            renewed = self._write(self._aside / "renewed", anew, [pinned])
            with collection_lock(self._settings, self._info):
                published = self._publish(renewed)
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)
        progress("renew", 1, 1)
        return due if published else []

    def _publish(self, renewed: Snapshot) -> bool:
        """Put the renewed index in the place of the published one; False where that is of another model by now."""
        info = self._catalogue.collection(self._info.name)
        if info.snapshot is None or info.model_hash != self._info.model_hash:
            return False
        newest = self._published(info)
        name = following_name(info.snapshot)
        writes = {kind: _changed(_index(renewed, kind), _index(newest, kind)) for kind in KINDS}
        self._write(self._settings.snapshot_directory(info.id, name), writes, [renewed, newest])
        with self._catalogue.write() as connection:
            connection.execute(update(Collection).where(Collection.id == info.id).values(snapshot=name))
        sweep_snapshots(self._settings, replace(info, snapshot=name))
        return True

    def _published(self, info: CollectionInfo) -> Snapshot:
        assert info.snapshot is not None, "only what is published can be renewed"
        return open_snapshot(self._settings.snapshot_directory(info.id, info.snapshot), info.model_hash)

    def _write(self, directory: Path, writes: dict[str, Write], sources: list[Snapshot]) -> Snapshot:
        manifest = sources[-1].manifest
        write_snapshot(directory, writes["regions"], writes["words"], manifest, sources)
        return open_snapshot(directory, manifest.model_hash)


def _index(snapshot: Snapshot, kind: str) -> FragmentIndex:
    return snapshot.regions if kind == "regions" else snapshot.words


def _linked(snapshot: Snapshot, kind: str) -> Write:
    return lambda path: _index(snapshot, kind).revise(path, NONE, ())


def _changed(renewed: FragmentIndex, newest: FragmentIndex) -> Callable[[Path], FragmentIndex]:
    """Do to a renewed index what was done to the published one in the meantime."""
    gone = np.setdiff1d(renewed.ids(), newest.ids(), assume_unique=True)
    come = np.setdiff1d(newest.ids(), renewed.ids(), assume_unique=True)
    return lambda path: renewed.revise(path, gone, newest.pieces(come))
