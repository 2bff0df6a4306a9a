from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.backbones import load_backbone
from model.boxes import GEOMETRY
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig
from model.captions.captioner import Captioner, CaptionerConfig, build_captioner
from model.captions.checkpoint import CaptionerCheckpoint
from model.captions.described import Described
from model.captions.named_boxes import NamedBox, box_features, named_boxes
from model.captions.nearest import nearest_snippets
from model.captions.region_measures import Rivals, as_photo, measure_regions
from model.captions.snippets import described_regions
from model.dataset import DatasetImage
from model.entities import Phrase
from model.exceptions import CaptionError, DatasetError
from model.proposals import load_proposer
from model.region_features import RegionExtractor
from model.vocabulary import Vocabulary
from tests.model.captions.made_captioners import make_captioner
from tests.model.captions.one_hot_alignment import VOCABULARY, make_alignment, photos_of


def phrase(text: str, entity: str, *boxes: Sequence[float]) -> Phrase:
    return Phrase("a dog and two cats", text, np.array(boxes, dtype=np.float32), "animals", entity)


def test_each_box_of_a_thing_gets_all_phrases_that_name_the_thing() -> None:
    photo = [
        phrase("A dog", "7", (0, 0, 5, 5)),
        phrase("two cats", "3", (5, 5, 9, 9), (1, 1, 2, 2)),
        phrase("the dog", "7", (0, 0, 5, 5)),
        phrase("!", "8", (0, 0, 1, 1)),
    ]
    found = named_boxes([[], photo])
    assert [(one.photo, one.box.tolist(), one.phrases) for one in found] == [
        (1, [0, 0, 5, 5], [["a", "dog"], ["the", "dog"]]),
        (1, [5, 5, 9, 9], [["two", "cats"]]),
        (1, [1, 1, 2, 2], [["two", "cats"]]),
    ]


@pytest.fixture(scope="module")
def extractor() -> RegionExtractor:
    return RegionExtractor(load_proposer("grid"), load_backbone("efficientnet-lite2"), ["pooled", "cropped"])


