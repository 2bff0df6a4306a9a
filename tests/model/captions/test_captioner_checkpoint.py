import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from model.alignment import AlignmentConfig, build_alignment_model
from model.captions.beam import BeamConfig
from model.captions.caption import Caption, caption_features
from model.captions.captioner import build_captioner
from model.captions.checkpoint import annotate_captioner, load_captioner, refuse_unfit, save_captioner
from model.checkpoint import save_checkpoint
from model.exceptions import CheckpointError
from model.sentence_encoder import SentenceEncoderConfig
from model.vocabulary import Vocabulary
from tests.model.captions.made_captioners import DECODER_NAMES, make_captioner, photos

VOCABULARY = Vocabulary(["a", "dog", "白", "犬"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A captioner's checkpoint."""
    save_captioner(tmp_path / "captioner", make_captioner("attention", words=4), VOCABULARY, {"terms": "none"})
    return tmp_path / "captioner"


def change(folder: Path, **changes: Any) -> None:
    path = folder / "captioner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def captions(model: Any, vocabulary: Vocabulary) -> list[Caption]:
    return list(caption_features(model, vocabulary, [photos(5)], BeamConfig(3)))


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_captioner_that_is_read_again_says_the_same(decoder: str, tmp_path: Path) -> None:
    save_captioner(tmp_path / "rounded", make_captioner(decoder, words=4), VOCABULARY, {})
    model = load_captioner(tmp_path / "rounded").model  # its weights are in eight bits
    save_captioner(tmp_path, model, VOCABULARY, {"dev": {"cider": 0.5}})
    found = load_captioner(tmp_path)
    assert captions(found.model, found.vocabulary) == captions(model, VOCABULARY)
    assert found.model.config == model.config
    assert found.vocabulary.words == VOCABULARY.words
    assert found.about == {"dev": {"cider": 0.5}}
    assert not found.model.training


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_eight_bits_change_a_weight_by_half_a_step_of_its_row_at_most(decoder: str, tmp_path: Path) -> None:
    model = make_captioner(decoder, words=4)
    save_captioner(tmp_path, model, VOCABULARY, {})
    found = load_captioner(tmp_path).model.state_dict()
    for name, weight in model.state_dict().items():
        step = weight.abs().amax(dim=-1, keepdim=True) / 127 if weight.ndim == 2 else torch.zeros_like(weight)
        assert ((found[name] - weight).abs() <= 0.51 * step + 1e-3 * weight.abs()).all()


def test_what_is_added_about_it_leaves_its_hash_and_another_configuration_does_not(folder: Path) -> None:
    before = load_captioner(folder)
    annotate_captioner(folder, {"command": "dvsa train captioner", "terms": "other"})
    after = load_captioner(folder)
    assert after.about == {"terms": "none", "command": "dvsa train captioner"}
    assert after.model_hash == before.model_hash
    save_captioner(folder, build_captioner(replace(before.model.config, features="x"), 4), VOCABULARY, {})
    assert load_captioner(folder).model_hash != before.model_hash


@pytest.mark.parametrize("length", [0, 100, 2000])
def test_weights_cut_short_are_refused(folder: Path, length: int) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"weights .* are missing or cut short"):
        load_captioner(folder)


def test_other_weights_or_none_are_refused(folder: Path, tmp_path: Path) -> None:
    save_captioner(tmp_path / "other", make_captioner("attention", words=4, seed=1), VOCABULARY, {})
    (tmp_path / "other" / "weights.safetensors").replace(folder / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"are not those that captioner\.json describes"):
        load_captioner(folder)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match="missing or cut short"):
        load_captioner(folder)


def test_a_description_cut_short_of_another_version_or_incomplete_is_refused(folder: Path) -> None:
    path = folder / "captioner.json"
    whole = path.read_text()
    path.write_text(whole[:200])
    with pytest.raises(CheckpointError, match=r"captioner\.json cannot be read or is cut short"):
        load_captioner(folder)
    path.write_text(whole)
    change(folder, format_version=99)
    with pytest.raises(CheckpointError, match="is of format 99, this program reads format 1"):
        load_captioner(folder)
    without = json.loads(whole)
    del without["vocabulary"]
    path.write_text(json.dumps(without))
    with pytest.raises(CheckpointError, match=r"captioner\.json lacks vocabulary"):
        load_captioner(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": "a dog"}, r"captioner\.json was changed: vocabulary: Input should be a valid list"),
        ({"vocabulary": ["a", 1, "dog", "白"]}, r"was changed: vocabulary\.1: Input should be a valid string"),
        ({"about": None}, r"was changed: about: Input should be a valid dictionary"),
        ({"config": []}, r"was changed: config: Input should be a valid dictionary"),
    ],
)
def test_a_description_with_something_else_in_it_is_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    change(folder, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_captioner(folder)


def test_a_vocabulary_that_lacks_a_word_is_refused(folder: Path) -> None:
    change(folder, vocabulary=["a", "dog", "白"])
    with pytest.raises(CheckpointError, match="names 3 words and its weights are for 4"):
        load_captioner(folder)


def test_a_configuration_that_does_not_fit_is_refused(folder: Path) -> None:
    config = json.loads((folder / "captioner.json").read_text())["config"]
    for changes, message in (
        ({"hidden": 16}, "do not fit the configuration"),
        ({"decoder": "transformer"}, "do not fit the configuration"),
        ({"heads": 3}, r"is of another version; train again: config\.heads: Unexpected"),
        ({"hidden": "many"}, r"config\.hidden: Input should be a valid integer"),
    ):
        change(folder, config=config | changes)
        with pytest.raises(CheckpointError, match=message):
            load_captioner(folder)


def test_a_folder_without_a_captioner_is_refused_and_that_of_an_alignment_model_too(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no checkpoint: captioner\.json is not there"):
        load_captioner(tmp_path / "nothing")
    sentence = SentenceEncoderConfig("gru", 8, 8, words="learned")
    model = build_alignment_model(AlignmentConfig(feature_size=8, dimension=8, sentence=sentence), VOCABULARY)
    save_checkpoint(tmp_path / "alignment", model, VOCABULARY, {})
    with pytest.raises(CheckpointError, match=r"alignment holds no checkpoint: captioner\.json is not there"):
        load_captioner(tmp_path / "alignment")


def test_a_captioner_of_other_features_or_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = replace(make_captioner("lstm").config, features="grid_cnn_0123")
    save_captioner(tmp_path, build_captioner(config, 4), VOCABULARY, {})
    found = load_captioner(tmp_path)
    refuse_unfit(found, "photos", "grid_cnn_0123")
    with pytest.raises(CheckpointError, match="trained on the features grid_cnn_0123, and the alignment model takes x"):
        refuse_unfit(found, "photos", "x")
    with pytest.raises(CheckpointError, match="describes photos, and one that describes regions is needed"):
        refuse_unfit(found, "regions", "grid_cnn_0123")


def test_the_text_of_a_caption_has_the_spaces_of_its_script() -> None:
    assert Caption(("a", "dog"), -1.0).text == "a dog"
    assert Caption(("白", "犬"), -1.0).text == "白犬"
