"""Published states of collections, opened once and kept while they are the newest."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.catalogue import Catalogue, CollectionInfo
from engine.exceptions import EmptyCollection, IndexDamaged
from engine.fragments import FragmentIndex, Kind
from engine.published import open_published
from engine.resources import PLAIN, Resources
from engine.snapshot import Snapshot, open_snapshot


@dataclass(frozen=True)
class View:
    """One published state of a collection, and what is wrong where it is not the newest."""

    info: CollectionInfo
    snapshot: Snapshot
    warning: str | None = None

    def index(self, kind: Kind) -> FragmentIndex:
        """Return the index of photos or of sentences."""
        return self.snapshot.regions if kind == "images" else self.snapshot.words


class Views:
    """Opens views. Thread-safe.

    Args:
        catalogue: what the collections hold.
        home: the folder of the collections' snapshots.
        model_hash: of the model that must have made them.
        resources: what searches may use.
    """

    def __init__(self, catalogue: Catalogue, home: Path, model_hash: str, resources: Resources = PLAIN) -> None:
        self._catalogue, self._home, self._model_hash, self._resources = catalogue, home, model_hash, resources
        self._open: dict[int, View] = {}
        self._opening = threading.Lock()

    def holding(self, collections: Sequence[str], kind: Kind) -> list[View]:
        """Return the newest views of the collections, each once, that hold such items.

        Raises:
            UnknownCollection: a collection does not exist.
            EmptyCollection: none of them holds such items; names the first.
            EngineError: an index is damaged or was made by another model.
        """
        views, empty = [], None
        for name in dict.fromkeys(collections):
            try:
                views.append(self._holding(name, kind))
            except EmptyCollection as error:
                empty = empty or error
        if not views and empty is not None:
            raise empty
        return views

    def changed(self, views: Sequence[View]) -> bool:
        """Say whether a collection has been published anew, or is gone, since these were opened."""
        newest = {info.id: info.snapshot for info in self._catalogue.collections()}
        return any(newest.get(view.info.id) != view.info.snapshot for view in views)

    def step_back(self, views: Sequence[View], damage: Exception) -> bool:
        """Put in the place of one damaged view that of the snapshot before; False where there is none.

        Of several views nobody knows which one is damaged, and those before them may be older for nothing.
        """
        if not isinstance(damage, IndexDamaged) or len(views) != 1 or views[0].warning is not None:
            return False
        with self._opening:
            try:
                self._open[views[0].info.id] = self._view(views[0].info, damage)
            except IndexDamaged:
                return False
        return True

    def _holding(self, name: str, kind: Kind) -> View:
        info = self._catalogue.collection(name)
        if info.snapshot is None:
            raise EmptyCollection(
                f"nothing has been indexed in {name!r} yet; run: dvsa index PATH... --collection {name}"
            )
        view = self._opened(info, info.snapshot)
        if not len(view.index(kind)):
            held = "photos" if kind == "images" else "sentences"
            raise EmptyCollection(f"the collection {name!r} holds no {held}")
        return view

    def _opened(self, info: CollectionInfo, snapshot: str) -> View:
        with self._opening:
            view = self._open.get(info.id)
            if view is None or view.info.snapshot != snapshot:
                held = {one.id for one in self._catalogue.collections()}
                self._open = {
                    number: other for number, other in self._open.items() if number in held
                }  # not the deleted
                view = self._open[info.id] = self._view(info)
            return view

    def _view(self, info: CollectionInfo, damage: IndexDamaged | None = None) -> View:
        def open_one(folder: Path) -> Snapshot:
            return open_snapshot(folder, self._model_hash, self._resources)

        directory = self._home / "collections" / str(info.id)
        found = open_published(self._catalogue, info, directory, open_one, damage)
        return View(info, found.snapshot, found.warning)
