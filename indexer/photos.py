"""Photos of a run: which are new, renamed or gone; the new ones are decoded, encoded and staged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.catalogue.tables import LIVE, STAGED
from engine.encoder import PhotoFragments
from indexer.captions import NO_CAPTION, PhotoCaption, caption_photo
from indexer.decode import DecodedPhoto, decode_photo
from indexer.pipeline import in_order
from indexer.rows import PhotoRow, photo_rows
from indexer.run import Changes, Run
from indexer.sources import PhotoFile
from indexer.staging import PhotoStage, StagedPhoto
from model.exceptions import PhotoError

NOT_FINITE = "cannot be encoded: the model gave vectors that are not numbers"


@dataclass(frozen=True)
class EncodedPhoto:
    """A photo after encoder and captioner; no fragments where it failed, or where its content is known."""

    decoded: DecodedPhoto
    fragments: PhotoFragments | None = None
    size: tuple[int, int] = (0, 0)
    caption: PhotoCaption = NO_CAPTION


class PhotoStep:
    """Compares the photos of a scan with the collection, and stages what is new."""

    def __init__(self, run: Run, changes: Changes) -> None:
        self._run = run
        self._changes = changes
        with run.catalogue.read() as connection:
            self._live = photo_rows(connection, run.collection.id, LIVE)
            staged = photo_rows(connection, run.collection.id, STAGED)
        self._staged = {path: row for path, row in staged.items() if row.model_hash == run.encoder.model_hash}
        self._gone = {
            path: row
            for path, row in self._live.items()
            if path not in run.scan.photos and run.scan.speaks_for(path, row.root)
        }
        self._renamed = {} if run.rebuild else {row.content_hash: row for row in reversed(self._gone.values())}
        self._live_contents = {} if run.rebuild else {row.content_hash: row for row in self._live.values()}
        # contents whose vectors are at hand, or on their way
        self._known = self._live_contents.keys() | {row.content_hash for row in self._staged.values()}
        self._failed: dict[str, str] = {}
        self._stage = PhotoStage(run)

    def execute(self) -> None:
        """Stage what is new. What was encoded is kept even where the encoder raises or the user interrupts."""
        new = [file for file in self._run.scan.photos.values() if not self._settled(file)]
        try:
            for done, photo in enumerate(self._encoded(new), start=1):
                self._take(photo)
                self._run.progress("photos", done, len(new))
        finally:
            self._stage.flush()
        self._changes.removed_photos |= {row.id for row in self._gone.values()}
        self._run.report.removed += len(self._gone)
        replaced = self._changes.staged_photos & self._live.keys()
        self._changes.removed_photos |= {self._live[path].id for path in replaced}

    def _settled(self, file: PhotoFile) -> bool:
        """Whether size and time of change show that the photo is in the collection, or staged by a run before."""
        live, staged = self._live.get(file.path), self._staged.get(file.path)
        if live is not None and live.looks_like(file) and not self._run.rebuild:
            self._run.report.unchanged += 1
            return True
        if staged is not None and staged.looks_like(file):
            self._changes.staged_photos.add(file.path)
            self._run.report.added += 1
            return True
        return False

    def _encoded(self, files: list[PhotoFile]) -> Iterator[EncodedPhoto]:
        """Decode, encode and caption in threads, in order; each content once."""
        run = self._run
        window = run.workers + 1  # photos of 100 megapixels take 300 MB each

        def decode(file: PhotoFile) -> DecodedPhoto:
            return decode_photo(file, self._known, run.settings.max_pixels)

        decoded = in_order(decode, files, run.workers, window)
        return in_order(self._encode, self._each_content_once(decoded), run.workers, window)

    def _each_content_once(self, photos: Iterable[DecodedPhoto]) -> Iterator[DecodedPhoto]:
        for photo in photos:
            if photo.content_hash in self._known:
                yield replace(photo, pixels=None)
                continue
            if photo.pixels is not None:
                self._known.add(photo.content_hash)
            yield photo

    def _encode(self, photo: DecodedPhoto) -> EncodedPhoto:
        if photo.pixels is None:
            return EncodedPhoto(photo)
        height, width = photo.pixels.shape[:2]
        without_pixels = replace(photo, pixels=None)
        try:
            fragments = self._run.encoder.encode_photo(photo.pixels)
        except PhotoError as error:
            return EncodedPhoto(replace(without_pixels, failure=str(error)))
        if not np.isfinite(fragments.vectors).all():
            return EncodedPhoto(replace(without_pixels, failure=NOT_FINITE))
        caption = caption_photo(self._run.captioner, fragments)
        return EncodedPhoto(without_pixels, replace(fragments, features=None), (width, height), caption)

    def _take(self, photo: EncodedPhoto) -> None:
        """Decide what becomes of a photo that was read."""
        file, content_hash = photo.decoded.file, photo.decoded.content_hash
        failure = photo.decoded.failure or self._failed.get(content_hash)
        live = self._live.get(file.path)
        if failure is not None:
            self._fail(photo, failure)
        elif photo.fragments is not None:
            taken_at = photo.decoded.taken_at
            self._add(StagedPhoto(file, content_hash, photo.size, photo.fragments, photo.caption, taken_at))
        elif live is not None and live.content_hash == content_hash and not self._run.rebuild:
            self._changes.moved_photos[live.id] = file  # only its time of change is new
            self._run.report.unchanged += 1
        elif live is None and content_hash in self._renamed:
            self._move(self._renamed.pop(content_hash), file)
        else:
            copied = self._stage.copy(file, content_hash, self._live_contents.get(content_hash))
            self._add(replace(copied, taken_at=photo.decoded.taken_at))

    def _add(self, photo: StagedPhoto) -> None:
        self._stage.add(photo)
        self._changes.staged_photos.add(photo.file.path)
        self._run.report.added += 1
        self._run.report.captioned += photo.caption.text is not None
        if photo.caption.failure is not None:
            self._run.report.leave_uncaptioned(photo.file.path, photo.caption.failure)

    def _move(self, row: PhotoRow, file: PhotoFile) -> None:
        del self._gone[row.path]
        self._changes.moved_photos[row.id] = file
        self._run.report.moved += 1

    def _fail(self, photo: EncodedPhoto, failure: str) -> None:
        """Count a photo that cannot be indexed; what the collection holds stays only where the file may be the same."""
        decoded = photo.decoded
        self._run.report.skip(decoded.file.path, failure)
        if decoded.content_hash:
            self._failed[decoded.content_hash] = failure
        live = self._live.get(decoded.file.path)
        if live is not None and (self._run.rebuild or not decoded.unreadable):
            self._gone[live.path] = live
