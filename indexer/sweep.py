"""What is deleted of a collection's folder: snapshots that were replaced, and what killed runs left."""

import shutil

from engine.catalogue import CollectionInfo
from engine.settings import Settings
from engine.snapshot import earlier_snapshots


def sweep_snapshots(settings: Settings, collection: CollectionInfo, keep_previous: bool = True) -> list[str]:
    """Delete the snapshots that the catalogue does not name, other than the one before, which is kept against damage.

    Args:
        settings: where the collection is.
        collection: as it was published last.
        keep_previous: False after a rebuild, whose ids and model are others.

    Returns:
        The names of what was deleted.
    """
    directory = settings.collection_directory(collection.id)
    kept = {collection.snapshot}
    if keep_previous and collection.snapshot is not None:
        kept |= {path.name for path in earlier_snapshots(directory, collection.snapshot)[:1]}
    swept = sorted(entry.name for entry in directory.iterdir() if entry.name not in kept)
    for name in swept:
        shutil.rmtree(directory / name, ignore_errors=True)  # what is left is swept by the next run
    return swept
