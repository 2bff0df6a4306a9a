import doctest
import json
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.evaluation_report import breakdown, prose, published
from api.evaluation_report.breakdown import Share, by_area, by_length, by_type, by_word, chance_recall
from api.evaluation_report.confusions import Queries, confusions
from api.evaluation_report.gallery import chosen, pieces
from api.evaluation_report.prose import groups_say, length_says, published_says, words_say
from api.evaluation_report.published import ROWS, benchmark_of, own_row
from engine.alignment import WordRegion
from model.entities import Phrase
from model.grounding import GroundedPhrase
from model.metrics import Ranking, Recall

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Outline(HTMLParser):
    """What a page needs to be read by all: headings, pictures and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.identities: list[str] = []
        self.language: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "img":
            self.images.append(found)
        if tag == "html":
            self.language = found["lang"]
        self.addresses += [found[name] or "" for name in ("src", "srcset", "href") if name in found]
        if "id" in found:
            self.identities.append(found["id"] or "")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def entities(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phrase a photo: its first sentence's first two words, of the whole photo, some of a corner of it."""
    sentences: dict[str, str] = {}
    for line in (dataset / "Flickr8k_text/Flickr8k.token.txt").read_text().splitlines():
        key, sentence = line.split("\t")
        sentences.setdefault(key.split("#")[0], sentence)
    document: dict[str, object] = {}
    for number, (name, sentence) in enumerate(sentences.items()):
        with Image.open(dataset / "Flicker8k_Dataset" / name) as photo:
            width, height = photo.size
        phrase = {"sentence": 0, "phrase": " ".join(sentence.split()[:2]), "type": "people/other", "entity": 1}
        box = [0, 0, width, height] if number % 3 else [0, 0, width / 5, height / 5]
        document[name] = {"sentences": [sentence], "phrases": [phrase], "boxes": {"1": [box]}}
    path = tmp_path_factory.mktemp("entities") / "entities.json"
    path.write_text(json.dumps(document))
    return path


def as_json(dataset: Path, path: Path, name: str) -> Path:
    """The dev split as a dataset JSON of another name."""
    sentences: dict[str, list[dict[str, str]]] = {}
    for line in (dataset / "Flickr8k_text/Flickr8k.token.txt").read_text().splitlines():
        key, sentence = line.split("\t")
        sentences.setdefault(key.split("#")[0], []).append({"raw": sentence})
    dev = (dataset / "Flickr8k_text/Flickr_8k.devImages.txt").read_text().split()
    images = [{"filename": photo, "split": "val", "sentences": sentences[photo]} for photo in dev]
    path.write_text(json.dumps({"dataset": name, "images": images}))
    return path


def test_report_is_one_page_that_needs_nothing_else(dvsa: Run, dataset: Path, cache: Path, entities: Path) -> None:
    folder = cache / "new" / "report"
    named = as_json(dataset, cache / "named.json", "<i>mine</i>")
    photos = dataset / "Flicker8k_Dataset"
    arguments = (
        "--dataset",
        named,
        "--images",
        photos,
        "--cache",
        cache,
        "--entities",
        entities,
        "--report",
        folder,
        "--json",
    )
    done = dvsa("evaluate", "retrieval", *arguments)
    assert done.returncode == 0, done.stderr
    assert str(folder / "index.html") in done.stderr
    found = json.loads(done.stdout)
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = Outline(text)
    assert page.language == "en"
    assert page.headings[0] == "h1"
    levels = [int(heading[1]) for heading in page.headings]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(image["alt"] for image in page.images)
    assert len(page.images) > 30
    links = [address for address in page.addresses if not address.startswith("data:image/")]
    assert links
    assert all(address[0] == "#" and address[1:] in page.identities for address in links)
    assert "http" not in text
    assert "&lt;i&gt;mine" in text
    assert "<i>" not in text
    assert f"{found['sentence_to_image']['r1']:.1f}" in text
    for name in ("recall", "lengths", "phrase-types", "box-sizes"):
        with Image.open(folder / f"{name}.png") as picture:
            assert (picture.format, picture.width) == ("PNG", 840)


