"""Sentences of a text by Punkt, and words of a sentence, in any script."""

import unicodedata
from collections.abc import Sequence
from functools import cache

import punkt
import regex

# Written without spaces between words: Chinese and Japanese, and what Unicode calls the complex context of South East
# Asia (Thai, Lao, Khmer, Burmese and others). Katakana is not among them: a run of it is mostly one word of its own.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Line_Break=SA}"
_LETTERS = rf"[\p{{L}}\p{{N}}\p{{M}}_--[{_UNSPACED}]]+"
# Between letters only: apostrophes, the middle dot of Catalan, geresh and gershayim, and the two joiners without width
_INSIDE = r"['\u2019\u00b7\u05f3\u05f4\u200c\u200d]"
_WORD = regex.compile(
    rf"(?V1)(?=[\p{{L}}\p{{N}}&&[{_UNSPACED}]])\X[\p{{M}}\u30fc]*"  # one character with its marks
    rf"|(?!\p{{M}}){_LETTERS}(?:{_INSIDE}+{_LETTERS})*"  # one run of letters, digits and their marks
)

# A space that is not written between two words; between two of katakana it is, for they would be read as one.
_NO_SPACE = regex.compile(
    rf"(?V1)(?<=[{_UNSPACED}][\p{{M}}\u30fc]*) (?=[{_UNSPACED}\p{{Katakana}}])"
    rf"|(?<=\p{{Katakana}}\u30fc*) (?=[{_UNSPACED}])"
)


def word_spans(sentence: str) -> list[tuple[int, int]]:
    """Find the words of a sentence; punctuation is dropped, as in the paper.

    A word is a run of letters and digits of any script with their combining marks (vowel signs of Hindi or Arabic
    among them). Where a script writes no spaces between words (Chinese, Japanese but for katakana, Thai and its
    neighbours), each character with its marks is a word: the sentence encoder then reads characters, in their order,
    and a snippet of a region is a run of them. No dictionary is consulted.

    Returns:
        (start, end) of each word in characters, end exclusive, in order.

    >>> [sentence[start:end] for sentence in ["A dog's ball, 2 cats!"] for start, end in word_spans(sentence)]
    ['A', "dog's", 'ball', '2', 'cats']
    >>> [sentence[start:end] for sentence in ["कुत्ता दौड़ता है।"] for start, end in word_spans(sentence)]
    ['कुत्ता', 'दौड़ता', 'है']
    >>> [sentence[start:end] for sentence in ["白い犬がボールで遊ぶ"] for start, end in word_spans(sentence)]
    ['白', 'い', '犬', 'が', 'ボール', 'で', '遊', 'ぶ']

    Source: word boundaries of Unicode Standard Annex 29 without its rules for full stops and colons in words.
    """
    return [match.span() for match in _WORD.finditer(sentence)]


def normal_form(word: str) -> str:
    """Return what a vocabulary knows a word by: lower-cased, one spelling of what looks alike (Unicode's NFKC).

    >>> normal_form("Cafe\u0301") == normal_form("CAF\u00c9") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFKC", word).lower()


def words_of(sentence: str) -> list[str]:
    """Return the words of a sentence in their normal form.

    >>> words_of("Two Dogs play .")
    ['two', 'dogs', 'play']
    """
    return [normal_form(sentence[start:end]) for start, end in word_spans(sentence)]


def join_words(words: Sequence[str]) -> str:
    """Write words as a text, without spaces between those of scripts that write none; `words_of` undoes it.

    >>> join_words(["two", "dogs", "play"])
    'two dogs play'
    >>> join_words(words_of("白い犬がボールで遊ぶ"))
    '白い犬がボールで遊ぶ'
    """
    return str(_NO_SPACE.sub("", " ".join(words)))


def split_sentences(text: str, language: str = "english") -> list[str]:
    """Split a text into sentences by Punkt (Kiss and Strunk 2006); a line break ends a sentence too.

    Args:
        text: of any length.
        language: one that `knows_language` knows; it says which full stops end no sentence, as in "z.B.", and which
            other marks end one.
    """
    sentences = _punkt(language).tokenize(text)
    return [sentence.strip() for sentence in sentences if sentence.strip()]


def knows_language(language: str) -> bool:
    """Tell whether Punkt has a trained model or rules of a language, in English and lower case: "german", "hindi"."""
    try:
        punkt.rules_for_language(language)
    except LookupError:
        return language in punkt.available_languages()
    return True


@cache
def _punkt(language: str) -> punkt.PunktSentenceTokenizer:
    return punkt.tokenizer_for(language, line_breaks="always")
