"""Sentences of a text and words of a sentence, by NLTK."""

from functools import cache

import punkt
from nltk.tokenize import RegexpTokenizer

# Letters and digits of any script; an apostrophe inside a word belongs to it.
_WORDS = RegexpTokenizer(r"\w+(?:['\u2019]\w+)*")


def word_spans(sentence: str) -> list[tuple[int, int]]:
    """Find the words of a sentence; punctuation is dropped, as in the paper.

    Returns:
        (start, end) of each word in characters, end exclusive, in order.

    >>> [sentence[start:end] for sentence in ["A dog's ball, 2 cats!"] for start, end in word_spans(sentence)]
    ['A', "dog's", 'ball', '2', 'cats']
    """
    return list(_WORDS.span_tokenize(sentence))


def words_of(sentence: str) -> list[str]:
    """Return the lower-cased words of a sentence.

    >>> words_of("Two Dogs play .")
    ['two', 'dogs', 'play']
    """
    return [sentence[start:end].lower() for start, end in word_spans(sentence)]


def split_sentences(text: str, language: str = "english") -> list[str]:
    """Split a text into sentences by Punkt (Kiss and Strunk 2006); a line break ends a sentence too."""
    sentences = _punkt(language).tokenize(text)
    return [sentence.strip() for sentence in sentences if sentence.strip()]


@cache
def _punkt(language: str) -> punkt.PunktSentenceTokenizer:
    return punkt.tokenizer_for(language, line_breaks="always")
