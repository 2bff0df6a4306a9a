"""Captions of indexed photos: each photo once, kept with it, whatever becomes of its name."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import text

from engine.catalogue import Catalogue
from engine.encoder import PhotoFragments
from model.captions.caption import Caption
from model.exceptions import CaptionError
from tests.conftest import NewDatabase
from tests.indexer.captioned import captioned, expected
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder
from tests.workspace import Workspace, make_photo


@pytest.fixture
def workspace(tmp_path: Path, new_database: NewDatabase) -> Workspace:
    """A workspace with a captioner and three photos, not indexed yet."""
    made = Workspace(tmp_path, captioner=TinyCaptioner(), database_url=new_database())
    for number in range(3):
        made.photo(f"{number}.png", number)
    return made


def captioner_of(workspace: Workspace) -> TinyCaptioner:
    assert workspace.captioner is not None
    return workspace.captioner


def test_every_photo_has_the_caption_that_it_has_alone(workspace: Workspace) -> None:
    report = workspace.index()
    assert (report.added, report.captioned, report.uncaptioned_items) == (3, 3, [])
    assert captioned(workspace) == expected(workspace)
    assert len(set(captioned(workspace).values())) == 3
    again = workspace.index()
    assert (again.unchanged, again.captioned) == (3, 0)
    assert (captioner_of(workspace).photos, workspace.encoder.photos) == (3, 3)


def test_photos_indexed_without_captions_get_them_later_and_keep_all_else(workspace: Workspace, tmp_path: Path) -> None:
    captioner, workspace.captioner = workspace.captioner, None
    elsewhere = tmp_path / "elsewhere" / "table.csv"
    elsewhere.parent.mkdir()
    elsewhere.write_text("../photos/0.png,Two dogs run\n")
    report = workspace.index(workspace.photos, elsewhere)
    assert (report.photos, report.captioned) == (3, 0)
    assert set(captioned(workspace).values()) == {None}
    before, snapshots, ids = workspace.contents(), workspace.snapshots(), photo_ids(workspace)
    (workspace.photos / "0.png").rename(workspace.photos / "renamed.png")
    workspace.captioner = captioner
    report = workspace.index()
    assert (report.added, report.removed, report.moved, report.unchanged) == (0, 0, 1, 2)
    assert (report.captioned, report.photos) == (3, 3)
    assert captioned(workspace) == expected(workspace)
    assert workspace.snapshots() == snapshots
    assert sorted(photo_ids(workspace).values()) == sorted(ids.values())
    assert workspace.sentences() == {"Two dogs run": "renamed.png"}
    renamed = {name.replace("0.png", "renamed.png"): entry for name, entry in before.items() if "table" not in name}
    assert renamed.items() <= workspace.contents().items()


def test_a_run_without_captions_leaves_those_that_are_there(workspace: Workspace) -> None:
    workspace.index()
    before = captioned(workspace)
    workspace.captioner = None
    workspace.photo("new.png", 9)
    os.utime(workspace.photos / "1.png", (1, 1))
    workspace.index()
    assert captioned(workspace) == before | {"new.png": None}


def test_another_captioner_captions_anew(workspace: Workspace) -> None:
    workspace.index()
    before = captioned(workspace)
    workspace.captioner = TinyCaptioner("another")
    report = workspace.index()
    assert (report.unchanged, report.added, report.captioned) == (3, 0, 3)
    assert captioned(workspace) == expected(workspace)
    assert captioned(workspace) != before
    assert workspace.index().captioned == 0


def test_renamed_and_equal_photos_keep_the_caption_at_no_inference(workspace: Workspace) -> None:
    shutil.copy(workspace.photos / "0.png", workspace.photos / "0 again.png")
    report = workspace.index()
    assert (report.captioned, captioner_of(workspace).photos) == (4, 3)
    (workspace.photos / "1.png").rename(workspace.photos / "renamed.png")
    shutil.copy(workspace.photos / "2.png", workspace.photos / "2 again.png")
    report = workspace.index()
    assert (report.moved, report.added, report.captioned) == (1, 1, 1)
    assert (captioner_of(workspace).photos, workspace.encoder.photos) == (3, 3)
    assert captioned(workspace) == expected(workspace)
    assert len(captioned(workspace)) == 5


def test_equal_photos_that_lack_captions_are_captioned_once(workspace: Workspace) -> None:
    captioner, workspace.captioner = workspace.captioner, None
    for number in range(3):
        shutil.copy(workspace.photos / f"{number}.png", workspace.photos / f"{number} again.png")
    workspace.index()
    workspace.captioner, encoded = captioner, workspace.encoder.photos
    report = workspace.index()
    assert (report.captioned, captioner_of(workspace).photos) == (6, 3)
    assert workspace.encoder.photos - encoded == 3
    assert captioned(workspace) == expected(workspace)


def test_a_copy_made_beside_a_captioned_photo_takes_its_caption(workspace: Workspace) -> None:
    workspace.index()
    captioner, workspace.captioner = workspace.captioner, None
    shutil.copy(workspace.photos / "0.png", workspace.photos / "copy.png")
    workspace.index()
    workspace.captioner = captioner
    assert workspace.index().captioned == 0
    assert captioner_of(workspace).photos == 3
    assert captioned(workspace) == expected(workspace)


def test_a_changed_photo_gets_a_new_caption_and_a_rebuild_makes_all_anew(workspace: Workspace) -> None:
    workspace.index()
    make_photo(workspace.photos / "1.png", 100)
    assert workspace.index().captioned == 1
    assert captioned(workspace) == expected(workspace)
    assert workspace.index(rebuild=True).captioned == 3
    assert captioned(workspace) == expected(workspace)


class PickyCaptioner(TinyCaptioner):
    """Refuses wide photos, each in another way."""

    def caption(self, photo: PhotoFragments) -> Caption:
        width = photo.boxes[-1, 2]
        if width == 40:
            raise CaptionError("the photo has no regions")
        if width == 41:
            raise ValueError("not enough\nvalues")
        return super().caption(photo)


def test_a_photo_that_cannot_be_captioned_is_named_and_indexed_with_its_neighbours(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    workspace = Workspace(tmp_path, captioner=PickyCaptioner(), database_url=new_database())
    for number, width in enumerate((24, 40, 25, 41)):
        make_photo(workspace.photos / f"{number}.png", number, (width, 16))
    shutil.copy(workspace.photos / "1.png", workspace.photos / "copy.png")
    report = workspace.index()
    assert (report.added, report.photos, report.captioned, report.skipped) == (5, 5, 2, {})
    found = {Path(item.name).name: item.reason for item in report.uncaptioned_items}
    refused = "the photo has no regions"
    assert found == {"1.png": refused, "3.png": "not enough values", "copy.png": refused}
    assert [name for name, caption in captioned(workspace).items() if caption] == ["0.png", "2.png"]
    again = workspace.index()  # tried once more
    assert {Path(item.name).name for item in again.uncaptioned_items} == found.keys()
    workspace.captioner = TinyCaptioner()
    assert workspace.index().captioned == 3
    assert captioned(workspace) == expected(workspace)


def test_a_published_photo_whose_file_is_another_now_is_named_and_stays(workspace: Workspace) -> None:
    captioner, workspace.captioner = workspace.captioner, None
    workspace.index()
    before, workspace.captioner = workspace.contents(), captioner
    replace_unseen(workspace.photos / "0.png", bytes(10_000))
    replace_unseen(workspace.photos / "1.png", (workspace.photos / "2.png").read_bytes())
    report = workspace.index()
    assert (report.unchanged, report.captioned, report.skipped) == (3, 1, {})
    assert workspace.contents() == before
    reasons = {Path(item.name).name: item.reason for item in report.uncaptioned_items}
    assert reasons == {"0.png": "is not a photo (JPEG, PNG, WebP or GIF)", "1.png": "has changed since it was indexed"}
    assert [name for name, caption in captioned(workspace).items() if caption] == ["2.png"]


def replace_unseen(photo: Path, content: bytes) -> None:
    """Change a file's bytes and neither its size nor its time of change."""
    status = photo.stat()
    photo.write_bytes(content.ljust(status.st_size, b"\0")[: status.st_size])
    os.utime(photo, ns=(status.st_atime_ns, status.st_mtime_ns))


