"""Run by the tests in a process of its own: index a folder and die, or run out of disk, at a named point.

The points:

    photo:N, sentence:N     when the encoder is given the Nth photo, or a text of the Nth call
    writing                 while the new snapshot is being written aside
    written                 after the new snapshot has its name, before the catalogue's transaction
    committing              within the catalogue's transaction, all rows changed
    committed               after the transaction, before the old snapshot is deleted
    full:staging            the disk is full (no file may grow beyond 150 kB) while photos are staged
    full:writing            the disk is full while the new snapshot is written
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import engine.snapshot
import indexer.commit
import indexer.publish
from engine.encoder import PhotoFragments, SentenceFragments
from engine.settings import Settings
from indexer.index import index_paths
from model.exceptions import DvsaError
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

FILE_LIMITS = {"full:staging": 150_000, "full:writing": 2_000}


def die(*_arguments: object, **_options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk(limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def before(action: Callable[..., None], function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any) -> Any:
        action()
        return function(*arguments)

    return wrapped


class DyingEncoder(TinyEncoder):
    """Kills its process at the Nth photo, or at the Nth call with sentences."""

    def __init__(self, kind: str, number: int) -> None:
        super().__init__()
        self._left = {kind: number}

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        self._count("photo")
        return super().encode_photo(photo)

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        self._count("sentence")
        return super().encode_sentences(texts)

    def _count(self, kind: str) -> None:
        with self._lock:
            self._left[kind] = self._left.get(kind, 0) - 1
            if self._left[kind] == 0:
                die()


def arrange(point: str) -> None:
    """Put the end in the way of one step of publishing."""
    publish: Any = indexer.publish
    if point == "writing":
        engine.snapshot.__dict__["_sync"] = die
    elif point == "written":
        publish.commit = die
    elif point == "committing":
        indexer.commit.__dict__["_name_snapshot"] = die
    elif point == "committed":
        publish.sweep_snapshots = die
    elif point == "full:writing":
        publish.write_snapshot = before(lambda: fill_disk(FILE_LIMITS[point]), publish.write_snapshot)
    elif point == "full:staging":
        fill_disk(FILE_LIMITS[point])


def main(home: str, database_url: str | None, folder: str, point: str, errors: str) -> None:
    """Index until the point; an error of ours is written to the file `errors`."""
    kind, _, number = point.partition(":")
    encoder = DyingEncoder(kind, int(number)) if number.isdigit() else TinyEncoder()
    arrange(point)
    try:
        settings = Settings(home=Path(home), database_url=database_url, workers=2)
        index_paths([Path(folder)], "test", encoder, settings, captioner=TinyCaptioner())
    except DvsaError as error:
        Path(errors).write_text(str(error))
        sys.exit(1)
