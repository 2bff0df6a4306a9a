"""How a query could go on, over a real catalogue."""

from pathlib import Path

import pytest

from engine.catalogue import Catalogue
from engine.exceptions import UnknownCollection
from engine.settings import Settings
from engine.suggestions import Suggestions
from indexer.index import index_paths
from tests.tiny_encoder import TinyEncoder

TEXT = """\
Two dogs play in the snow.
Two dogs play.
two dogs  play
Two doors, one house.
A dog sleeps.
A house.
白い犬がボールで遊ぶ
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=None)


@pytest.fixture
def suggestions(tmp_path: Path, settings: Settings) -> Suggestions:
    (tmp_path / "said.txt").write_text(TEXT, encoding="utf-8")
    index_paths([tmp_path / "said.txt"], "texts", TinyEncoder(), settings)
    return Suggestions(Catalogue(settings.catalogue_url), ["the", "door", "donkey", "dogged"])


def test_a_word_is_made_whole_by_the_collection_then_come_texts_then_words_of_the_model(
    suggestions: Suggestions,
) -> None:
    found = suggestions.complete("texts", "Two do", 8)
    assert found[:2] == ["Two dogs", "Two doors"]  # by how often they are said, then in the order of texts
    assert found[2:5] == ["Two dogs play.", "Two doors, one house.", "Two dogs play in the snow."]
    assert found[5:] == ["Two dog", "Two door", "Two donkey"]


def test_what_is_said_twice_comes_before_what_is_shorter_and_is_said_once(suggestions: Suggestions) -> None:
    assert suggestions.complete("texts", "", 2) == ["Two dogs play.", "A house."]


def test_after_a_space_whole_texts_go_on_with_another_word(suggestions: Suggestions) -> None:
    assert suggestions.complete("texts", " two   DOGS ", 8) == ["Two dogs play.", "Two dogs play in the snow."]
    assert suggestions.complete("texts", "two do ", 8) == []


def test_what_is_typed_already_is_no_suggestion(suggestions: Suggestions) -> None:
    assert suggestions.complete("texts", "a house", 8) == []
    assert suggestions.complete("texts", "door", 8) == ["doors"]


def test_scripts_without_spaces_are_completed(suggestions: Suggestions) -> None:
    assert suggestions.complete("texts", "白い", 8) == ["白い犬がボールで遊ぶ"]


@pytest.mark.parametrize("prefix", ["%", "_", "'; DROP TABLE photos; --", "\x00", "\U0010ffff", "?!"])
def test_odd_letters_find_what_begins_so_or_nothing(suggestions: Suggestions, prefix: str) -> None:
    assert all(isinstance(text, str) for text in suggestions.complete("texts", prefix, 8))


def test_never_more_than_asked_for(suggestions: Suggestions) -> None:
    assert [len(suggestions.complete("texts", "two d", count)) for count in (1, 2, 5)] == [1, 2, 5]


def test_a_new_publication_is_read(suggestions: Suggestions, settings: Settings, tmp_path: Path) -> None:
    assert suggestions.complete("texts", "zebras", 8) == []
    (tmp_path / "said.txt").write_text("Zebras drink.\n")
    index_paths([tmp_path / "said.txt"], "texts", TinyEncoder(), settings)
    assert suggestions.complete("texts", "zebras", 8) == ["Zebras drink."]
    assert suggestions.complete("texts", "two", 8) == []


def test_an_unknown_collection_is_told(suggestions: Suggestions) -> None:
    with pytest.raises(UnknownCollection):
        suggestions.complete("nothing", "a", 8)
