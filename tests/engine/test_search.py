"""The search service over a real catalogue and real snapshots, with an encoder of no weights."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from engine import faiss_index
from engine.catalogue import Catalogue
from engine.effort import DEPTHS, Depth
from engine.exceptions import BadRequest, EmptyCollection, IndexDamaged, ModelMismatch, UnknownCollection
from engine.fragments import Fragments, ScoreTerms
from engine.scoring import exact_scores
from engine.search import SearchRequest, SearchService
from engine.settings import Settings
from indexer.index import index_paths
from model.exceptions import TextError
from model.photo import load_photo
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

HALF = 1e-3  # products of vectors that are kept in half precision

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (20, 40, 230),
    "grey": (128, 128, 128),
    "dark": (9, 9, 9),
}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, (name, colour) in enumerate(COLOURS.items()):
        picture = Image.new("RGB", (40 + 2 * number, 30), colour)
        picture.paste((255, 255, 255), (0, 0, 5 * number + 3, 10))
        picture.save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"A {name} wall.\nSomeone painted this wall {name} again.\n")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=None)


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


@pytest.fixture
def service(photos: Path, settings: Settings, encoder: TinyEncoder) -> SearchService:
    index_paths([photos], "walls", encoder, settings)
    return SearchService(Catalogue(settings.catalogue_url), settings.home, encoder)


def pixels(photos: Path, name: str) -> npt.NDArray[np.uint8]:
    return load_photo(photos / f"{name}.png")


def within(collection: str, **options: Any) -> SearchRequest:
    return SearchRequest((collection,), **options)


def pair_score(
    encoder: TinyEncoder, query: npt.NDArray[np.float32], stored: npt.NDArray[np.float32], terms: ScoreTerms
) -> float:
    return float(exact_scores(query, Fragments.of([0], [stored], encoder.dimension), terms)[0])


def test_text_finds_every_photo_in_the_order_of_its_score(
    service: SearchService, photos: Path, encoder: TinyEncoder
) -> None:
    answer = service.search_text("someone painted zzwhat", within("walls", k=10))
    words = encoder.encode_sentences(["someone painted zzwhat"])[0].vectors
    assert [hit.rank for hit in answer.hits] == [1, 2, 3, 4, 5]
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)
    assert answer.not_understood == ["zzwhat"]
    for hit in answer.hits:
        assert hit.path is not None
        regions = encoder.encode_photo(load_photo(Path(hit.path)))
        assert hit.score == pytest.approx(
            pair_score(encoder, words, regions.vectors, ScoreTerms(True, False, "sum")), abs=HALF
        )
        assert hit.height == 30


def test_each_word_of_a_text_has_its_best_region_of_the_hit(service: SearchService, encoder: TinyEncoder) -> None:
    text = "someone painted a wall"
    for hit in service.search_text(text, within("walls")).hits:
        regions = encoder.encode_photo(load_photo(Path(hit.path or "")))
        words = encoder.encode_sentences([text])[0]
        assert [word.word for word in hit.words] == ["someone", "painted", "wall"]
        assert [text[word.start : word.end] for word in hit.words] == ["someone", "painted", "wall"]
        for number, word in enumerate(hit.words):
            products = regions.vectors @ words.vectors[number]
            assert word.box == tuple(regions.boxes[products.argmax()].tolist())
            assert word.product == pytest.approx(float(products.max()), abs=HALF)
        assert hit.score == pytest.approx(sum(word.product for word in hit.words), abs=HALF)


def test_a_photo_finds_sentences_with_their_words_in_it(
    service: SearchService, photos: Path, encoder: TinyEncoder
) -> None:
    answer = service.search_photo(pixels(photos, "blue"), within("walls", k=4, target="sentences"), name="blue.png")
    assert (answer.query, answer.target, len(answer.hits)) == ("blue.png", "sentences", 4)
    regions = encoder.encode_photo(pixels(photos, "blue"))
    for hit in answer.hits:
        words = encoder.encode_sentences([hit.text or ""])[0]
        expected = pair_score(encoder, regions.vectors, words.vectors, ScoreTerms(False, True, "sum"))
        assert hit.score == pytest.approx(expected, abs=HALF)
        assert [word.word for word in hit.words] == words.words
        assert (hit.document or "").endswith(".txt")
        assert all(0 <= word.box[0] < word.box[2] <= 44 for word in hit.words)


def test_a_photo_finds_photos_and_a_text_finds_sentences(service: SearchService, photos: Path) -> None:
    found = service.search_photo(pixels(photos, "green"), within("walls", target="images"))
    assert len(found.hits) == 5
    assert all(hit.path and not hit.words for hit in found.hits)
    sentences = service.search_text("A green wall.", within("walls", target="sentences")).hits
    assert len(sentences) == 10
    assert all(hit.text and hit.document and not hit.words for hit in sentences)


def test_k_is_respected(service: SearchService) -> None:
    assert len(service.search_text("wall", within("walls", k=2)).hits) == 2
    assert len(service.search_text("wall", within("walls", k=10**9)).hits) == 5
    with pytest.raises(BadRequest, match="1 or more"):
        service.search_text("wall", within("walls", k=0))


def test_photos_of_equal_score_come_by_id(photos: Path, settings: Settings, encoder: TinyEncoder) -> None:
    for number in range(6):
        shutil.copy(photos / "red.png", photos / f"copy{number}.png")
    index_paths([photos], "walls", encoder, settings)
    hits = (
        SearchService(Catalogue(settings.catalogue_url), settings.home, encoder)
        .search_text("wall", within("walls", k=20))
        .hits
    )
    same = [hit.id for hit in hits if "copy" in (hit.path or "") or "red" in (hit.path or "")]
    assert len(same) == 7
    assert same == sorted(same)


@pytest.mark.parametrize(("text", "said"), [("", "no word"), (" .,! ", "no word"), ("zzfoo zzbar", "zzfoo, zzbar")])
def test_a_text_without_a_known_word_is_told(service: SearchService, text: str, said: str) -> None:
    with pytest.raises(TextError, match=said):
        service.search_text(text, within("walls"))


def test_a_text_of_ten_thousand_words_is_answered(service: SearchService) -> None:
    assert len(service.search_text("wall blue " * 5000, within("walls", k=3)).hits) == 3


def test_an_unknown_collection_is_told_before_the_model_is_asked(service: SearchService, encoder: TinyEncoder) -> None:
    asked = encoder.texts
    with pytest.raises(UnknownCollection, match="walls"):
        service.search_text("blue", within("wall"))
    assert encoder.texts == asked


def test_a_collection_without_sentences_says_so(photos: Path, settings: Settings, encoder: TinyEncoder) -> None:
    for path in photos.glob("*.txt"):
        path.unlink()
    index_paths([photos], "bare", encoder, settings)
    service = SearchService(Catalogue(settings.catalogue_url), settings.home, encoder)
    assert len(service.search_text("wall", within("bare")).hits) == 5
    with pytest.raises(EmptyCollection, match="no sentences"):
        service.search_photo(pixels(photos, "red"), within("bare", target="sentences"))


def test_photos_that_are_found_have_their_captions(photos: Path, settings: Settings, encoder: TinyEncoder) -> None:
    index_paths([photos], "said", encoder, settings, captioner=TinyCaptioner())
    service = SearchService(Catalogue(settings.catalogue_url), settings.home, encoder)
    found = service.search_text("wall", within("said"))
    assert found.caption is None
    wanted = {name: caption_of(pixels(photos, name)) for name in COLOURS}
    assert {Path(hit.path or "").stem: hit.caption for hit in found.hits} == wanted
    alike = service.search_photo(pixels(photos, "red"), within("said", target="images"))
    assert {Path(hit.path or "").stem: hit.caption for hit in alike.hits} == wanted
    assert all(
        hit.caption is None
        for hit in service.search_photo(pixels(photos, "red"), within("said", target="sentences")).hits
    )


def test_photos_indexed_without_captions_are_found_without(service: SearchService) -> None:
    assert [hit.caption for hit in service.search_text("wall", within("walls")).hits] == [None] * 5


def test_a_query_photo_is_captioned(
    service: SearchService, photos: Path, settings: Settings, encoder: TinyEncoder
) -> None:
    captioner = TinyCaptioner()
    saying = SearchService(Catalogue(settings.catalogue_url), settings.home, encoder, captioner)
    photo = pixels(photos, "blue")
    plain, said = (
        service.search_photo(photo, within("walls", target="sentences")),
        saying.search_photo(photo, within("walls", target="sentences")),
    )
    assert (plain.caption, said.caption) == (None, caption_of(photo))
    assert said.hits == plain.hits
    assert saying.search_photo(photo, within("walls", target="images")).caption == caption_of(photo)
    assert saying.search_text("wall", within("walls")).caption is None
    assert captioner.photos == 2


def test_without_sentences_a_query_photo_still_gets_its_caption(
    photos: Path, settings: Settings, encoder: TinyEncoder
) -> None:
    for path in photos.glob("*.txt"):
        path.unlink()
    index_paths([photos], "bare", encoder, settings)
    service = SearchService(Catalogue(settings.catalogue_url), settings.home, encoder, TinyCaptioner())
    answer = service.search_photo(pixels(photos, "red"), within("bare", target="sentences"), name="red.png")
    assert (answer.query, answer.target, answer.hits) == ("red.png", "sentences", [])
    assert answer.caption == caption_of(pixels(photos, "red"))
    with pytest.raises(EmptyCollection, match="no sentences"):
        service.search_text("wall", within("bare", target="sentences"))
    (photos / "text").mkdir()
    (photos / "text" / "only.txt").write_text("A red wall.")
    index_paths([photos / "text"], "text", encoder, settings)
    with pytest.raises(EmptyCollection, match="no photos"):
        service.search_photo(pixels(photos, "red"), within("text", target="images"))


def caption_of(photo: npt.NDArray[np.uint8]) -> str:
    return TinyCaptioner().caption(TinyEncoder().encode_photo(photo)).text


def test_a_collection_of_another_model_is_refused(service: SearchService, settings: Settings) -> None:
    other = SearchService(Catalogue(settings.catalogue_url), settings.home, TinyEncoder("f" * 64))
    with pytest.raises(ModelMismatch, match="--rebuild"):
        other.search_text("wall", within("walls"))


def test_what_is_published_later_is_found(
    service: SearchService, photos: Path, settings: Settings, encoder: TinyEncoder
) -> None:
    assert len(service.search_text("wall", within("walls")).hits) == 5
    (photos / "red.png").unlink()
    Image.new("RGB", (20, 20), (200, 200, 0)).save(photos / "yellow.png")
    Image.new("RGB", (20, 20), (200, 200, 90)).save(photos / "sand.png")
    index_paths([photos], "walls", encoder, settings)
    names = {Path(hit.path or "").stem for hit in service.search_text("wall", within("walls")).hits}
    assert names == {"green", "blue", "grey", "dark", "yellow", "sand"}


def test_a_damaged_snapshot_is_told(service: SearchService, settings: Settings) -> None:
    vectors = next(settings.home.rglob("regions/000001/vectors.npy"))
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(IndexDamaged, match="--repair"):
        service.search_text("wall", within("walls"))


def test_searches_go_on_while_collections_are_published(
    service: SearchService, photos: Path, settings: Settings, encoder: TinyEncoder
) -> None:
    done = threading.Event()

    def ask() -> int:
        answers = 0
        while not done.is_set() or answers < 5:
            found = len(service.search_text("painted wall", within("walls")).hits)
            assert 5 <= found <= 9
            assert len(service.search_photo(pixels(photos, "blue"), within("walls", target="sentences")).hits) == 10
            answers += 1
        return answers

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for number in range(4):
            Image.new("RGB", (20, 20), (9, 50 * number, 0)).save(photos / f"new{number}.png")
            index_paths([photos], "walls", encoder, settings)
        done.set()
        assert all(future.result(timeout=60) >= 5 for future in asking)


def test_a_large_index_is_searched_through_its_candidates(
    photos: Path, settings: Settings, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    monkeypatch.setitem(DEPTHS, "fast", Depth(query_lists=0.5, stored_lists=0.5, listed=8, refined=0, exact=1))
    index_paths([photos], "walls", encoder, settings)
    service = SearchService(Catalogue(settings.catalogue_url), settings.home, encoder)
    whole = [hit.id for hit in service.search_text("painted wall", within("walls", effort="exact")).hits]
    assert service.search_text("painted wall", within("walls", k=1, effort="fast")).hits[0].id in whole
    assert [hit.id for hit in service.search_text("painted wall", within("walls", effort="fast")).hits] == whole
    assert (
        len(service.search_photo(pixels(photos, "blue"), within("walls", k=3, effort="fast", target="sentences")).hits)
        == 3
    )
