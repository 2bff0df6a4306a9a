"""Staged photos: committed in batches with their boxes and vectors, so that an interrupted run loses at most one."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import delete, insert, select

from engine.catalogue.tables import STAGED, Photo, Region
from engine.encoder import PhotoFragments
from indexer.captions import NO_CAPTION, PhotoCaption
from indexer.rows import PhotoRow, box_rows, from_blob, to_blob
from indexer.run import Run
from indexer.sources import PhotoFile

BATCH = 32  # photos in one transaction: some 4 s of encoding


@dataclass(frozen=True)
class StagedPhoto:
    """A photo that is ready for the catalogue; `size` is (width, height) in pixels, `taken_at` what its EXIF says."""

    file: PhotoFile
    content_hash: str
    size: tuple[int, int]
    fragments: PhotoFragments
    caption: PhotoCaption = NO_CAPTION
    taken_at: datetime | None = None


class PhotoStage:
    """Collects photos into batches and commits them as staged rows."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._batch: list[StagedPhoto] = []

    def add(self, photo: StagedPhoto) -> None:
        """Stage a photo; a full batch is committed."""
        self._batch.append(photo)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Commit the photos that were added, replacing what an earlier run staged at their paths."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        collection_id = self._run.collection.id
        staged_here = (Photo.collection_id == collection_id, Photo.state == STAGED)
        with self._run.catalogue.write() as connection:
            connection.execute(delete(Photo).where(*staged_here, Photo.path.in_([p.file.path for p in batch])))
            statement = insert(Photo).returning(Photo.id, sort_by_parameter_order=True)
            ids = connection.execute(statement, [self._row(photo) for photo in batch]).scalars().all()
            photos = zip(ids, batch, strict=True)
            connection.execute(
                insert(Region), [row for i, photo in photos for row in box_rows(i, photo.fragments.boxes)]
            )

    def copy(self, file: PhotoFile, content_hash: str, live: PhotoRow | None) -> StagedPhoto:
        """Take vectors and caption of the same content from the batch, from a published photo, or from a staged one."""
        for photo in self._batch:
            if photo.content_hash == content_hash:
                return replace(photo, file=file)
        if live is None:
            return self._copy_staged(file, content_hash)
        run = self._run
        assert run.previous is not None, "what is published has a snapshot"
        info = run.catalogue.photos([live.id])[live.id]
        vectors = run.previous.regions.fragments(np.array([live.id], np.int64)).vectors
        fragments = PhotoFragments(run.catalogue.regions([live.id])[live.id], vectors)
        caption = PhotoCaption(info.caption, info.captioner_hash)
        return StagedPhoto(file, content_hash, (info.width, info.height), fragments, caption)

    def _copy_staged(self, file: PhotoFile, content_hash: str) -> StagedPhoto:
        run = self._run
        columns = (Photo.id, Photo.width, Photo.height, Photo.vectors, Photo.caption, Photo.captioner_hash)
        query = select(*columns).where(
            Photo.collection_id == run.collection.id,
            Photo.state == STAGED,
            Photo.content_hash == content_hash,
            Photo.model_hash == run.encoder.model_hash,
        )
        with run.catalogue.read() as connection:
            staged = connection.execute(query.limit(1)).one()
        assert staged.vectors is not None, "a staged row carries its vectors"
        fragments = PhotoFragments(
            run.catalogue.regions([staged.id])[staged.id], from_blob(staged.vectors, run.encoder.dimension)
        )
        caption = PhotoCaption(staged.caption, staged.captioner_hash)
        return StagedPhoto(file, content_hash, (staged.width, staged.height), fragments, caption)

    def _row(self, photo: StagedPhoto) -> dict[str, object]:
        return {
            "collection_id": self._run.collection.id,
            "state": STAGED,
            "path": photo.file.path,
            "root": photo.file.root,
            "size": photo.file.size,
            "mtime_ns": photo.file.mtime_ns,
            "content_hash": photo.content_hash,
            "model_hash": self._run.encoder.model_hash,
            "width": photo.size[0],
            "height": photo.size[1],
            "caption": photo.caption.text,
            "captioner_hash": photo.caption.captioner_hash,
            "taken_at": photo.taken_at,
            "vectors": to_blob(photo.fragments.vectors),
        }
