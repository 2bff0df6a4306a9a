import torch

from model.captions.snippets import described_regions, runs
from tests.model.captions.one_hot_alignment import VOCABULARY, make_alignment, photos_of


def test_a_sentence_is_cut_where_its_region_changes() -> None:
    assert list(runs(["a", "dog", "and", "a", "cat"], [0, 0, 2, 0, 0])) == [
        (0, ["a", "dog"]),
        (2, ["and"]),
        (0, ["a", "cat"]),
    ]
    assert list(runs(["dog"], [5])) == [(5, ["dog"])]
    assert list(runs([], [])) == []


def test_each_region_gets_the_runs_of_words_that_name_it() -> None:
    split = photos_of(("A dog dog and a cat.", "Cat, dog!"), ("zebra", "?"), ("grass",))
    found = described_regions(make_alignment(), VOCABULARY, split, beta=0.0)
    assert found.subject == "regions"
    assert list(zip(found.photos.tolist(), found.regions.tolist(), strict=True)) == [(0, 0), (0, 1), (2, 2)]
    assert found.sentences == [[["dog", "dog"], ["dog"]], [["cat"], ["cat"]], [["grass"]]]


def test_with_a_large_beta_a_region_gets_the_whole_sentence() -> None:
    found = described_regions(make_alignment(), VOCABULARY, photos_of(("dog cat dog",)), beta=9.0)
    assert (found.photos.tolist(), found.regions.tolist()) == ([0], [0])
    assert found.sentences == [[["dog", "cat", "dog"]]]


def test_features_of_a_described_region_are_the_whole_photos_and_its_own() -> None:
    split = photos_of(("dog", "cat"), ("cat",))
    found = described_regions(make_alignment(), VOCABULARY, split, beta=0.0)
    features = found.features([1, 2])
    assert features.shape == (2, 2, 8)
    whole, cat = (torch.from_numpy(split.features[0, region]).float() for region in (2, 1))
    torch.testing.assert_close(features, torch.stack([torch.stack([whole, cat])] * 2))


def test_sentences_without_a_known_word_give_no_region() -> None:
    found = described_regions(make_alignment(), VOCABULARY, photos_of(("zebra",), ("...",)), beta=0.3)
    assert len(found) == 0
    assert list(found.parts()) == []
