import pytest
import torch

from model.boxes import GEOMETRY
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig, beam_search
from model.captions.caption import caption_features
from model.captions.captioner import CaptionerConfig, build_captioner
from model.exceptions import CaptionError
from model.vocabulary import Vocabulary
from tests.model.captions.one_hot_alignment import VOCABULARY, make_alignment

ROW_SIZE = 3 + GEOMETRY


def photo(*things: float) -> torch.Tensor:
    """A photo with a region for each thing that it shows: dog, cat, grass."""
    rows = [[float(number == thing) for number in range(ROW_SIZE)] for thing in things]
    return torch.tensor(rows)


@pytest.fixture
def agreement() -> Agreement:
    return Agreement(make_alignment(), VOCABULARY)


def test_what_the_photo_shows_is_agreed_with(agreement: Agreement) -> None:
    beam = [["dog"], ["cat"], ["grass"]]
    (scores,) = agreement.of(photo(1, 1)[None], [beam])
    assert int(scores.argmax()) == 1
    assert scores.tolist() == pytest.approx([-(0.5**0.5), 2**0.5, -(0.5**0.5)])


def test_scores_have_mean_0_and_spread_1_in_each_beam(agreement: Agreement) -> None:
    features = torch.stack([photo(0, 2), photo(1, 1)])
    beams = [[["dog"], ["cat"], ["dog", "cat"], ["grass", "dog"]], [["cat"], ["dog"]]]
    together = agreement.of(features, beams)
    for number, scores in enumerate(together):
        assert float(scores.mean()) == pytest.approx(0, abs=1e-6)
        assert float(scores.std(correction=0)) == pytest.approx(1)
        (alone,) = agreement.of(features[number, None], beams[number : number + 1])
        torch.testing.assert_close(scores, alone)


def test_a_sentence_that_is_not_understood_has_the_mean(agreement: Agreement) -> None:
    found = agreement.of(photo(0, 2)[None], [[["dog"], ["unheard"], ["cat"]]])[0]
    assert found.tolist() == pytest.approx([1, 0, -1])
    assert agreement.of(photo(0, 2)[None], [[["unheard"], ["of"]]])[0].tolist() == [0, 0]


def test_equal_sentences_are_equal(agreement: Agreement) -> None:
    assert agreement.of(photo(0, 2)[None], [[["dog"], ["grass"]]])[0].tolist() == [0, 0]


def test_the_weight_decides_between_likely_and_agreed(agreement: Agreement) -> None:
    torch.manual_seed(0)
    config = CaptionerConfig(row_size=ROW_SIZE, embedding=8, hidden=8)
    captioner = build_captioner(config, 3).eval()
    vocabulary = Vocabulary(["dog", "cat", "grass"])
    features = torch.stack([photo(0, 0), photo(1, 1), photo(2, 2)])

    def said(weight: float, given: Agreement | None = agreement) -> list[tuple[str, ...]]:
        beam = BeamConfig(agreement=weight)
        return [caption.words for caption in caption_features(captioner, vocabulary, [features], beam, given)]

    beams = beam_search(captioner, features, BeamConfig())
    likeliest = [tuple(vocabulary.words[number - 1] for number in best.numbers) for best, *_ in beams]
    assert said(0.0) == said(1.0, None) == likeliest
    agreed = said(1e6)
    assert agreed != likeliest
    candidates = [[[vocabulary.words[n - 1] for n in one.numbers] for one in beam] for beam in beams]
    for words, beam, scores in zip(agreed, candidates, agreement.of(features, candidates), strict=True):
        assert list(words) == beam[int(scores.argmax())]


def test_of_a_region_the_model_is_shown_the_region_and_not_its_photo(agreement: Agreement) -> None:
    torch.manual_seed(0)
    captioner = build_captioner(CaptionerConfig("lstm", "regions", row_size=ROW_SIZE, embedding=8, hidden=8), 3).eval()
    vocabulary = Vocabulary(["dog", "cat", "grass"])
    features = torch.stack([photo(0, 1), photo(0, 2)])  # photos of a dog; a region with a cat, and one with grass
    with torch.no_grad():
        captioner.bias[0] = 9.0  # of one word each
    captions = caption_features(captioner, vocabulary, [features], BeamConfig(agreement=1e6), agreement)
    assert [caption.words for caption in captions] == [("cat",), ("grass",)]


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(CaptionError, match="weight of the alignment model must be 0 or more"):
        BeamConfig(agreement=weight)
