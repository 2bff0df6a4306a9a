from dataclasses import replace

import pytest
import torch

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.sentence_encoder import SentenceEncoder, SentenceEncoderConfig, pad_numbers

CONFIG = AlignmentConfig(feature_size=9, dimension=4, sentence=SentenceEncoderConfig("gru", 8, 6))
SENTENCES = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 1, 2]]


@pytest.fixture(params=["gru", "relu"])
def model(request: pytest.FixtureRequest) -> AlignmentModel:
    torch.manual_seed(0)
    config = replace(CONFIG, sentence=replace(CONFIG.sentence, cell=request.param))
    return build_alignment_model(config, vocabulary_size=10).eval()


def test_word_vectors_do_not_depend_on_neighbours_in_the_batch(model: AlignmentModel) -> None:
    together = model.sentence_encoder(pad_numbers(SENTENCES))
    for row, sentence in enumerate(SENTENCES):
        alone = model.sentence_encoder(pad_numbers([sentence]))
        assert alone.shape == (1, len(sentence), 4)  # a batch of one keeps its dimension
        torch.testing.assert_close(together[row, : len(sentence)], alone[0])


def test_the_same_word_in_another_context_has_another_vector(model: AlignmentModel) -> None:
    first, second = model.sentence_encoder(pad_numbers([[1, 2], [1, 3]]))
    assert not torch.allclose(first[0], second[0])


def test_vectors_have_length_one_where_the_configuration_says_so(model: AlignmentModel) -> None:
    vectors = model.image_encoder(torch.randn(2, 3, 9))
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2, 3))


def test_score_of_one_photo_and_one_word(model: AlignmentModel) -> None:
    assert model(torch.randn(1, 1, 9), pad_numbers([[3]])).shape == (1, 1)


def brnn_by_hand(encoder: SentenceEncoder, numbers: list[int]) -> torch.Tensor:
    """The equations of the paper, word by word."""
    rnn, relu = dict(encoder.rnn.named_parameters()), torch.relu
    e = [relu(encoder.before[0](encoder.embedding(torch.tensor(number)))) for number in numbers]

    def step(e_t: torch.Tensor, before: torch.Tensor, way: str) -> torch.Tensor:
        entering = rnn["weight_ih_l0" + way] @ e_t + rnn["bias_ih_l0" + way]
        return relu(entering + rnn["weight_hh_l0" + way] @ before + rnn["bias_hh_l0" + way])

    forward, backward = [torch.zeros(6)], [torch.zeros(6)]
    for e_t in e:
        forward.append(step(e_t, forward[-1], ""))
    for e_t in reversed(e):
        backward.append(step(e_t, backward[-1], "_reverse"))
    both = torch.stack(forward[1:]) + torch.stack(backward[:0:-1])
    return relu(encoder.project(both))


def test_the_brnn_of_the_paper_follows_its_equations() -> None:
    torch.manual_seed(0)
    config = AlignmentConfig(feature_size=9, dimension=4, unit=False, sentence=SentenceEncoderConfig("relu", 8, 6))
    encoder = build_alignment_model(config, vocabulary_size=10).eval().sentence_encoder
    torch.testing.assert_close(encoder(pad_numbers([[1, 5, 2]]))[0], brnn_by_hand(encoder, [1, 5, 2]))


def test_fixed_word_embeddings_are_not_trained() -> None:
    config = AlignmentConfig(sentence=SentenceEncoderConfig("relu", 8, 6, fixed_words=True))
    assert not build_alignment_model(config, vocabulary_size=10).sentence_encoder.embedding.weight.requires_grad
