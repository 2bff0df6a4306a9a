import itertools
import math
from collections.abc import Sequence

import pytest
import torch

from model.captions import beam
from model.captions.beam import MAXIMUM_WORDS, BeamConfig, Sentence, beam_search
from model.captions.captioner import BOUNDARY, Captioner, pad_sentences
from model.exceptions import CaptionError
from tests.model.captions.made_captioners import DECODER_NAMES, make_captioner, photos

ALL = 3 + 9 + 27  # sentences of one to three of three words


@pytest.fixture
def at_most_three_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beam, "MAXIMUM_WORDS", 3)


@torch.inference_mode()
def log_probability(captioner: Captioner, features: torch.Tensor, numbers: Sequence[int]) -> float:
    sums, _ = captioner.losses(features[None], *pad_sentences([[numbers]]))
    return -float(sums)


def repeats(numbers: Sequence[int], length: int) -> bool:
    runs = [tuple(numbers[start : start + length]) for start in range(len(numbers) - length + 1)]
    return len(set(runs)) < len(runs)


def brute_force(captioner: Captioner, features: torch.Tensor, config: BeamConfig) -> list[Sentence]:
    """Score every sentence of one to three words, the best first."""
    sentences = [
        numbers
        for length in (1, 2, 3)
        for numbers in itertools.product((1, 2, 3), repeat=length)
        if not config.no_repeat or not repeats(numbers, config.no_repeat)
    ]
    found = [Sentence(numbers, log_probability(captioner, features, numbers)) for numbers in sentences]
    return sorted(found, key=lambda one: -one.log_probability / (len(one.numbers) + 1) ** config.length_norm)


def assert_same(found: Sequence[Sentence], expected: Sequence[Sentence]) -> None:
    assert [one.numbers for one in found] == [one.numbers for one in expected]
    assert [one.log_probability for one in found] == pytest.approx([one.log_probability for one in expected], rel=1e-4)


@pytest.mark.usefixtures("at_most_three_words")
@pytest.mark.parametrize("no_repeat", [0, 1, 2])
@pytest.mark.parametrize("length_norm", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_beam_wide_enough_for_all_sentences_finds_what_brute_force_finds(
    decoder: str, length_norm: float, no_repeat: int
) -> None:
    captioner, features = make_captioner(decoder), photos(3)
    config = BeamConfig(ALL, length_norm, no_repeat)
    for found, photo in zip(beam_search(captioner, features, config), features, strict=True):
        expected = brute_force(captioner, photo, config)
        # without a norm the search ends with the best; with one it knows them all
        assert_same(found, expected)


@pytest.mark.usefixtures("at_most_three_words")
def test_a_length_norm_prefers_longer_sentences() -> None:
    captioner, features = make_captioner("lstm"), photos(20)
    plain = [best.numbers for best, *_ in beam_search(captioner, features, BeamConfig(ALL))]
    normed = [best.numbers for best, *_ in beam_search(captioner, features, BeamConfig(ALL, length_norm=2.0))]
    assert sum(map(len, normed)) > sum(map(len, plain))


@torch.inference_mode()
def greedy(captioner: Captioner, features: torch.Tensor) -> Sentence:
    memory = captioner.remember(features[None])
    state, numbers, total = captioner.begin(memory, 1), [BOUNDARY], 0.0
    while len(numbers) == 1 or numbers[-1] != BOUNDARY:
        logits, state = captioner.logits(torch.tensor([[numbers[-1:]]]), memory, state)
        scores = logits[0, 0, 0].log_softmax(dim=0)
        first = len(numbers) == 1
        number = int(scores[1:].argmax()) + 1 if first else int(scores.argmax())
        number = BOUNDARY if len(numbers) == MAXIMUM_WORDS + 1 else number
        total += float(scores[number])
        numbers.append(number)
    return Sentence(tuple(numbers[1:-1]), total)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_beam_of_one_takes_the_likeliest_word_each_time(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=11), photos(20)
    found = beam_search(captioner, features, BeamConfig(1))
    assert all(len(of_photo) == 1 for of_photo in found)
    assert_same([one for (one,) in found], [greedy(captioner, photo) for photo in features])


@pytest.mark.parametrize("config", [BeamConfig(), BeamConfig(3, 0.7), BeamConfig(4, 1.0, 2), BeamConfig(2, 0.0, 1)])
@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_photo_in_a_batch_is_captioned_as_alone(decoder: str, config: BeamConfig) -> None:
    captioner, features = make_captioner(decoder, words=11), photos(12)
    together = [best for best, *_ in beam_search(captioner, features, config)]
    assert_same(together, [beam_search(captioner, photo[None], config)[0][0] for photo in features])
    assert len({one.numbers for one in together}) > 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_sentences_are_never_empty_and_of_words_only_with_their_own_log_probability(decoder: str, seed: int) -> None:
    captioner, features = make_captioner(decoder, words=5, seed=seed), photos(6)
    for config in (BeamConfig(1), BeamConfig(9), BeamConfig(50, 1.0), BeamConfig(3, 0.5, 3)):
        for photo, found in zip(features, beam_search(captioner, features, config), strict=True):
            assert 1 <= len(found) <= config.width
            assert all(1 <= number <= 5 for one in found for number in one.numbers)
            assert all(1 <= len(one.numbers) <= MAXIMUM_WORDS for one in found)
            assert len({one.numbers for one in found}) == len(found)
            for one in found[:3]:
                expected = log_probability(captioner, photo, one.numbers)
                assert one.log_probability == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("width", [1, 2, 7])
def test_where_all_words_are_equally_likely_a_sentence_is_found_and_is_always_the_same(width: int) -> None:
    captioner, features = make_captioner("attention", words=5), photos(4)
    with torch.no_grad():
        captioner.embedding.weight.zero_()
        captioner.bias.zero_()
    together = beam_search(captioner, features, BeamConfig(width))
    for photo, (best, *_) in zip(features, together, strict=True):
        assert best.log_probability == pytest.approx(-(len(best.numbers) + 1) * math.log(6))
        assert beam_search(captioner, photo[None], BeamConfig(width))[0][0] == best


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_captioner_that_only_wants_to_end_says_one_word_and_one_that_never_does_is_cut_off(
    decoder: str, width: int
) -> None:
    captioner, features = make_captioner(decoder), photos(2)
    for bias, length in ((1000.0, 1), (-1000.0, MAXIMUM_WORDS)):
        with torch.no_grad():
            captioner.bias[BOUNDARY] = bias
        for best, *_ in beam_search(captioner, features, BeamConfig(width)):
            assert len(best.numbers) == length


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("no_repeat", [1, 2, 3])
def test_no_sequence_is_repeated_even_where_nothing_else_is_left_to_say(no_repeat: int, width: int) -> None:
    captioner, features = make_captioner("lstm"), photos(5)
    with torch.no_grad():
        captioner.bias[BOUNDARY] = -1000.0
    assert all(repeats(best.numbers, no_repeat) for best, *_ in beam_search(captioner, features, BeamConfig(width)))
    for found in beam_search(captioner, features, BeamConfig(width, no_repeat=no_repeat)):
        assert found
        assert not any(repeats(one.numbers, no_repeat) for one in found)


@pytest.mark.parametrize("width", [0, -1])
def test_a_beam_of_nothing_is_refused(width: int) -> None:
    with pytest.raises(CaptionError, match=f"the beam must be 1 or wider, not {width}"):
        BeamConfig(width)
    with pytest.raises(CaptionError, match="must be 0 or more, not -2"):
        BeamConfig(no_repeat=-2)
