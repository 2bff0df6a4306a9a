import unicodedata

import pytest

from model.vocabulary import Vocabulary
from model.words import join_words, knows_language, split_sentences, word_spans, words_of


def test_words_are_lower_cased_and_punctuation_is_dropped() -> None:
    assert words_of("A dog -- isn't it? -- runs .") == ["a", "dog", "isn't", "it", "runs"]


@pytest.mark.parametrize("text", ["", "   ", "?!... --", "\n\t"])
def test_text_without_words_has_none(text: str) -> None:
    assert word_spans(text) == []


def test_words_of_other_scripts() -> None:
    text = "Ein Käfer läuft. Собака бежит; 한국어 강아지 — ένα σκυλί"
    expected = ["ein", "käfer", "läuft", "собака", "бежит", "한국어", "강아지", "ένα", "σκυλί"]
    assert words_of(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("कुत्ता दौड़ता है।", ["कुत्ता", "दौड़ता", "है"]),  # Hindi: vowel signs, nukta and virama are marks
        ("كَلْبٌ يَجْرِي؟", ["كَلْبٌ", "يَجْرِي"]),  # Arabic with its vowels written
        ("می\u200cدود سگ", ["می\u200cدود", "سگ"]),  # Persian: the joiner without width is inside a word
        ("நாய் ஓடுகிறது", ["நாய்", "ஓடுகிறது"]),  # Tamil
        ("צה״ל ג׳ירפה", ["צה״ל", "ג׳ירפה"]),  # Hebrew: gershayim and geresh
        ("cafe\u0301 l'eau col·lecció", ["caf\u00e9", "l'eau", "col·lecció"]),
    ],
)
def test_marks_and_joiners_belong_to_their_word(text: str, words: list[str]) -> None:
    assert words_of(text) == [unicodedata.normalize("NFKC", word) for word in words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("白い犬がボールで遊ぶ。", ["白", "い", "犬", "が", "ボール", "で", "遊", "ぶ"]),
        ("一只狗，2只猫", ["一", "只", "狗", "2", "只", "猫"]),
        ("らーめんとTシャツ", ["らー", "め", "ん", "と", "tシャツ"]),
        ("หมาวิ่ง", ["ห", "ม", "า", "วิ่", "ง"]),
        ("ဝက်ဝံ", ["ဝ", "က်", "ဝံ"]),
    ],
)
def test_characters_with_their_marks_are_words_where_no_spaces_are_written(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_emoji_and_marks_alone_are_no_words() -> None:
    assert words_of("❤️ 👨\u200d👩\u200d👧 \u0301 dog") == ["dog"]


def test_what_looks_alike_is_one_word() -> None:
    assert words_of("ＤＯＧ dog ｲﾇ") == ["dog", "dog", "イヌ"]


def test_spans_point_into_the_text() -> None:
    text = "Two  dogs, playing"
    assert [text[start:end] for start, end in word_spans(text)] == ["Two", "dogs", "playing"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["two", "dogs"], "two dogs"),
        (["白", "い", "犬"], "白い犬"),
        (["スキー", "で", "ドッグ", "フード"], "スキーでドッグ フード"),
        (["らー", "麺"], "らー麺"),
        (["สุ", "นั", "ข", "2", "ตั", "ว"], "สุนัข 2 ตัว"),
        (["कुत्ता", "दौड़ता"], "कुत्ता दौड़ता"),
        (["犬", "dog", "猫"], "犬 dog 猫"),
    ],
)
def test_joined_words_have_the_spaces_of_their_script_and_are_found_again(words: list[str], text: str) -> None:
    assert join_words(words) == text
    assert words_of(text) == words


def test_sentences_end_at_full_stops_but_not_at_abbreviations_and_at_line_breaks() -> None:
    text = "Dr. Smith walks a dog. It barks!\n\nA cat sleeps"
    assert split_sentences(text) == ["Dr. Smith walks a dog.", "It barks!", "A cat sleeps"]


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("german", "Das ist z.B. ein Hund. Er rennt.", ["Das ist z.B. ein Hund.", "Er rennt."]),
        ("japanese", "犬が走る。猫が寝る。", ["犬が走る。", "猫が寝る。"]),
        ("hindi", "कुत्ता दौड़ता है। बिल्ली सोती है।", ["कुत्ता दौड़ता है।", "बिल्ली सोती है।"]),
        ("urdu", "کتا بھاگتا ہے۔ بلی سوتی ہے۔", ["کتا بھاگتا ہے۔", "بلی سوتی ہے۔"]),
    ],
)
def test_sentences_end_as_their_language_has_it(language: str, text: str, sentences: list[str]) -> None:
    assert knows_language(language)
    assert split_sentences(text, language) == sentences
    assert not knows_language("klingon")


def test_vocabulary_keeps_words_seen_often_enough_most_frequent_first() -> None:
    vocabulary = Vocabulary.from_sentences(["b a", "a b c", "a"], minimum_count=2)
    assert vocabulary.words == ["a", "b"]
    assert "c" not in vocabulary
    assert vocabulary.numbers(["b", "c", "a"]) == [2, 1]