class StoppingCaptioner(TinyCaptioner):
    """The user presses Ctrl-C at a photo."""

    stops_at: int | None = None

    def caption(self, photo: PhotoFragments) -> Caption:
        if self.photos == self.stops_at:
            raise KeyboardInterrupt
        return super().caption(photo)


@pytest.mark.parametrize("published", [False, True])
def test_an_interrupted_run_keeps_its_captions(tmp_path: Path, new_database: NewDatabase, published: bool) -> None:
    workspace = Workspace(tmp_path, database_url=new_database())
    for number in range(12):
        workspace.photo(f"{number:02d}.png", number)
    if published:
        workspace.index()
    captioner = workspace.captioner = StoppingCaptioner()
    captioner.stops_at = 7
    with pytest.raises(KeyboardInterrupt):
        workspace.index()
    kept = kept_captions(workspace)
    assert kept >= 4  # but for those in the hands of the threads
    captioner.stops_at, before = None, captioner.photos
    report = workspace.index()
    assert report.photos == 12
    assert captioner.photos - before == 12 - kept
    assert captioned(workspace) == expected(workspace)


class FeaturelessEncoder(TinyEncoder):
    """Gives nothing that a caption could be made of."""

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        fragments = super().encode_photo(photo)
        return PhotoFragments(fragments.boxes, fragments.vectors)


def test_a_model_without_features_indexes_without_captions(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, FeaturelessEncoder(), captioner=TinyCaptioner())
    photo = workspace.photo("a.png", 1)
    report = workspace.index()
    assert (report.photos, report.captioned) == (1, 0)
    (item,) = report.uncaptioned_items
    assert (item.name, item.reason) == (str(photo), "the photo has no features")


def photo_ids(workspace: Workspace) -> dict[str, int]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    infos = catalogue.photos(range(1, 100))
    catalogue.close()
    return {Path(info.path).name: info.id for info in infos.values()}


def kept_captions(workspace: Workspace) -> int:
    """Captions in the catalogue, staged and published."""
    catalogue = Catalogue(workspace.settings.catalogue_url)
    with catalogue.read() as connection:
        count = connection.execute(text("SELECT count(*) FROM photos WHERE caption IS NOT NULL")).scalar_one()
    catalogue.close()
    return int(count)
