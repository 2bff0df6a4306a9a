import pytest
import torch

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.sentence_encoder import pad_numbers

CONFIG = AlignmentConfig(feature_size=9, embedding_size=8, hidden_size=6, dimension=4)
SENTENCES = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 1, 2]]


@pytest.fixture
def model() -> AlignmentModel:
    torch.manual_seed(0)
    return build_alignment_model(CONFIG, vocabulary_size=10).eval()


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
