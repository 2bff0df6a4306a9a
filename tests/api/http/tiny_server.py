"""A server over the tiny encoder, run as a process: `python -m tests.api.http.tiny_server HOME [keys]`.

With `keys` it asks for API keys. A text with the word "slowly" takes SLOW seconds. One request works at a time and one
more may wait.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from api.http.app import create_app
from api.http.logs import log_to_stderr
from api.http.service import Service
from engine.captioner import RegionCaption
from engine.catalogue import Catalogue
from engine.encoder import PhotoFragments, SentenceFragments
from engine.settings import Settings
from model.captions.caption import Caption
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

SLOW = 2.0  # seconds
MAX_UPLOAD = 200_000  # bytes
MAX_TOTAL = 1_000_000  # bytes of an upload of many photos
MAX_FILES = 250
MAX_PIXELS = 500_000
PER_MINUTE = 200  # requests of one key


class SlowEncoder(TinyEncoder):
    """A tiny encoder that can be held up."""

    def encode_sentences(self, texts: Sequence[str]) -> list[SentenceFragments]:
        if any("slowly" in text for text in texts):
            time.sleep(SLOW)
        if any("breaks" in text for text in texts):
            raise RuntimeError("the inside of the server is called Gretel")
        return super().encode_sentences(texts)


class TinyRegionCaptioner:
    """Says two words of each region but the whole."""

    def captions(self, photo: PhotoFragments) -> list[RegionCaption]:
        boxes = [(float(x0), float(y0), float(x1), float(y1)) for x0, y0, x1, y1 in photo.boxes[:-1]]
        return [RegionCaption(box, Caption(("a", f"part{number}"), -2.0)) for number, box in enumerate(boxes)]


def tiny_service(home: Path, keys: bool = False) -> Service:
    """Return a service over a home that the tiny encoder indexed."""
    settings = Settings(
        home=home,
        max_upload_bytes=MAX_UPLOAD,
        max_upload_total_bytes=MAX_TOTAL,
        max_upload_files=MAX_FILES,
        max_pixels=MAX_PIXELS,
        request_threads=1,
        request_queue=1,
        require_keys=keys,
        requests_per_minute=PER_MINUTE,
    )
    encoder = SlowEncoder()
    return Service(settings, Catalogue(settings.catalogue_url), encoder, TinyCaptioner(), TinyRegionCaptioner())


if __name__ == "__main__":
    log_to_stderr()
    uvicorn.run(
        create_app(tiny_service(Path(sys.argv[1]), "keys" in sys.argv)), port=0, access_log=False, log_config=None
    )
