import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from model.captions.captioner import (
    BOUNDARY,
    NOTHING,
    UNKNOWN,
    Captioner,
    CaptionerConfig,
    build_captioner,
    pad_sentences,
    set_word_frequencies,
)
from model.captions.decoders import MultimodalRNN
from tests.model.captions.made_captioners import DECODER_NAMES, ROW_SIZE, make_captioner, photos

WORDS = torch.tensor([[[0, 3, 1, 4, 4], [0, 2, 2, 5, 1]], [[0, 1, 1, 1, 1], [0, 5, 4, 3, 2]]])  # (2, 2, 5)


@torch.inference_mode()
def all_at_once(captioner: Captioner, features: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    memory = captioner.remember(features)
    logits, _ = captioner.logits(words, memory, captioner.begin(memory, words.shape[1]))
    return logits


@torch.inference_mode()
def one_by_one(captioner: Captioner, features: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    memory = captioner.remember(features)
    state, steps = captioner.begin(memory, words.shape[1]), []
    for position in range(words.shape[2]):
        logits, state = captioner.logits(words[..., position : position + 1], memory, state)
        steps.append(logits)
    return torch.cat(steps, dim=2)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_words_read_one_by_one_are_followed_by_what_follows_them_read_at_once(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=5), photos(2)
    whole = all_at_once(captioner, features, WORDS)
    assert whole.shape == (2, 2, 5, 6)
    torch.testing.assert_close(one_by_one(captioner, features, WORDS), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_sentence_is_read_alone_as_beside_others_and_its_photo_matters(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=5), photos(2)
    whole = all_at_once(captioner, features, WORDS)
    for photo, sentence in np.ndindex(2, 2):
        alone = all_at_once(captioner, features[photo : photo + 1], WORDS[photo : photo + 1, sentence : sentence + 1])
        torch.testing.assert_close(alone[0, 0], whole[photo, sentence], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(all_at_once(captioner, features.flip(0), WORDS), whole, atol=0.1)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_only_words_before_a_place_decide_what_follows_it(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=5), photos(2)
    changed = WORDS.clone()
    changed[..., 3:] = 2
    before, after = (all_at_once(captioner, features, words) for words in (WORDS, changed))
    torch.testing.assert_close(after[:, :, :3], before[:, :, :3])
    assert not torch.allclose(after[:, :, 3:], before[:, :, 3:])


def numpy_weights(module: nn.Module) -> dict[str, npt.NDArray[np.float64]]:
    return {name: value.detach().double().numpy() for name, value in module.named_parameters()}


@pytest.mark.parametrize("scale", [0.3, 4.0], ids=["small", "up to the ceiling"])
def test_multimodal_rnn_is_the_formula_of_the_paper(scale: float) -> None:
    """h_t = f(f(W_hx x_t) + W_hh h_{t-1} + b_h + [t = 1] f(W_hi CNN(I))), the photo at first only."""
    torch.manual_seed(3)
    rnn = MultimodalRNN(subject_size=4, row_size=9, embedding=3, hidden=5, dropout=0.0)
    nn.init.normal_(rnn.recurrent.weight, std=scale)
    nn.init.normal_(rnn.recurrent.bias)
    weights = numpy_weights(rnn)
    subject, words = torch.randn(1, 4), torch.randn(1, 1, 6, 3)
    memory = rnn.remember(subject, torch.empty(1, 0, 9))
    said, _ = rnn(words, memory, rnn.begin(memory, 1))

    def linear(name: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(weights[f"{name}.weight"] @ values + weights[f"{name}.bias"])

    hidden, largest = np.zeros(5), 0.0
    for step in range(6):
        image = np.maximum(linear("image", subject[0].double().numpy()), 0) if step == 0 else 0.0
        read = np.maximum(linear("word", words[0, 0, step].double().numpy()), 0)
        hidden = np.minimum(np.maximum(read + linear("recurrent", hidden) + image, 0), 20.0)
        largest = max(largest, hidden.max())
        np.testing.assert_allclose(said[0, 0, step].detach(), linear("output", hidden), rtol=1e-4, atol=1e-4)
    assert (largest == 20.0) == (scale == 4.0)


def test_multimodal_rnn_by_hand() -> None:
    """One hidden unit, the photo 2, words 1 and 1: 2 + 1 = 3, then 1 + 3 / 2 = 2.5; the output doubles."""
    rnn = MultimodalRNN(subject_size=1, row_size=1, embedding=1, hidden=1, dropout=0.0)
    with torch.no_grad():
        for name, value in rnn.named_parameters():
            value.fill_({"recurrent.weight": 0.5, "output.weight": 2.0}.get(name, float("weight" in name)))
    memory = rnn.remember(torch.tensor([[2.0]]), torch.empty(1, 0, 1))
    said, _ = rnn(torch.ones(1, 1, 2, 1), memory, rnn.begin(memory, 1))
    assert said.flatten().tolist() == [6.0, 5.0]


def test_attention_looks_at_the_regions_and_the_others_at_the_whole_photo_only() -> None:
    features = photos(1)
    changed = features.clone()
    changed[:, 0] += 1.0
    for decoder in DECODER_NAMES:
        captioner = make_captioner(decoder, words=5)
        before, after = (all_at_once(captioner, given, WORDS[:1]) for given in (features, changed))
        assert torch.allclose(before, after) == (decoder != "attention")


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_a_captioner_of_regions_takes_the_whole_photo_and_the_region(decoder: str) -> None:
    torch.manual_seed(0)
    config = CaptionerConfig(decoder, "regions", row_size=ROW_SIZE, embedding=8, hidden=8)
    captioner, features = build_captioner(config, 5).eval(), photos(1, regions=2)
    before = all_at_once(captioner, features, WORDS[:1])
    for row in (0, 1):
        changed = features.clone()
        changed[:, row] += 1.0
        assert not torch.allclose(all_at_once(captioner, changed, WORDS[:1]), before)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_losses_are_the_negative_log_probabilities_of_each_photos_words(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=5), photos(2)
    inputs, targets = pad_sentences([[[3, 1], [2]], [[5]]])
    sums, words = captioner.losses(features, inputs, targets)
    logs = all_at_once(captioner, features, inputs).log_softmax(dim=-1)
    assert words.tolist() == [5, 2]  # ends count
    first = logs[0, 0, [0, 1, 2], [3, 1, BOUNDARY]].sum() + logs[0, 1, [0, 1], [2, BOUNDARY]].sum()
    second = logs[1, 0, [0, 1], [5, BOUNDARY]].sum()
    torch.testing.assert_close(sums.detach(), torch.stack([-first, -second]), rtol=1e-4, atol=1e-4)


def test_smoothing_spreads_probability_over_all_words() -> None:
    captioner, features = make_captioner("lstm", words=5), photos(1)
    inputs, targets = pad_sentences([[[3]]])
    logs = all_at_once(captioner, features, inputs).log_softmax(dim=-1)[0, 0]
    expected = -0.9 * (logs[0, 3] + logs[1, BOUNDARY]) - 0.1 * logs.mean(dim=-1).sum()
    torch.testing.assert_close(captioner.losses(features, inputs, targets, 0.1)[0][0].detach(), expected)


@pytest.mark.parametrize("decoder", DECODER_NAMES)
def test_an_unknown_word_is_read_and_not_predicted(decoder: str) -> None:
    captioner, features = make_captioner(decoder, words=5), photos(1)
    inputs, targets = pad_sentences([[[3, UNKNOWN, 2]]])
    assert inputs.tolist() == [[[BOUNDARY, 3, UNKNOWN, 2]]]
    assert targets.tolist() == [[[3, UNKNOWN, 2, BOUNDARY]]]
    sums, words = captioner.losses(features, inputs, targets)
    assert words.tolist() == [3]
    without = targets.where(targets != UNKNOWN, NOTHING)
    torch.testing.assert_close(captioner.losses(features, inputs, without)[0], sums)
    sums.sum().backward()
    gradient = captioner.embedding.weight.grad
    assert gradient is not None
    assert gradient[UNKNOWN].abs().sum() > 0  # what follows it depends on its embedding
    assert all_at_once(captioner, features, WORDS[:1]).shape[-1] == 5 + 1  # no column for it


def test_output_bias_starts_at_the_log_frequency_of_words_and_of_the_end() -> None:
    captioner = make_captioner("lstm", words=3)
    set_word_frequencies(captioner, [[1, 2, 1], [1, UNKNOWN], [1]])
    counts = torch.tensor([3, 4, 1, 0]) + 1.0  # ends, then words; one more, for words that are never seen
    torch.testing.assert_close(captioner.bias.detach(), (counts / 12).log())
