import pytest

from model.vocabulary import Vocabulary
from model.words import split_sentences, word_spans, words_of


def test_words_are_lower_cased_and_punctuation_is_dropped() -> None:
    assert words_of("A dog -- isn't it? -- runs .") == ["a", "dog", "isn't", "it", "runs"]


@pytest.mark.parametrize("text", ["", "   ", "?!... --", "\n\t"])
def test_text_without_words_has_none(text: str) -> None:
    assert word_spans(text) == []


def test_words_of_other_scripts() -> None:
    text = "Ein Käfer läuft. 犬 走る Собака бежит"
    assert words_of(text) == ["ein", "käfer", "läuft", "犬", "走る", "собака", "бежит"]


def test_spans_point_into_the_text() -> None:
    text = "Two  dogs, playing"
    assert [text[start:end] for start, end in word_spans(text)] == ["Two", "dogs", "playing"]


def test_sentences_end_at_full_stops_but_not_at_abbreviations_and_at_line_breaks() -> None:
    text = "Dr. Smith walks a dog. It barks!\n\nA cat sleeps"
    assert split_sentences(text) == ["Dr. Smith walks a dog.", "It barks!", "A cat sleeps"]


def test_vocabulary_keeps_words_seen_often_enough_most_frequent_first() -> None:
    vocabulary = Vocabulary.from_sentences(["b a", "a b c", "a"], minimum_count=2)
    assert vocabulary.words == ["a", "b"]
    assert "c" not in vocabulary
    assert vocabulary.numbers(["b", "c", "a"]) == [2, 1]
