import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from api.evaluate_captions import _lines
from model.captions.captioner import CaptionerConfig, Subject, build_captioner
from model.captions.checkpoint import save_captioner
from model.captions.measures import CaptionScores, Closeness
from model.captions.region_measures import RegionScores
from model.checkpoint import BUNDLED, load_checkpoint
from model.region_extractor import extractor_of_model
from model.vocabulary import Vocabulary
from tests.api.conftest import Run

MEASURES = ["bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rouge_l", "cider"]
NO_JAVA = {"PATH": ""}  # METEOR takes seconds to start


def save(folder: Path, subject: Subject, features: str | None = None) -> Path:
    """Write a captioner with random weights."""
    extractor = extractor_of_model(load_checkpoint().model.config)
    torch.manual_seed(0)
    config = CaptionerConfig("lstm", subject, features or extractor.name, extractor.feature_size, 16, 16)
    vocabulary = Vocabulary(["a", "dog", "two", "in", "the"])
    save_captioner(folder, build_captioner(config, len(vocabulary)), vocabulary, {"training": {"beta": 0.1}})
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """Captioners of photos and of regions, and entities of the dev photos."""
    pytest.importorskip("pycocoevalcap")
    root = tmp_path_factory.mktemp("captions")
    save(root / "photos", "photos")
    save(root / "regions", "regions")
    names = (dataset / "Flickr8k_text/Flickr_8k.devImages.txt").read_text().split()
    phrases = [
        {"sentence": 0, "phrase": text, "type": "animals", "entity": entity}
        for text, entity in (("A dog", 7), ("the dog", 7), ("two cats", 8), ("nothing", 9))
    ]
    boxes = {"7": [[0, 0, 60, 60]], "8": [[10, 10, 90, 70], [-2, 0, 50, 50]]}
    entry = {"sentences": ["A dog and two cats ."], "phrases": phrases, "boxes": boxes}
    (root / "entities.json").write_text(json.dumps(dict.fromkeys(names, entry)))
    return root


@pytest.fixture(scope="module")
def common(folder: Path, dataset: Path) -> tuple[str | Path, ...]:
    files = ("--checkpoint", folder / "photos", "--cache", folder / "cache")
    return ("evaluate", "captions", "--dataset", dataset, *files)


def test_captions_of_a_split_are_measured_in_the_documented_form_and_written(
    dvsa: Run, common: tuple[str | Path, ...], tmp_path: Path
) -> None:
    more = ("--beam", "3", "--captions", tmp_path / "captions.json", "--json")
    result = dvsa(*common, *more, **NO_JAVA)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["split", "images", "beam", *MEASURES, "distinct", "copied", "mean_length"]
    assert (found["split"], found["images"], found["beam"]) == ("dev", 20, 3)
    assert found["meteor"] is None
    assert "METEOR is left out" in result.stderr
    assert "photos/s" in result.stderr  # progress
    captions = json.loads((tmp_path / "captions.json").read_text())
    assert len(captions) == 20
    assert set(captions[0]) == {"photo", "caption", "log_probability"}
    assert found["distinct"] == 100 * len({one["caption"] for one in captions}) / 20
    assert found["mean_length"] == pytest.approx(sum(len(one["caption"].split()) for one in captions) / 20)
    assert all(one["log_probability"] < 0 for one in captions)

    first = dvsa(*common, *more, "--subset", "3", **NO_JAVA)
    assert json.loads(first.stdout)["images"] == 3
    assert json.loads((tmp_path / "captions.json").read_text()) == captions[:3]


def test_captions_of_the_boxes_of_phrases_are_measured_for_three_rivals(
    dvsa: Run, common: tuple[str | Path, ...], folder: Path
) -> None:
    regions = ("--regions", "--entities", folder / "entities.json", "--region-checkpoint", folder / "regions")
    result = dvsa(*common, *regions, "--json", **NO_JAVA)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["regions"]
    assert list(found) == ["boxes", "region_model", "photo_model", "nearest_neighbour"]
    assert found["boxes"] == 60
    for rival in ("region_model", "photo_model", "nearest_neighbour"):
        assert list(found[rival]) == MEASURES
    table = dvsa(*common, *regions, **NO_JAVA)
    assert table.returncode == 0, table.stderr
    lines = table.stdout.splitlines()
    assert lines[0].endswith("20 photos, beam 7")
    assert lines[3] == "60 boxes of phrases"
    assert lines[4].split()[:3] == ["region", "model", f"{found['region_model']['bleu1']:.1f}"]


def test_the_table_has_a_row_for_each_model() -> None:
    close = Closeness(35.21, 23.0, 16.1, 14.8, None, 30.0, 0.4567)
    scores = CaptionScores(57.9, 38.3, 24.5, 16.0, 18.0, 44.0, 0.5, 90.0, 2.5, 9.25)
    assert _lines(scores, RegionScores(1234, close, close, replace(close, meteor=8.0))) == [
        "                     BLEU-1   BLEU-2   BLEU-3   BLEU-4   METEOR  ROUGE-L    CIDEr",
        "photos                 57.9     38.3     24.5     16.0     18.0     44.0    0.500",
        "1,234 boxes of phrases",
        "region model           35.2     23.0     16.1     14.8        -     30.0    0.457",
        "photo model            35.2     23.0     16.1     14.8        -     30.0    0.457",
        "nearest neighbour      35.2     23.0     16.1     14.8      8.0     30.0    0.457",
        "of photos: 90.0 % distinct, 2.5 % copied from training, 9.2 words",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--beam", "0"), "the beam must be 1 or wider, not 0"),
        (("--checkpoint", str(BUNDLED)), "alignment holds no checkpoint: captioner.json is not there"),
        (("--checkpoint", "{folder}/regions"), "the captioner describes regions, and one that describes photos"),
        (("--checkpoint", "{folder}/other"), "was trained on the features grid_cnn, and the alignment model takes"),
        (("--alignment", "{folder}/photos"), "photos holds no checkpoint: checkpoint.json is not there"),
        (("--subset", "21"), "fewer than --subset 21"),
        (("--captions", "{folder}/no/captions.json"), "the captions {folder}/no/captions.json cannot be written"),
        (("--regions", "--entities", "{folder}/entities.json", "--region-checkpoint", "x"), "x holds no checkpoint"),
    ],
)
def test_mistakes_are_told_in_one_line(
    dvsa: Run, common: tuple[str | Path, ...], folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    if not (folder / "other").exists():
        save(folder / "other", "photos", "grid_cnn")
    result = dvsa(*common, *(argument.format(folder=folder) for argument in arguments))
    assert result.returncode == 1
    assert message.format(folder=folder) in result.stderr
    assert result.stderr.strip().count("\n") == 0


def test_regions_and_entities_belong_together(dvsa: Run, common: tuple[str | Path, ...], folder: Path) -> None:
    for arguments in (("--regions",), ("--entities", folder / "entities.json")):
        result = dvsa(*common, *arguments)
        assert result.returncode == 2
        assert "--regions and --entities belong together" in result.stderr


def test_without_the_package_of_the_measures_its_command_is_told(
    dvsa: Run, common: tuple[str | Path, ...], tmp_path: Path
) -> None:
    (tmp_path / "pycocoevalcap.py").write_text("raise ImportError('it is not here')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    result = dvsa(*common, PYTHONPATH=path)
    assert result.returncode == 1
    assert "install it with: pip install 'dvsa[captions]'" in result.stderr
    assert result.stderr.strip().count("\n") == 0