@pytest.fixture
def image(tmp_path: Path) -> DatasetImage:
    pixels = np.random.default_rng(0).integers(0, 256, size=(40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    return DatasetImage(tmp_path / "noise.png", "dev", ("a dog",))


def box(photo: int, *edges: float) -> NamedBox:
    return NamedBox(photo, np.array(edges, dtype=np.float32), [["dog"]])


def test_features_of_a_box_are_those_of_a_region_there(extractor: RegionExtractor, image: DatasetImage) -> None:
    pixels = np.asarray(Image.open(image.path))
    regions = extractor.extract(pixels)
    described = extractor.describe(pixels, regions.boxes[:-1])
    np.testing.assert_array_equal(described.boxes, regions.boxes)
    np.testing.assert_allclose(described.features, regions.features, atol=1e-5)
    boxes = [box(1, *regions.boxes[4]), box(1, *regions.boxes[9]), box(0, *regions.boxes[2])]
    found = box_features(extractor, [image, image], boxes)
    assert found.shape == (3, 2, extractor.feature_size)
    np.testing.assert_allclose(found[:, 1], regions.features[[4, 9, 2]], rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(found[:, 0], regions.features[[-1] * 3], rtol=1e-2, atol=1e-2)


def test_a_box_that_reaches_beyond_its_photo_is_cut_and_one_outside_is_refused(
    extractor: RegionExtractor, image: DatasetImage
) -> None:
    beyond, within = box_features(extractor, [image], [box(0, -3, 10, 70, 45), box(0, 0, 10, 60, 40)])
    np.testing.assert_array_equal(beyond, within)
    with pytest.raises(DatasetError, match=r"another photo than .*noise\.png: a box lies outside it"):
        box_features(extractor, [image], [box(0, 61, 0, 70, 10)])
    image.path.write_bytes(image.path.read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"noise\.png is cut short or damaged"):
        box_features(extractor, [image], [box(0, 0, 0, 10, 10)])


def test_the_narrowest_features_are_the_cropped_ones_where_there_are_any(extractor: RegionExtractor) -> None:
    assert extractor.narrowest == slice(1280, 2560)
    backbone, grid = load_backbone("efficientnet-lite2"), load_proposer("grid")
    assert RegionExtractor(grid, backbone, ["cropped", "pooled"]).narrowest == slice(0, 1280)
    assert RegionExtractor(grid, backbone, ["pooled"]).narrowest == slice(0, 1280)


def test_the_nearest_neighbour_is_by_angle_among_the_compared_features() -> None:
    training = described_regions(make_alignment(), VOCABULARY, photos_of(("dog", "cat"), ("dog dog",), ("grass",)), 0.0)
    features = np.zeros((3, 3 + GEOMETRY), dtype=np.float16)
    features[:, :3] = np.array([[0.1, 9, 0], [0, 0, 0.01], [5, 0, 4]])
    features[:, 3:] = 100  # not compared
    assert nearest_snippets(features, training, slice(0, 3)) == [("cat",), ("grass",), ("dog",)]
    assert nearest_snippets(features, training, slice(2, 3))[2] == ("grass",)
    nothing = described_regions(make_alignment(), VOCABULARY, photos_of(("zebra",)), 0.0)
    with pytest.raises(CaptionError, match="knows no word of the training sentences"):
        nearest_snippets(features, nothing, slice(0, 3))


def test_the_nearest_of_more_regions_than_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    split = photos_of(*[("dog", "cat", "grass")] * 5)
    training = described_regions(make_alignment(), VOCABULARY, split, 0.0)
    split.features[3, 1, 0] = 0.5  # leans to one side: the nearest of what leans so
    wanted = split.features[3, 1:2]
    monkeypatch.setattr("model.captions.nearest._AT_ONCE", 4)
    numbered = Described(split, "regions", training.photos, training.regions, [[[str(n)]] for n in range(15)])
    assert nearest_snippets(wanted, numbered, slice(0, 3)) == [("10",)]


def test_a_box_as_a_photo_is_all_that_the_captioner_of_photos_sees() -> None:
    features = torch.randn(2, 2, 6 + GEOMETRY)
    crop = as_photo(features)
    assert crop.shape == (2, 1, 6 + GEOMETRY)
    torch.testing.assert_close(crop[:, 0, :6], features[:, 1, :6])
    assert crop[0, 0, 6:].tolist() == [0, 0, 1, 1, 1]  # it fills its photo


def test_a_single_region_is_for_attention_the_same_as_twenty_equal_ones() -> None:
    captioner, features = make_captioner("attention", words=5), torch.randn(3, 1, 6)
    words = torch.tensor([[[0, 3, 1]]]).expand(3, 1, 3)
    one, twenty = captioner.remember(features), captioner.remember(features.expand(3, 20, 6))
    torch.testing.assert_close(
        captioner.logits(words, one, captioner.begin(one, 1))[0],
        captioner.logits(words, twenty, captioner.begin(twenty, 1))[0],
    )


def saying(word: int, subject: str) -> Captioner:
    """A captioner that says one word."""
    config = CaptionerConfig("lstm", "regions" if subject == "regions" else "photos", row_size=3 + GEOMETRY)
    captioner = build_captioner(config, 3).eval()
    with torch.no_grad():
        captioner.bias[0], captioner.bias[word] = 50.0, 40.0  # likeliest to end, which it may not at once
    return captioner


def test_rivals_are_measured_against_the_phrases_of_the_same_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pycocoevalcap")
    monkeypatch.setenv("PATH", "")  # no Java: METEOR takes seconds to start
    training = described_regions(make_alignment(), VOCABULARY, photos_of(("dog", "cat", "grass")), 0.0)
    words = Vocabulary(["dog", "cat", "zebra"])
    rivals = Rivals(
        CaptionerCheckpoint(saying(1, "regions"), words, {}, ""),
        CaptionerCheckpoint(saying(3, "photos"), words, {}, ""),
        Agreement(make_alignment(), VOCABULARY),
        training,
        slice(0, 3),
    )
    boxes = [NamedBox(0, np.zeros(4, np.float32), [[name], ["animal"]]) for name in ("dog", "dog", "cat", "grass")]
    features = np.zeros((4, 2, 3 + GEOMETRY), dtype=np.float16)
    features[np.arange(4), 1, np.array([0, 1, 1, 2])] = 1.0  # what is really there: dog, cat, cat, grass
    found = measure_regions(boxes, features, rivals, BeamConfig())
    assert found.boxes == 4
    assert found.region_model.bleu1 == pytest.approx(50.0, abs=0.01)
    assert found.photo_model.bleu1 == pytest.approx(0.0, abs=0.01)
    assert found.nearest_neighbour.bleu1 == pytest.approx(75.0, abs=0.01)
    with pytest.raises(CaptionError, match="nothing to measure"):
        measure_regions([], features[:0], rivals, BeamConfig())
