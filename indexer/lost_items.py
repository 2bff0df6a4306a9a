"""Items whose vectors are lost: encoded again from the files and texts that they came from."""

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.catalogue import Catalogue, CollectionInfo, PhotoInfo
from engine.encoder import Encoder, PhotoFragments
from engine.exceptions import ModelMismatch
from engine.fragments import Fragments
from engine.settings import Settings
from indexer.decode import decode_photo
from indexer.sources import PhotoFile
from model.exceptions import DvsaError, PhotoError

Ids = npt.NDArray[np.int64]
AT_ONCE = 256  # sentences


class _LostItems:
    """What both kinds share.

    Attributes:
        encoded: how many items were.
        failures: of the others, a sentence each.
    """

    def __init__(
        self, catalogue: Catalogue, settings: Settings, info: CollectionInfo, open_encoder: Callable[[], Encoder]
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._info = info
        self._open_encoder = open_encoder
        self.encoded = 0
        self.failures: list[str] = []

    @cached_property
    def encoder(self) -> Encoder:
        """The collection's model.

        Raises:
            DvsaError: it cannot be loaded, or another one is set.
        """
        encoder = self._open_encoder()
        if encoder.model_hash != self._info.model_hash:
            raise ModelMismatch(
                f"the collection was indexed by another checkpoint ({self._info.model_hash[:12]}, this one is "
                f"{encoder.model_hash[:12]}); name that one by DVSA_CHECKPOINT"
            )
        return encoder

    def _can_encode(self, count: int, kind: str) -> bool:
        """Load the model where there is something to encode; say so where that cannot be done."""
        try:
            return count > 0 and self.encoder is not None
        except DvsaError as error:
            self.failures.append(f"{count:,} {kind} could not be encoded again: {error}")
            return False


class LostPhotos(_LostItems):
    """Photos.

    Attributes:
        boxes: of the photos that were encoded, float32 (R, 4) each, by id.
    """

    def __init__(
        self, catalogue: Catalogue, settings: Settings, info: CollectionInfo, open_encoder: Callable[[], Encoder]
    ) -> None:
        super().__init__(catalogue, settings, info, open_encoder)
        self.boxes: dict[int, npt.NDArray[np.float32]] = {}

    def encode(self, ids: Ids) -> Iterator[Fragments]:
        """Encode the photos of these ids whose files are as they were indexed, one by one."""
        if not self._can_encode(len(ids), "photos"):
            return
        for photo in self._catalogue.photos(ids.tolist()).values():
            try:
                fragments = self._fragments(photo)
            except PhotoError as error:
                self.failures.append(f"{photo.path} {error}; run dvsa index, or repair again when the file is back")
                continue
            self.boxes[photo.id] = fragments.boxes
            self.encoded += 1
            yield Fragments.of([photo.id], [fragments.vectors], self._info.dimension)

    def _fragments(self, photo: PhotoInfo) -> PhotoFragments:
        decoded = decode_photo(PhotoFile(photo.path, photo.path, 0, 0), (), self._settings.max_pixels)
        if decoded.pixels is None:
            raise PhotoError(decoded.failure)
        if decoded.content_hash != photo.content_hash:
            raise PhotoError("has changed since it was indexed")
        fragments = self.encoder.encode_photo(decoded.pixels)
        if not np.isfinite(fragments.vectors).all():
            raise PhotoError("cannot be encoded: the model gave vectors that are not numbers")
        return fragments


class LostSentences(_LostItems):
    """Sentences; the catalogue has their texts."""

    def encode(self, ids: Ids) -> Iterator[Fragments]:
        """Encode the sentences of these ids, some at a time."""
        if not self._can_encode(len(ids), "sentences"):
            return
        for first in range(0, len(ids), AT_ONCE):
            known = self._catalogue.sentences(ids[first : first + AT_ONCE].tolist())
            encoded = self.encoder.encode_sentences([sentence.text for sentence in known.values()])
            found = {item: one.vectors for item, one in zip(known, encoded, strict=True) if len(one.vectors)}
            self.encoded += len(found)
            self.failures += [
                f"the sentence {known[item].text!r} has no word that the model knows" for item in known.keys() - found
            ]
            yield Fragments.of(list(found), list(found.values()), self._info.dimension)