def test_ranks_are_those_that_the_recall_is_made_of(dvsa: Run, dataset: Path, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "ranks.json"
    arguments = ("--dataset", dataset, "--cache", cache, "--ranks", path, "--json")
    done = dvsa("evaluate", "retrieval", *arguments)
    assert done.returncode == 0, done.stderr
    found, kept = json.loads(done.stdout), json.loads(path.read_text(encoding="utf-8"))
    assert (kept["split"], kept["images"], kept["sentences"]) == ("dev", 20, found["sentences"])
    for direction, count in (("image_to_sentence", 20), ("sentence_to_image", found["sentences"])):
        ranks = np.array([entry["rank"] for entry in kept[direction]])
        assert len(ranks) == count
        assert found[direction]["r5"] == pytest.approx(100 * (ranks <= 5).mean(), abs=0.01)
        assert found[direction]["median_rank"] == np.median(ranks)
    tokens = (dataset / "Flickr8k_text/Flickr8k.token.txt").read_text()
    for entry in [*kept["image_to_sentence"], *kept["sentence_to_image"]]:
        assert re.search(rf"{re.escape(entry['image'])}#\d\t{re.escape(entry['sentence'])}", tokens)


def test_folds_and_subset_say_what_was_measured(dvsa: Run, dataset: Path, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "ranks.json"
    arguments = ("--dataset", dataset, "--cache", cache, "--subset", "16", "--folds", "4", "--ranks", path)
    done = dvsa("evaluate", "retrieval", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["images"] == 16
    assert len(found["folds"]) == 4
    for direction in ("image_to_sentence", "sentence_to_image"):
        mean = np.mean([fold[direction]["r1"] for fold in found["folds"]])
        assert found[direction]["r1"] == pytest.approx(mean, abs=0.01)
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert [entry["fold"] for entry in kept["image_to_sentence"]] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    assert max(entry["rank"] for entry in kept["sentence_to_image"]) <= 4
    said = dvsa("evaluate", "retrieval", *arguments)
    assert "mean of 4 folds of 4 photos" in said.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ranks", "no such folder/ranks.json"), "the folder no such folder is not there"),
        (("--ranks", "."), "cannot be written"),
        (("--report", "/proc/nowhere"), "the report's folder /proc/nowhere cannot be written to"),
        (("--report", __file__), "cannot be written to"),
        (("--folds", "3"), "20 photos do not make 3 equal folds"),
        (("--subset", "21"), "has 20 photos, fewer than --subset 21"),
        (("--split", "test"), "no split 'test'"),
        (("--report", "{made}", "--entities", "nowhere.json"), "cannot be read"),
    ],
)
def test_mistakes_are_told_in_one_line(
    dvsa: Run, dataset: Path, cache: Path, arguments: tuple[str, ...], message: str
) -> None:
    named = [argument.format(made=cache / "made") for argument in arguments]
    done = dvsa("evaluate", "retrieval", "--dataset", dataset, "--cache", cache, *named)
    assert done.returncode == 1, done.stderr
    assert message in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_entities_without_a_report_are_wrong_usage(dvsa: Run, dataset: Path, entities: Path) -> None:
    done = dvsa("evaluate", "retrieval", "--dataset", dataset, "--entities", entities)
    assert done.returncode == 2
    assert "--entities belongs to --report" in done.stderr


def test_a_report_of_a_single_photo_and_no_boxes_is_written(
    dvsa: Run, dataset: Path, cache: Path, tmp_path: Path
) -> None:
    done = dvsa("evaluate", "retrieval", "--dataset", dataset, "--cache", cache, "--subset", "1", "--report", tmp_path)
    assert done.returncode == 0, done.stderr
    page = Outline((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "places" not in page.identities
    assert "words" in page.identities


def test_examples_in_docstrings_hold() -> None:
    tried = 0
    for module in (breakdown, prose, published):
        result = doctest.testmod(module)
        assert result.failed == 0, module.__name__
        tried += result.attempted
    assert tried >= 4


def test_recall_by_word_of_a_hand_made_case() -> None:
    words = [["a", "dog", "dog"], ["a", "cat"], ["the", "dog"], ["a", "cat"], ["a", "bird"]]
    found = np.array([True, False, True, False, True])
    assert by_word(words, found, least=2) == [Share("cat", 0, 2), Share("dog", 2, 2)]


def test_a_few_failures_do_not_make_a_word_hard() -> None:
    words, found = [["rare"]] * 2 + [["common"]] * 100, np.array([False] * 2 + [False] * 60 + [True] * 40)
    assert [share.name for share in by_word(words, found, least=1)] == ["common", "rare"]
    assert Share("all", 50, 100).clearly_below(Share("some", 80, 100))
    assert not Share("all", 50, 100).clearly_below(Share("some", 55, 100))


def test_lengths_cover_every_sentence_once() -> None:
    words = [["w"] * count for count in range(1, 30)]
    shares = by_length(words, np.arange(29) % 2 == 0)
    assert sum(share.total for share in shares) == 29
    assert sum(share.found for share in shares) == 15
    assert shares[0] == Share("up to 6 words", 3, 6)


def test_phrases_by_type_and_by_size_of_their_largest_box() -> None:
    boxes = np.array([[[0, 0, 5, 5], [0, 0, 100, 100]]], dtype=np.float32)

    def phrase(kind: str, *edges: list[float]) -> GroundedPhrase:
        return GroundedPhrase(0, Phrase("s", "s", np.array(edges, dtype=np.float32), kind), 0, True, True, True)

    phrases = [
        phrase("people", [0, 0, 10, 10]),  # 1 % of the photo
        phrase("people/scene", [0, 0, 10, 10], [0, 0, 100, 90]),  # 90 %
        phrase("scene", [0, 0, 100, 100]),
    ]
    found = [True, False, True]
    assert by_type(phrases, found) == [Share("people", 1, 2), Share("scene", 1, 2)]
    assert by_area(phrases, boxes, found) == [Share("under 5 %", 1, 1), Share("over 40 %", 1, 2)]


def test_chance_is_that_of_drawing_without_putting_back() -> None:
    random = np.random.default_rng(0)
    orders = np.argsort(random.random((20_000, 12)), axis=1)
    for k in (1, 4, 8):
        drawn = 100 * (orders[:, :k] < 3).any(axis=1).mean()
        assert chance_recall(12, 3, 8)[k - 1] == pytest.approx(drawn, abs=1.5)


def test_confusions_of_a_hand_made_case() -> None:
    """Twelve photos of a dog, twelve of a wolf, 26 of a car: queries for a dog miss, and find wolves."""
    words = [["dog"]] * 12 + [["wolf"]] * 12 + [["car"]] * 26
    image_of = np.arange(50)
    ranks = np.array([11] * 12 + [1] * 38)
    first = np.tile(np.arange(12, 22), (50, 1))
    (found,) = confusions(Queries(words, image_of, ranks, first), least=5)
    assert (found.asked, found.shown, found.times, found.queries) == ("dog", "wolf", 120, 12)
    assert found.expected == pytest.approx(120 * 12 / 38)  # 12 of the 38 photos without a dog show a wolf
    assert found.ratio == pytest.approx(38 / 12)
    assert confusions(Queries(words, image_of, np.ones(50, dtype=np.int64), first), least=5) == []
    assert confusions(Queries(words, image_of, ranks, first), least=60) == []


def test_words_that_all_photos_share_are_no_confusion() -> None:
    words = [["dog", "grass"]] * 12 + [["wolf", "grass"]] * 38
    ranks = np.array([11] * 12 + [1] * 38)
    first = np.tile(np.arange(12, 22), (50, 1))
    assert confusions(Queries(words, np.arange(50), ranks, first), least=5) == []  # any photo without a dog: a wolf


def test_best_and_worst_queries_are_of_different_photos() -> None:
    ranks = np.array([1, 1, 1, 9, 8, 7, 2, 30])
    margin = np.array([0.1, 0.5, 0.4, -1, -1, -1, -0.1, -2], dtype=np.float32)
    ranking = Ranking(ranks, np.zeros(8, np.int64), margin, np.zeros((8, 1), np.int64))
    best, worst = chosen(ranking, np.array([0, 1, 1, 2, 2, 3, 4, 5]))
    assert best == [1, 0, 6]  # query 2 is of the photo of query 1, which is better
    assert worst == [7, 3, 5]
    assert chosen(ranking, np.zeros(8, np.int64)) == ([1], [7])


def test_pieces_are_the_text_whole() -> None:
    text = "A dog and a dog ."
    words = [WordRegion("dog", 2, 5, (0, 0, 1, 1), 1.0)]
    cut = pieces(text, words)
    assert "".join(piece.text for piece in cut) == text
    assert [piece.text for piece in cut if piece.colour] == ["dog"]


def test_published_rows_go_by_name_and_number_of_photos() -> None:
    assert benchmark_of("Flickr30k", 1000) == "Flickr30K"
    assert benchmark_of("coco", 5000) == "COCO 5K"
    assert benchmark_of("coco", 1000) == "COCO 1K"
    assert benchmark_of("coco", 100) is None
    assert benchmark_of("flickr8k", 250) is None  # fewer photos are easier: no row compares
    assert benchmark_of("my photos", 1000) is None
    own = own_row("this model", (Recall(30, 50, 60, 5), Recall(20, 40, 50, 8)))
    said = published_says(own, ROWS["Flickr8K"])
    below, _, above = said.partition("below")
    assert "DVSA" in below
    assert "SCAN" in above


def test_captions_say_only_what_the_figures_carry() -> None:
    whole = Share("all", 500, 1000)
    assert "“cat” (10 % of 50)" in " ".join(words_say([Share("cat", 5, 50), Share("dog", 25, 50)], whole))
    assert "Easiest" not in " ".join(words_say([Share("cat", 5, 50), Share("dog", 25, 50)], whole))
    assert "no difference" in length_says([Share("short", 50, 100), Share("long", 52, 100)])
    assert "short are found best" in length_says([Share("short", 80, 100), Share("long", 40, 100)])
    people, scene = Share("people", 10, 100), Share("scene", 60, 100)
    assert "“people” (10 %, and one exists for 60 %)" in groups_say([people, scene], [scene, scene])
    assert "too few" in groups_say([people, Share("scene", 1, 2)], [people, people])
