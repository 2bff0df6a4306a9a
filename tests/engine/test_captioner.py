"""The door to the captioners: captions of photos and regions, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from engine.captioner import (
    SAME_BOX,
    ModelCaptioner,
    ModelRegionCaptioner,
    PhotoCaptioner,
    load_photo_captioner,
    load_region_captioner,
)
from engine.encoder import ModelEncoder, PhotoFragments, load_encoder
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig
from model.captions.caption import caption_features
from model.captions.checkpoint import load_captioner
from model.exceptions import CaptionError, CheckpointError
from tests.engine.made_checkpoints import WORDS, made_alignment, made_photo, write_captioner


class NamedFeatures:
    """All that a captioner asks of an encoder."""

    features_name = "tiny"
    checkpoint = made_alignment()


ENCODER = cast(ModelEncoder, NamedFeatures())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("captioners")
    write_captioner(root / "photos")
    write_captioner(root / "regions", "regions")
    return root


@pytest.fixture(scope="module")
def captioner(folder: Path) -> ModelCaptioner:
    return load_photo_captioner(ENCODER, folder / "photos")


@pytest.fixture(scope="module")
def region_captioner(folder: Path) -> ModelRegionCaptioner:
    return load_region_captioner(ENCODER, folder / "regions")


def test_a_caption_is_what_the_model_says_of_the_features(folder: Path, captioner: PhotoCaptioner) -> None:
    checkpoint = load_captioner(folder / "photos")
    photo = made_photo(1)
    assert photo.features is not None
    features = torch.from_numpy(photo.features)[None]
    agreement = Agreement(ENCODER.checkpoint.model, ENCODER.checkpoint.vocabulary)
    (wanted,) = caption_features(checkpoint.model, checkpoint.vocabulary, [features], BeamConfig(), agreement)
    assert captioner.caption(photo) == wanted
    assert set(wanted.words) <= set(WORDS)


def test_the_name_tells_weights_search_and_alignment_model_apart(folder: Path) -> None:
    checkpoint = load_captioner(folder / "photos")
    made = [
        ModelCaptioner(checkpoint, BeamConfig(), made_alignment()),
        ModelCaptioner(checkpoint, BeamConfig(width=3), made_alignment()),
        ModelCaptioner(checkpoint, BeamConfig(), made_alignment("another")),
        ModelCaptioner(replace(checkpoint, model_hash="another"), BeamConfig(), made_alignment()),
    ]
    assert len({captioner.name for captioner in made}) == len(made)
    assert made[0].name == load_photo_captioner(ENCODER, folder / "photos").name


def test_a_photo_has_the_same_caption_alone_and_among_others_in_threads(captioner: PhotoCaptioner) -> None:
    photos = [made_photo(seed) for seed in range(12)]
    alone = [captioner.caption(photo) for photo in photos]
    assert len({caption.words for caption in alone}) > 1
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(captioner.caption, photos[::-1])) == alone[::-1]


def test_the_beam_is_the_one_that_was_asked_for(folder: Path) -> None:
    def captions(beam: BeamConfig | None) -> list[float]:
        made = load_photo_captioner(ENCODER, folder / "photos", beam)
        return [made.caption(made_photo(seed)).log_probability for seed in range(8)]

    greedy, default = captions(BeamConfig(width=1)), captions(None)
    assert default == captions(BeamConfig())
    assert greedy != default
    assert sum(default) > sum(greedy)


def test_captions_of_regions_come_likeliest_first_without_equal_ones(region_captioner: ModelRegionCaptioner) -> None:
    photo = made_photo(3)
    found = region_captioner.captions(photo)
    per_word = [part.caption.log_probability / (len(part.caption.words) + 1) for part in found]
    assert per_word == sorted(per_word, reverse=True)
    assert len({part.caption.words for part in found}) == len(found) > 1
    boxes = [tuple(box) for box in photo.boxes.tolist()]
    assert all(part.box in boxes[:-1] for part in found)
    for place, part in enumerate(found):
        assert all(overlap(part.box, other.box) <= SAME_BOX for other in found[:place])


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def test_of_boxes_that_show_the_same_the_likelier_caption_stays(region_captioner: ModelRegionCaptioner) -> None:
    apart = np.array([[0, 0, 100, 100], [200, 0, 300, 100], [0, 0, 400, 300]], np.float32)
    photo = next(
        photo
        for photo in (replace(made_photo(seed, regions=3), boxes=apart) for seed in range(50))
        if len(region_captioner.captions(photo)) == 2
    )
    best, other = region_captioner.captions(photo)
    near = apart.copy()
    near[1] = [0, 0, 100, 90]  # IoU 0.9 with the first
    (kept,) = region_captioner.captions(replace(photo, boxes=near))
    assert kept.caption == best.caption != other.caption


def test_equal_captions_are_one_with_the_box_of_the_likeliest(region_captioner: ModelRegionCaptioner) -> None:
    photo = made_photo(5, regions=4)
    assert photo.features is not None
    same = photo.features.copy()
    same[1] = same[0]
    boxes = np.array([[0, 0, 50, 50], [100, 0, 150, 50], [200, 0, 250, 50], [0, 0, 400, 300]], np.float32)
    found = region_captioner.captions(PhotoFragments(boxes, photo.vectors, same))
    assert [part.box for part in found].count((100.0, 0.0, 150.0, 50.0)) == 0
    assert (0.0, 0.0, 50.0, 50.0) in [part.box for part in found]


def test_a_photo_without_regions_is_told(captioner: ModelCaptioner, region_captioner: ModelRegionCaptioner) -> None:
    whole = made_photo(1, regions=1)
    assert captioner.caption(whole).words
    with pytest.raises(CaptionError, match="the photo has no regions to caption, only the whole"):
        region_captioner.captions(whole)
    assert whole.features is not None
    for features in (None, whole.features[:0]):
        for ask in (captioner.caption, region_captioner.captions):
            with pytest.raises(CaptionError, match="has no regions to describe"):
                ask(replace(whole, features=features))


def test_features_that_are_not_numbers_are_told(
    captioner: ModelCaptioner, region_captioner: ModelRegionCaptioner
) -> None:
    photo = made_photo(1)
    assert photo.features is not None
    photo.features[3, 2] = np.nan
    for ask in (captioner.caption, region_captioner.captions):
        with pytest.raises(CaptionError, match="features that are not numbers"):
            ask(photo)


def test_a_captioner_of_something_else_is_refused(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="regions cannot be used: the captioner describes regions, and one that"):
        load_photo_captioner(ENCODER, folder / "regions")
    with pytest.raises(CheckpointError, match="photos cannot be used: the captioner describes photos, and one that"):
        load_region_captioner(ENCODER, folder / "photos")


def test_a_captioner_of_other_features_or_none_is_refused(tmp_path: Path) -> None:
    write_captioner(tmp_path / "other", features="grid_resnet")
    with pytest.raises(CheckpointError, match=r"other cannot be used: .*features grid_resnet.* takes tiny.* or train"):
        load_photo_captioner(ENCODER, tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"captioner\.json is not there"):
        load_photo_captioner(ENCODER, tmp_path)


def test_the_bundled_captioner_does_not_fit_another_model() -> None:
    with pytest.raises(CheckpointError, match="the alignment model takes tiny"):
        load_photo_captioner(ENCODER)


def test_one_extraction_of_a_photo_serves_vectors_and_captions(tmp_path: Path) -> None:
    encoder = load_encoder()
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    fragments = encoder.encode_photo(photo)
    assert fragments.features is not None
    row_size = fragments.features.shape[1]
    assert fragments.features.dtype == np.float32
    assert len(fragments.features) == len(fragments.vectors) == len(fragments.boxes)
    assert encoder.features_name.startswith("consensus_efficientnet-lite2_")
    folder = write_captioner(tmp_path, features=encoder.features_name, row_size=row_size)
    assert load_photo_captioner(encoder, folder).caption(fragments).words
