"""Captions of a run: of new photos while they are encoded, and of published photos that lack one, afterwards."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import or_, select, update

from engine.captioner import PhotoCaptioner
from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import LIVE, Photo
from engine.encoder import PhotoFragments
from indexer.decode import decode_photo
from indexer.pipeline import in_order
from indexer.run import Run
from model.exceptions import PhotoError

CHANGED = "has changed since it was indexed"


@dataclass(frozen=True)
class PhotoCaption:
    """What a captioner made of a photo.

    Attributes:
        text: the caption; None where there is none.
        captioner_hash: of the captioner that made it.
        failure: why there is none, as a sentence; None where nothing is wrong.
    """

    text: str | None = None
    captioner_hash: str | None = None
    failure: str | None = None


NO_CAPTION = PhotoCaption()


def caption_photo(captioner: PhotoCaptioner | None, fragments: PhotoFragments) -> PhotoCaption:
    """Caption an encoded photo; what is wrong is a result, so that a photo without caption is indexed still."""
    if captioner is None:
        return NO_CAPTION
    try:
        text = captioner.caption(fragments).text
    except Exception as error:  # one photo of a batch; the report names it
        return PhotoCaption(failure=" ".join(str(error).split()) or type(error).__name__)
    return PhotoCaption(text, captioner.name)


@dataclass(frozen=True)
class _Content:
    """Published photos of the same bytes that lack a caption, ids by path."""

    content_hash: str
    ids: dict[str, int]


class CaptionStep:
    """Captions the published photos of a scan that have no caption, or one of another captioner.

    Each caption is kept as soon as it is made, so that an interrupted run loses none.
    """

    def __init__(self, run: Run, captioner: PhotoCaptioner) -> None:
        self._run = run
        self._captioner = captioner

    def execute(self) -> None:
        """Copy the captions that photos of the same bytes have, and make the others."""
        contents = self._contents()
        known = self._known(contents)
        for content_hash in known.keys() & contents.keys():
            self._keep(contents.pop(content_hash), PhotoCaption(known[content_hash], self._captioner.name))
        window = self._run.workers + 1  # as in indexer.photos
        captioned = in_order(self._caption, contents.values(), self._run.workers, window)
        for done, (content, caption) in enumerate(zip(contents.values(), captioned, strict=True), start=1):
            self._keep(content, caption)
            self._run.progress("captions", done, len(contents))

    def _contents(self) -> dict[str, _Content]:
        """Return what lacks a caption by content hash; what this run could not read or caption is not tried again."""
        run = self._run
        failed = {item.name for item in (*run.report.uncaptioned_items, *run.report.skipped_items)}
        lacks = or_(Photo.captioner_hash.is_(None), Photo.captioner_hash != self._captioner.name)
        here = (Photo.collection_id == run.collection.id, Photo.state == LIVE)
        query = select(Photo.id, Photo.path, Photo.content_hash).where(*here, lacks).order_by(Photo.id)
        found: dict[str, dict[str, int]] = defaultdict(dict)
        with run.catalogue.read() as connection:
            for row in connection.execute(query):
                if row.path in run.scan.photos and row.path not in failed:
                    found[row.content_hash][row.path] = row.id
        return {content_hash: _Content(content_hash, ids) for content_hash, ids in found.items()}

    def _known(self, contents: dict[str, _Content]) -> dict[str, str]:
        """Return the captions of this captioner that photos of the same bytes have, by content hash."""
        if not contents:
            return {}
        query = select(Photo.content_hash, Photo.caption).where(
            Photo.collection_id == self._run.collection.id,
            Photo.state == LIVE,
            Photo.captioner_hash == self._captioner.name,
        )
        with self._run.catalogue.read() as connection:
            return {row.content_hash: row.caption for row in connection.execute(query)}

    def _caption(self, content: _Content) -> PhotoCaption:
        """Decode, encode and caption the first of the photos that can be read."""
        failure = ""
        for path in content.ids:
            photo = decode_photo(self._run.scan.photos[path], (), self._run.settings.max_pixels)
            if photo.pixels is None or photo.content_hash != content.content_hash:
                failure = photo.failure or CHANGED
                continue
            try:
                fragments = self._run.encoder.encode_photo(photo.pixels)
            except PhotoError as error:
                return PhotoCaption(failure=str(error))
            return caption_photo(self._captioner, fragments)
        return PhotoCaption(failure=failure)

    def _keep(self, content: _Content, caption: PhotoCaption) -> None:
        if caption.text is None:
            for path in content.ids:
                self._run.report.leave_uncaptioned(path, caption.failure or "")
            return
        values = {"caption": caption.text, "captioner_hash": caption.captioner_hash}
        with self._run.catalogue.write() as connection:
            for chunk in chunks(list(content.ids.values())):
                connection.execute(update(Photo).where(Photo.id.in_(chunk)).values(values))
        self._run.report.captioned += len(content.ids)
