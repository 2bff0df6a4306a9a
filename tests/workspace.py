"""A home and a folder of photos for the tests of the indexer, and a collection's contents in a form that compares."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from engine.catalogue import Catalogue
from engine.catalogue.tables import LIVE, STAGED
from engine.settings import Settings
from engine.snapshot import open_snapshot
from indexer.index import index_paths
from indexer.report import IndexReport
from indexer.rows import document_rows, photo_rows, sentence_ids
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

Contents = dict[str, tuple[object, ...]]


def make_photo(path: Path, seed: int, size: tuple[int, int] = (24, 16)) -> Path:
    """Write a photo of random colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


class Workspace:
    """A home, a folder to index, an encoder and perhaps a captioner that count."""

    def __init__(
        self,
        folder: Path,
        encoder: TinyEncoder | None = None,
        photos: Path | None = None,
        captioner: TinyCaptioner | None = None,
        database_url: str | None = None,
    ) -> None:
        self.settings = Settings(home=folder / "home", workers=2, database_url=database_url)
        self.photos = photos or folder / "photos"
        self.photos.mkdir(parents=True, exist_ok=True)
        self.encoder = encoder or TinyEncoder()
        self.captioner = captioner

    def photo(self, name: str, seed: int) -> Path:
        return make_photo(self.photos / name, seed)

    def text(self, name: str, content: str | bytes) -> Path:
        path = self.photos / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def index(self, *paths: Path, rebuild: bool = False, images: Path | None = None) -> IndexReport:
        roots: Sequence[Path] = paths or [self.photos]
        return index_paths(roots, "test", self.encoder, self.settings, rebuild, images=images, captioner=self.captioner)

    def contents(self) -> Contents:
        """Everything that a search can see, by path or by document and text; ids left out."""
        catalogue = Catalogue(self.settings.catalogue_url)
        try:
            return _contents(catalogue, self.settings)
        finally:
            catalogue.close()

    def staged_photos(self) -> int:
        catalogue = Catalogue(self.settings.catalogue_url)
        with catalogue.read() as connection:
            count = len(photo_rows(connection, catalogue.collection("test").id, STAGED))
        catalogue.close()
        return count

    def snapshots(self) -> list[str]:
        return sorted(entry.name for entry in self.settings.collection_directory(1).iterdir())

    def sentences(self) -> dict[str, str | None]:
        """Each sentence with the name of its photo."""
        catalogue = Catalogue(self.settings.catalogue_url)
        with catalogue.read() as connection:
            ids = sentence_ids(connection, catalogue.collection("test").id, LIVE)
        infos = catalogue.sentences(list(ids.values()))
        photos = catalogue.photos([info.photo_id for info in infos.values() if info.photo_id is not None])
        catalogue.close()
        return {
            info.text: None if info.photo_id is None else Path(photos[info.photo_id].path).name
            for info in infos.values()
        }


def _contents(catalogue: Catalogue, settings: Settings) -> Contents:
    info = catalogue.collection("test")
    assert info.snapshot is not None
    snapshot = open_snapshot(settings.snapshot_directory(info.id, info.snapshot), info.model_hash)
    regions, words = (index.fragments(index.ids()) for index in (snapshot.regions, snapshot.words))
    photos, boxes = catalogue.photos(regions.ids.tolist()), catalogue.regions(regions.ids.tolist())
    sentences = catalogue.sentences(words.ids.tolist())
    with catalogue.read() as connection:
        documents = document_rows(connection, info.id, LIVE)
        assert len(photo_rows(connection, info.id, LIVE)) == len(regions) == info.photos
    assert len(sentences) == len(words) == info.sentences
    found: Contents = {path: (row.digest,) for path, row in documents.items()}
    for place, item in enumerate(regions.ids.tolist()):
        photo = photos[item]
        assert len(boxes[item]) == len(regions.item(place))
        found[photo.path] = (photo.width, photo.height, boxes[item].tobytes(), regions.item(place).tobytes())
    for place, item in enumerate(words.ids.tolist()):
        sentence = sentences[item]
        described = None if sentence.photo_id is None else photos[sentence.photo_id].path
        found[f"{sentence.document}: {sentence.text}"] = (described, words.item(place).tobytes())
    return found
