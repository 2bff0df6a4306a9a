"""What the routes work with: catalogue, search, model, captioners, and the threads that they run in."""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Event
from typing import Annotated, Protocol

import numpy as np
import numpy.typing as npt
from fastapi import Depends, Request
from PIL import Image, UnidentifiedImageError

from api.http.metrics import Metrics
from api.http.shared_pass import SharedPass
from api.http.work import WorkQueue
from engine.captioner import PhotoCaptioner, RegionCaption
from engine.catalogue import Catalogue, PhotoInfo
from engine.catalogue.keys import ApiKeys
from engine.encoder import Encoder, PhotoFragments
from engine.exceptions import PhotoGone
from engine.resources import resources_of
from engine.search import SearchService
from engine.settings import Settings
from engine.suggestions import Suggestions
from indexer.queue import JobQueue
from model.exceptions import PhotoError
from model.photo import PHOTO_FORMATS, load_photo

DISK_THREADS = 8
DISK_QUEUE = 200  # pages ask for many small photos at once
WATCHERS = 100  # of jobs; each looks into the catalogue twice a second


class RegionCaptioner(Protocol):
    """Puts the regions of photos into words. Thread-safe."""

    def captions(self, photo: PhotoFragments) -> list[RegionCaption]:
        """Caption the regions of a photo, the likeliest first.

        Raises:
            CaptionError: the photo has no regions.
        """
        ...


@dataclass(frozen=True)
class StoredPhoto:
    """The bytes of a photo that the catalogue holds, as they were indexed, and their media type."""

    info: PhotoInfo
    data: bytes
    media_type: str


class Service:
    """The parts of a running service.

    `watchers` are places for those who watch jobs; `stopping` is set when the server is told to end.

    Args:
        settings: limits of uploads and of work.
        catalogue: what the collections hold.
        encoder: the model.
        captioner: of photos; None: no photo is captioned.
        region_captioner: of regions, likewise.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        encoder: Encoder,
        captioner: PhotoCaptioner | None = None,
        region_captioner: RegionCaptioner | None = None,
    ) -> None:
        self.settings, self.catalogue, self.encoder = settings, catalogue, encoder
        self.captioner, self.region_captioner = captioner, region_captioner
        self.search = SearchService(catalogue, settings.home.absolute(), encoder, captioner, resources_of(settings))
        self.keys = ApiKeys(catalogue)
        self.metrics = Metrics(encoder.model_hash)
        self.sentences = SharedPass(encoder, self.metrics.texts_of_pass.observe)
        self.suggestions = Suggestions(catalogue, encoder.known_words)
        self.model_work = WorkQueue(settings.request_threads, settings.request_queue)
        self.disk_work = WorkQueue(DISK_THREADS, DISK_QUEUE)
        self.jobs = JobQueue(catalogue)
        self.watchers = BoundedSemaphore(WATCHERS)
        self.stopping = Event()
        self.metrics.watch(catalogue, {"model": self.model_work, "disk": self.disk_work})

    def stored_photo(self, photo_id: int) -> StoredPhoto:
        """Read a photo that the catalogue holds, if its file is still the one that was indexed.

        Raises:
            UnknownPhoto: there is none of that id.
            PhotoGone: the file is gone or is another one now.
        """
        info = self.catalogue.photo(photo_id)
        try:
            data = Path(info.path).read_bytes()
        except OSError as error:
            raise _gone(photo_id) from error
        if hashlib.sha256(data).hexdigest() != info.content_hash:
            raise _gone(photo_id)
        return StoredPhoto(info, data, _media_type(data))

    def stored_pixels(self, photo_id: int) -> npt.NDArray[np.uint8]:
        """Decode a photo that the catalogue holds: upright RGB, uint8 (height, width, 3); see `stored_photo`."""
        return self.decode(self.stored_photo(photo_id).data)

    def decode(self, data: bytes) -> npt.NDArray[np.uint8]:
        """Decode a photo: upright RGB, uint8 (height, width, 3).

        Raises:
            PhotoError: it is none, or has more pixels than the settings allow.
        """
        try:
            return load_photo(data, self.settings.max_pixels)
        except PhotoError as error:
            raise PhotoError(f"the photo {error}") from error

    def close(self) -> None:
        """Finish the work that runs and close the catalogue."""
        self.sentences.close()
        self.model_work.close()
        self.disk_work.close()
        self.catalogue.close()


def load_service(settings: Settings) -> Service:
    """Load the model and the captioners, and open the catalogue.

    Raises:
        CheckpointError: a checkpoint cannot be used.
        CatalogueError: the catalogue cannot be opened.
    """
    import torch

    from api.session import open_captioner, open_region_captioner
    from engine.encoder import load_encoder

    # requests work side by side, each on its share of the cores: sharing every core makes all of them slower
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // settings.request_threads))
    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    captioner, region_captioner = open_captioner(settings, encoder), open_region_captioner(settings, encoder)
    return Service(settings, Catalogue(settings.catalogue_url), encoder, captioner, region_captioner)


def _service(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


ServiceOfApp = Annotated[Service, Depends(_service)]


def _gone(photo_id: int) -> PhotoGone:
    return PhotoGone(f"the file of photo {photo_id} is not the one that was indexed; run dvsa index again")


def _media_type(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as image:
            return Image.MIME[image.format or ""]
    except (UnidentifiedImageError, OSError, KeyError) as error:
        raise PhotoError("the photo cannot be read") from error
