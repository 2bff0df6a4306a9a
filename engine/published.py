"""Opens what is published of a collection; where that is damaged, the snapshot before it.

The snapshot before serves what the catalogue still knows of it: an item's vectors never change, so that it lacks what
was added since, and nothing that was deleted comes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.contents import published_photos, published_sentences
from engine.exceptions import EngineError, IndexDamaged
from engine.snapshot import Snapshot, earlier_snapshots

WARNING = (
    "the newest index of {name!r} is damaged, and the one before it answers, without what was added since; "
    "mend it with: dvsa verify --repair --collection {name}"
)


@dataclass(frozen=True)
class Published:
    """An opened snapshot, and what is wrong where it is not the one that was published last."""

    snapshot: Snapshot
    warning: str | None = None


def open_published(
    catalogue: Catalogue,
    info: CollectionInfo,
    directory: Path,
    open_one: Callable[[Path], Snapshot],
    damage: IndexDamaged | None = None,
) -> Published:
    """Open the newest snapshot that can be.

    Args:
        catalogue: what the collection holds.
        info: the collection, which has been published.
        directory: of its snapshots.
        open_one: opens one by its folder; see open_snapshot.
        damage: of the newest, where a search has met it.

    Raises:
        IndexDamaged: neither the newest nor the one before can be opened; says what is wrong with the newest.
        IndexOutdated, ModelMismatch: of the newest.
    """
    assert info.snapshot is not None, "something is published"
    if damage is None:
        try:
            return Published(open_one(directory / info.snapshot))
        except IndexDamaged as error:
            damage = error
    for folder in earlier_snapshots(directory, info.snapshot)[:1]:
        try:
            earlier = _known(catalogue, info, open_one(folder))
        except EngineError:
            break
        return Published(earlier, WARNING.format(name=info.name))
    raise damage


def _known(catalogue: Catalogue, info: CollectionInfo, snapshot: Snapshot) -> Snapshot:
    """Leave out what the catalogue does not know any more."""
    with catalogue.read() as connection:
        photos, _ = published_photos(connection, info.id)
        sentences = published_sentences(connection, info.id)
    gone = [np.setdiff1d(index.ids(), ids) for index, ids in ((snapshot.regions, photos), (snapshot.words, sentences))]
    return snapshot.without(*gone)
