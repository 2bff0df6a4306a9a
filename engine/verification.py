"""Whether a collection is whole: its database, every byte against its checksum, the index against the catalogue."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.contents import published_photos, published_sentences
from engine.exceptions import IndexDamaged, IndexOutdated, ModelMismatch
from engine.fragments import FragmentIndex
from engine.manifest import read_manifest
from engine.settings import Settings
from engine.snapshot import Snapshot, open_snapshot


@dataclass
class Verification:
    """What was looked at, and what is wrong.

    Attributes:
        collection: its name.
        photos, sentences: that the catalogue holds.
        files, bytes: of the snapshot, all read.
        problems: one sentence each; none where the collection is whole.
    """

    collection: str
    photos: int
    sentences: int
    files: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Differences:
    """How an index differs from the catalogue, ids int64.

    Attributes:
        missing: of the catalogue, and not in the index.
        unknown: of the index, and not in the catalogue.
        unlike: photos of both, with other numbers of boxes and regions.
    """

    missing: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.int64]
    unlike: npt.NDArray[np.int64]

    def sentences(self, kind: str) -> list[str]:
        """Say it in words; `kind` are photos or sentences."""
        said = {
            f"{kind} of the catalogue are not in the index": self.missing,
            f"{kind} of the index are not in the catalogue": self.unknown,
            f"{kind} have other numbers of boxes and regions": self.unlike,
        }
        return [f"{len(ids):,} {what}, the first of id {ids[0]}" for what, ids in said.items() if len(ids)]


def verify_collection(catalogue: Catalogue, collection: str, settings: Settings) -> Verification:
    """Read everything that a collection's searches rest on; changes nothing.

    Raises:
        UnknownCollection: there is no collection of that name.
        CatalogueError: the catalogue cannot be read.
    """
    info = catalogue.collection(collection)
    found = Verification(info.name, info.photos, info.sentences)
    found.problems += catalogue.damage()
    if info.snapshot is None:
        return found
    try:
        directory = settings.snapshot_directory(info.id, info.snapshot)
        manifest = read_manifest(directory)
        found.files = len(manifest.files)
        found.bytes = sum(mark.size for mark in manifest.files.values())
        damaged = [f"{name} does not match its checksum" for name in manifest.damaged_files(directory)]
        found.problems += damaged or _compare(catalogue, info, open_snapshot(directory, info.model_hash))
    except (IndexDamaged, IndexOutdated, ModelMismatch) as error:
        found.problems.append(str(error))
    return found


def compare(
    index: FragmentIndex, catalogued: npt.NDArray[np.int64], boxes: npt.NDArray[np.int64] | None = None
) -> Differences:
    """Compare an index with the catalogue.

    Args:
        index: of photos or of sentences.
        catalogued: ids of the catalogue, ascending.
        boxes: of each photo, their number; None of sentences.
    """
    ids, counts = index.ids(), index.fragment_counts()
    missing, unknown = np.setdiff1d(catalogued, ids), np.setdiff1d(ids, catalogued)
    if boxes is None:
        return Differences(missing, unknown, np.empty(0, np.int64))
    both, places, numbers = np.intersect1d(ids, catalogued, assume_unique=True, return_indices=True)
    return Differences(missing, unknown, both[counts[places] != boxes[numbers]])


def _compare(catalogue: Catalogue, info: CollectionInfo, snapshot: Snapshot) -> list[str]:
    regions, words = snapshot.regions, snapshot.words
    with catalogue.read() as connection:
        photos, boxes = published_photos(connection, info.id)
        sentences = published_sentences(connection, info.id)
    problems = compare(regions, photos, boxes).sentences("photos") + compare(words, sentences).sentences("sentences")
    for kind, counted, index in (("photos", info.photos, regions), ("sentences", info.sentences, words)):
        if counted != len(index):
            problems.append(f"the catalogue counts {counted:,} {kind}, the index holds {len(index):,}")
    return problems
