"""The captions of a workspace's photos, as they are and as they should be."""

from pathlib import Path

from engine.catalogue import Catalogue
from engine.catalogue.tables import LIVE
from indexer.rows import photo_rows
from model.photo import load_photo
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Workspace


def captioned(workspace: Workspace) -> dict[str, str | None]:
    """Return the caption of each published photo by its name."""
    catalogue = Catalogue(workspace.settings.catalogue_url)
    with catalogue.read() as connection:
        ids = [row.id for row in photo_rows(connection, catalogue.collection("test").id, LIVE).values()]
    photos = catalogue.photos(ids)
    catalogue.close()
    return {Path(photo.path).name: photo.caption for photo in photos.values()}


def expected(workspace: Workspace) -> dict[str, str | None]:
    """Return what the workspace's captioner says of each photo of its folder, alone."""
    assert workspace.captioner is not None
    captioner, encoder = TinyCaptioner(workspace.captioner.name), TinyEncoder()
    return {
        path.name: captioner.caption(encoder.encode_photo(load_photo(path))).text
        for path in workspace.photos.glob("*.png")
    }
