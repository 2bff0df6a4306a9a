from dataclasses import replace

import numpy as np
import pytest
import torch

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.sentence_encoder import SentenceEncoderConfig, WordStream, pad_numbers
from model.vocabulary import Vocabulary
from model.word_vectors import WordVectors

VOCABULARY = Vocabulary(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], learned=8)
RANDOM = np.random.default_rng(0)
VECTORS = WordVectors(
    VOCABULARY.words, RANDOM.integers(-127, 127, (10, 5)).astype(np.int8), np.full(10, 0.02, np.float32)
)
CONFIG = AlignmentConfig(feature_size=4, dimension=9, sentence=SentenceEncoderConfig("gru", 8, 6))
SENTENCES = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 1, 2]]


def make_model(config: AlignmentConfig) -> AlignmentModel:
    torch.manual_seed(0)
    return build_alignment_model(config, VOCABULARY, VECTORS).eval()


@pytest.fixture(params=["gru", "relu"])
def model(request: pytest.FixtureRequest) -> AlignmentModel:
    return make_model(replace(CONFIG, sentence=replace(CONFIG.sentence, cell=request.param)))


def test_word_vectors_do_not_depend_on_neighbours_in_the_batch(model: AlignmentModel) -> None:
    together = model.sentence_encoder(pad_numbers(SENTENCES))
    for row, sentence in enumerate(SENTENCES):
        alone = model.sentence_encoder(pad_numbers([sentence]))
        assert alone.shape == (1, len(sentence), 9)  # a batch of one keeps its dimension
        torch.testing.assert_close(together[row, : len(sentence)], alone[0])


def test_the_same_word_in_another_context_has_another_vector(model: AlignmentModel) -> None:
    first, second = model.sentence_encoder(pad_numbers([[1, 2], [1, 3]]))
    assert not torch.allclose(first[0], second[0])


def test_streams_have_length_one_where_the_configuration_says_so(model: AlignmentModel) -> None:
    regions = model.image_encoder(torch.randn(2, 3, 13))
    words = model.sentence_encoder(pad_numbers([[1, 2]]))
    for region_part, word_part in model.each_stream(regions, words):
        torch.testing.assert_close(region_part[..., :-1].norm(dim=-1), torch.ones(2, 3))
        torch.testing.assert_close(word_part[..., :-1].norm(dim=-1), torch.ones(1, 2))


def test_a_product_is_the_mean_of_the_streams_products(model: AlignmentModel) -> None:
    regions = model.image_encoder(torch.randn(3, 13))
    words = model.sentence_encoder(pad_numbers([[1, 2]]))[0]
    alone = [region_part @ word_part.T for region_part, word_part in model.each_stream(regions, words)]
    torch.testing.assert_close(regions @ words.T, sum(alone) / len(alone))


def test_the_rank_prior_takes_from_each_product_what_it_says() -> None:
    with_prior = make_model(replace(CONFIG, rank_prior=0.15))
    without = make_model(replace(CONFIG, rank_prior=0.0, dimension=8))
    without.load_state_dict(with_prior.state_dict())
    features, numbers = torch.randn(20, 13), pad_numbers([[1, 2]])
    products = [model.image_encoder(features) @ model.sentence_encoder(numbers)[0].T for model in (with_prior, without)]
    expected = -0.15 * torch.log1p(torch.arange(20)) / 3
    expected[-1] = -0.15 * 0.3
    torch.testing.assert_close(products[0] - products[1], expected[:, None].expand(20, 2))


def test_regions_see_the_whole_photo_only_with_context() -> None:
    features = torch.randn(3, 13)
    changed = features.clone()
    changed[-1] += 1.0
    for context in (True, False):
        encoder = make_model(replace(CONFIG, context=context)).image_encoder
        assert torch.equal(encoder(features)[0], encoder(changed)[0]) is not context


def test_a_word_that_training_never_saw_has_the_vector_of_its_pretrained_one() -> None:
    """Words 9 and 10 have no embedding: they are told apart by the pretrained table alone."""
    encoder = make_model(CONFIG).sentence_encoder
    ninth, tenth = encoder(pad_numbers([[9]])), encoder(pad_numbers([[10]]))
    assert not torch.allclose(ninth, tenth)
    encoder.pretrained[9] = encoder.pretrained[10]
    torch.testing.assert_close(encoder(pad_numbers([[9]])), tenth)
    encoder.pretrained[1] = encoder.pretrained[10]
    assert not torch.allclose(encoder(pad_numbers([[1]])), tenth)  # a learned word has its own besides


def test_score_of_one_photo_and_one_word(model: AlignmentModel) -> None:
    assert model(torch.randn(1, 1, 13), pad_numbers([[3]])).shape == (1, 1)


def brnn_by_hand(stream: WordStream, words: torch.Tensor) -> torch.Tensor:
    """The equations of the paper, word by word, from word vectors (W, P)."""
    rnn, relu = dict(stream.rnn.named_parameters()), torch.relu
    assert stream.translate is not None
    e = [relu(stream.before[0](stream.translate(word))) for word in words]

    def step(e_t: torch.Tensor, before: torch.Tensor, way: str) -> torch.Tensor:
        entering = rnn["weight_ih_l0" + way] @ e_t + rnn["bias_ih_l0" + way]
        return relu(entering + rnn["weight_hh_l0" + way] @ before + rnn["bias_hh_l0" + way])

    forward, backward = [torch.zeros(6)], [torch.zeros(6)]
    for e_t in e:
        forward.append(step(e_t, forward[-1], ""))
    for e_t in reversed(e):
        backward.append(step(e_t, backward[-1], "_reverse"))
    both = torch.stack(forward[1:]) + torch.stack(backward[:0:-1])
    return relu(stream.project(both))


def test_the_brnn_of_the_paper_follows_its_equations() -> None:
    sentence = SentenceEncoderConfig("relu", 8, 6, words="pretrained")
    config = replace(
        CONFIG, features=("cropped",), streams=1, unit=False, context=False, rank_prior=0.0, sentence=sentence
    )
    encoder = make_model(config).sentence_encoder
    words = torch.from_numpy(VECTORS.table[[0, 4, 1]]).float() * 0.02
    (stream,) = encoder.streams
    assert isinstance(stream, WordStream)
    torch.testing.assert_close(encoder(pad_numbers([[1, 5, 2]]))[0], brnn_by_hand(stream, words))


def test_pretrained_word_vectors_are_not_trained() -> None:
    encoder = make_model(CONFIG).sentence_encoder
    assert "pretrained" not in dict(encoder.named_parameters())
    assert encoder.pretrained.dtype == torch.int8


def test_feature_spread_makes_training_features_have_that_mean_and_deviation() -> None:
    encoder = make_model(replace(CONFIG, feature_spread=0.1)).image_encoder
    features = torch.from_numpy(RANDOM.normal(3.0, 5.0, (50, 4, 13)).astype(np.float32))
    before = encoder(features)
    encoder.fit_spread(features)
    shifted = ((features - encoder.shift) * encoder.scale).flatten(0, 1)
    torch.testing.assert_close(shifted.mean(dim=0), torch.zeros(13), atol=1e-5, rtol=0)
    torch.testing.assert_close(shifted.std(dim=0), torch.full((13,), 0.1), atol=1e-4, rtol=0)
    assert not torch.allclose(encoder(features), before)
