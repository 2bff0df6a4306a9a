from pathlib import Path

import numpy as np
import pytest
import torch

from model.alignment import AlignmentConfig, build_alignment_model
from model.checkpoint import load_checkpoint, save_checkpoint, word_vectors_of
from model.exceptions import DatasetError
from model.sentence_encoder import pad_numbers
from model.vocabulary import Vocabulary
from model.word_vectors import read_word_vectors

GLOVE = "the 0.1 0.2 -0.3\n, 1 1 1\ndog 3 2 1\nDog 9 9 9\ncat 2.5 2 1\nzebra -1 -2 -3\n"


@pytest.fixture
def glove(tmp_path: Path) -> Path:
    path = tmp_path / "glove.txt"
    path.write_text(GLOVE, encoding="utf-8")
    return path


def test_words_are_read_in_order_and_what_is_no_word_in_its_normal_form_is_left_out(glove: Path) -> None:
    vectors = read_word_vectors(glove)
    assert vectors.words == ["the", "dog", "cat", "zebra"]
    values = vectors.table * vectors.scale[:, None]
    expected = np.array([[0.1, 0.2, -0.3], [3, 2, 1], [2.5, 2, 1], [-1, -2, -3]])
    np.testing.assert_allclose(values, expected / expected.std(), atol=0.01)


def test_only_the_commonest_and_the_words_asked_for_are_kept(glove: Path) -> None:
    assert read_word_vectors(glove, also=["zebra"], commonest=2).words == ["the", "dog", "zebra"]


def test_the_first_line_of_word2vec_is_no_word(tmp_path: Path) -> None:
    path = tmp_path / "word2vec.txt"
    path.write_text("2 3\nhund 1 2 3\nkatze 3 2 1\n")
    assert read_word_vectors(path).words == ["hund", "katze"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"dog 1 2 3\ncat 1 2\n", "line 2: expected a word and 3 numbers"),
        (b"dog 1 2 three\n", "line 1: not every value"),
        (b"dog 1 \xff\n", "not UTF-8"),
        (b"", "hold no words"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_word_vectors(path)


def test_a_checkpoint_carries_the_words_it_never_saw_in_training(glove: Path, tmp_path: Path) -> None:
    vectors = read_word_vectors(glove)
    vocabulary = Vocabulary(["dog", "ball"]).with_more(vectors.words)
    assert (vocabulary.words, vocabulary.learned) == (["dog", "ball", "the", "cat", "zebra"], 2)
    model = build_alignment_model(AlignmentConfig(feature_size=4, dimension=9), vocabulary, vectors).eval()
    save_checkpoint(tmp_path / "checkpoint", model, vocabulary, {})
    loaded = load_checkpoint(tmp_path / "checkpoint")
    assert (loaded.vocabulary.words, loaded.vocabulary.learned) == (vocabulary.words, 2)
    numbers = pad_numbers([loaded.vocabulary.numbers(["the", "zebra"])])
    torch.testing.assert_close(
        loaded.model.sentence_encoder(numbers), model.sentence_encoder(numbers), rtol=0, atol=5e-3
    )
    carried = word_vectors_of(tmp_path / "checkpoint")
    assert sorted(carried.words) == sorted(vectors.words)
    row = carried.words.index("zebra")
    assert (carried.table[row] == vectors.table[3]).all()
