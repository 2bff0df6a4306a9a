"""Captions by the real command line, with captioners of random weights for the bundled model's features."""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from model.alignment import AlignmentModel
from model.checkpoint import load_checkpoint, save_checkpoint
from model.region_extractor import extractor_of_model
from tests.api.test_cli import complaint, document
from tests.engine.made_checkpoints import WORDS, write_captioner

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def captioners(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables that name a captioner of photos and one of regions."""
    root = tmp_path_factory.mktemp("captioners")
    extractor = extractor_of_model(load_checkpoint().model.config)
    write_captioner(root / "photos", "photos", extractor.name, extractor.feature_size)
    write_captioner(root / "regions", "regions", extractor.name, extractor.feature_size)
    return {"DVSA_CAPTIONER": str(root / "photos"), "DVSA_REGION_CAPTIONER": str(root / "regions")}


@pytest.fixture(scope="module")
def captioned(dvsa: Run, photos: Path, captioners: dict[str, str]) -> Any:
    """The report of indexing eight photos with captions, as `said`."""
    return document(dvsa("index", photos, "--collection", "said", "--json", **captioners))


def is_caption(text: str) -> bool:
    return bool(text) and set(text.split()) <= set(WORDS)


def test_every_photo_is_captioned_once(dvsa: Run, photos: Path, captioners: dict[str, str], captioned: Any) -> None:
    assert (captioned["photos"], captioned["captioned"], captioned["uncaptioned_items"]) == (8, 8, [])
    again = dvsa("index", photos, "--collection", "said", **captioners)
    assert again.returncode == 0
    assert "captioned 0" in again.stdout


@pytest.mark.usefixtures("captioned")
def test_hits_carry_captions(dvsa: Run, photos: Path, captioners: dict[str, str], tmp_path: Path) -> None:
    search = ("search", "a dog", "--collection", "said", "-k", "3")
    hits = document(dvsa(*search, "--json"))["hits"]  # they are kept: no captioner is needed
    assert all(is_caption(hit["caption"]) for hit in hits)
    told = dvsa(*search, "--plot", tmp_path / "hits.png").stdout
    assert all(f"               {hit['caption']}\n" in told for hit in hits)
    with Image.open(tmp_path / "hits.png") as picture:
        assert picture.format == "PNG"
    photo = photos / "white-duck.jpg"
    same = document(dvsa("search", "--image", photo, "--target", "images", "--collection", "said", "--json",
                         **captioners))  # fmt: skip
    assert same["hits"][0]["path"] == str(photo)
    assert same["caption"] == same["hits"][0]["caption"]
    alone = document(dvsa("caption", photo, "--json", **captioners))
    assert alone["caption"] == same["caption"]


def test_a_query_photo_gets_a_caption_where_there_are_no_sentences(
    dvsa: Run, photos: Path, captioners: dict[str, str], tmp_path: Path
) -> None:
    for name in ("white-duck.jpg", "orchestra.jpg"):
        shutil.copy(photos / name, tmp_path)
    done = dvsa("index", tmp_path, "--collection", "bare", "--no-captions", "--json", DVSA_CAPTIONER="nowhere")
    report = document(done)
    assert (report["photos"], report["sentences"], report["captioned"]) == (2, 0, 0)
    assert "no captions" not in done.stderr
    search = ("search", "--image", tmp_path / "orchestra.jpg", "--collection", "bare")
    answer = document(dvsa(*search, "--json", "--plot", tmp_path / "answer.png", **captioners))
    assert answer["hits"] == []
    assert is_caption(answer["caption"])
    assert dvsa(*search, **captioners).stdout == f"caption: {answer['caption']}\n"
    with Image.open(tmp_path / "answer.png") as picture:
        assert picture.format == "PNG"


def test_caption_says_what_a_photo_and_its_regions_show(
    dvsa: Run, photos: Path, captioners: dict[str, str], tmp_path: Path
) -> None:
    photo, plot = photos / "german-shepherd.jpg", tmp_path / "captions.png"
    found = document(dvsa("caption", photo, "--regions", "--json", "--plot", plot, **captioners))
    with Image.open(photo) as picture:
        assert (found["photo"], found["width"], found["height"]) == (str(photo), *picture.size)
    assert is_caption(found["caption"])
    assert found["log_probability"] < 0
    assert found["regions"]
    assert len({region["caption"] for region in found["regions"]}) == len(found["regions"])
    for region in found["regions"]:
        assert is_caption(region["caption"])
        x0, y0, x1, y1 = region["box"]
        assert 0 <= x0 < x1 <= found["width"]
        assert 0 <= y0 < y1 <= found["height"]
    with Image.open(plot) as picture:
        assert picture.format == "PNG"
    told = dvsa("caption", photo, "--regions", **captioners).stdout.splitlines()
    assert told[0] == f"{found['caption']}  ({found['log_probability']:.2f})"
    assert len(told) == 1 + len(found["regions"])


def test_a_caption_is_searched_as_it_was_asked_for(dvsa: Run, photos: Path, captioners: dict[str, str]) -> None:
    options = ("--beam", "5", "--length-norm", "1", "--no-repeat", "1")
    words = document(dvsa("caption", photos / "white-duck.jpg", "--json", *options, **captioners))["caption"].split()
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--beam", "0"], "the beam must be 1 or wider, not 0"),
        (["--no-repeat", "-1"], "must be 0 or more, not -1"),
    ],
)
def test_a_search_that_makes_no_sense_is_told(dvsa: Run, photos: Path, options: list[str], said: str) -> None:
    assert said in complaint(dvsa("caption", photos / "white-duck.jpg", *options))


def test_wrong_usage_and_unreadable_photos_are_told(dvsa: Run, photos: Path, tmp_path: Path) -> None:
    for options in (["--beam", "1000000"], ["--beam", "wide"], ["--length-norm", "-1"], ["--length-norm", "1e9"]):
        complaint(dvsa("caption", photos / "white-duck.jpg", *options), code=2)
    (tmp_path / "text.jpg").write_bytes(b"not a photo")
    assert "text.jpg is not a photo" in complaint(dvsa("caption", tmp_path / "text.jpg"))
    assert "no such.jpg does not exist" in complaint(dvsa("caption", tmp_path / "no such.jpg"))


def test_a_captioner_of_something_else_is_told(
    dvsa: Run, photos: Path, captioners: dict[str, str], tmp_path: Path
) -> None:
    photo, regions = photos / "white-duck.jpg", captioners["DVSA_REGION_CAPTIONER"]
    said = complaint(dvsa("caption", photo, DVSA_CAPTIONER=regions))
    assert "the captioner describes regions, and one that describes photos is needed" in said
    other = str(write_captioner(tmp_path / "other", features="grid_resnet50"))
    index = dvsa("index", photos, "--collection", "refused", DVSA_CAPTIONER=other)
    assert "trained on the features grid_resnet50" in complaint(index)


def test_a_model_that_the_bundled_captioner_does_not_fit_indexes_without_captions(
    dvsa: Run, photos: Path, tmp_path: Path
) -> None:
    bundled = load_checkpoint()
    config = dataclasses.replace(bundled.model.config, proposer="grid")
    model = AlignmentModel(config, bundled.model.image_encoder, bundled.model.sentence_encoder)
    save_checkpoint(tmp_path / "own", model, bundled.vocabulary, {})
    shutil.copy(photos / "white-duck.jpg", tmp_path / "duck.jpg")
    own = {"DVSA_CHECKPOINT": str(tmp_path / "own")}
    done = dvsa("index", tmp_path / "duck.jpg", "--collection", "own", "--json", **own)
    report = document(done)
    assert (report["photos"], report["captioned"]) == (1, 0)
    assert done.stderr.count("no captions: ") == 1
    extractor = extractor_of_model(config)
    folder = write_captioner(tmp_path / "captioner", "photos", extractor.name, extractor.feature_size)
    fitting = document(dvsa("index", tmp_path / "duck.jpg", "--collection", "own", "--json", **own,
                            DVSA_CAPTIONER=str(folder)))  # fmt: skip
    assert (fitting["unchanged"], fitting["captioned"]) == (1, 1)
