"""Several collections, pages, filters, what is excluded: over real catalogues and snapshots, without weights."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, update

from engine import faiss_index
from engine.catalogue import Catalogue
from engine.catalogue.filtering import PhotoFilter, Range
from engine.catalogue.tables import Photo, PhotoAttribute, PhotoTag
from engine.effort import DEPTHS, Depth
from engine.exceptions import BadRequest, CursorOutdated, EmptyCollection, UnknownCollection
from engine.search import Exclusion, Hit, SearchRequest, SearchService
from engine.settings import Settings
from indexer.index import index_paths
from model.exceptions import TextError
from tests.conftest import NewDatabase
from tests.tiny_encoder import TinyEncoder

COUNTED = ("one", "two", "three", "four")
PHOTOS = 12  # in each of two collections


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, module_database: NewDatabase) -> Settings:
    """A home with the collections `left` and `right`, and `told`, which holds sentences only."""
    folder = tmp_path_factory.mktemp("options")
    made = Settings(home=folder / "home", database_url=module_database())
    random = np.random.default_rng(5)
    for name in ("left", "right"):
        (folder / name).mkdir()
        for number in range(PHOTOS):
            pixels = random.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((60, 40), Image.Resampling.NEAREST).save(folder / name / f"{number:02}.png")
            (folder / name / f"{number:02}.txt").write_text(
                f"Wall number {['one', 'two', 'three', 'four'][number % 4]}."
            )
        index_paths([folder / name], name, TinyEncoder(), made)
    index_paths([folder / "left" / "00.txt"], "told", TinyEncoder(), made)
    _describe(Catalogue(made.catalogue_url))
    return made


def _describe(catalogue: Catalogue) -> None:
    """Photo n of `left` has the tag `even` if it is, the attributes iso = 100 n and camera, and a day of May."""
    with catalogue.write() as connection:
        for number, photo in enumerate(catalogue.photo_page("left", 0, PHOTOS)):
            if number % 2 == 0:
                connection.execute(insert(PhotoTag).values(photo_id=photo.id, tag="even"))
            if number % 3 == 0:
                connection.execute(insert(PhotoTag).values(photo_id=photo.id, tag="by three"))
            values = [("iso", None, 100.0 * number), ("camera", "X100" if number < 6 else "M6", None)]
            for name, text, figure in values:
                connection.execute(
                    insert(PhotoAttribute).values(photo_id=photo.id, name=name, text=text, number=figure)
                )
            taken = datetime(2024, 5, 1 + number, 12, tzinfo=UTC)
            connection.execute(update(Photo).where(Photo.id == photo.id).values(taken_at=taken))
    catalogue.close()


@pytest.fixture
def service(settings: Settings) -> Iterator[SearchService]:
    with closing(Catalogue(settings.catalogue_url)) as catalogue:
        yield SearchService(catalogue, settings.home, TinyEncoder())


def within(*collections: str, **options: Any) -> SearchRequest:
    return SearchRequest(collections, **{"k": 100, **options})


def numbers(hits: list[Hit]) -> set[int]:
    return {int(Path(hit.path or "").stem) for hit in hits}


def identity(hits: list[Hit]) -> list[tuple[int, str, int, float]]:
    return [(hit.rank, hit.collection, hit.id, round(hit.score, 5)) for hit in hits]


class TestCollections:
    def test_hits_of_several_come_by_score_and_say_whose_they_are(self, service: SearchService) -> None:
        left, right = (service.search_text("painted wall", within(name)).hits for name in ("left", "right"))
        both = service.search_text("painted wall", within("left", "right"))
        assert both.collections == ("left", "right")
        merged = sorted([*left, *right], key=lambda hit: (-hit.score, hit.id))
        assert [(hit.id, hit.collection) for hit in both.hits] == [(hit.id, hit.collection) for hit in merged]
        assert [hit.rank for hit in both.hits] == list(range(1, 2 * PHOTOS + 1))
        assert {hit.id: hit.words for hit in both.hits} == {hit.id: hit.words for hit in merged}

    def test_one_named_twice_is_searched_once(self, service: SearchService) -> None:
        assert len(service.search_text("wall", within("left", "left")).hits) == PHOTOS

    def test_those_without_such_items_add_nothing(self, service: SearchService) -> None:
        assert len(service.search_text("wall", within("told", "left")).hits) == PHOTOS
        sentences = service.search_text("wall", within("told", "left", target="sentences")).hits
        assert len(sentences) == PHOTOS + 1
        with pytest.raises(EmptyCollection, match="'told' holds no photos"):
            service.search_text("wall", within("told"))
        with pytest.raises(UnknownCollection, match="middle"):
            service.search_text("wall", within("left", "middle"))
        with pytest.raises(BadRequest, match="name a collection"):
            service.search_text("wall", within())


class TestPages:
    @pytest.mark.parametrize("target", ["images", "sentences"])
    def test_pages_together_are_the_whole(self, service: SearchService, target: Any) -> None:
        request = {"target": target, "effort": "normal"}
        whole = service.search_text("painted wall", within("left", "right", **request))
        assert whole.cursor is None
        found, cursor = [], None
        for k in (5, 5, 1, 13):  # pages may be of any length
            page = service.search_text("painted wall", within("left", "right", k=k, cursor=cursor, **request))
            found += page.hits
            cursor = page.cursor
        assert cursor is None
        assert identity(found) == identity(whole.hits)

    def test_pages_of_candidates_neither_repeat_nor_omit(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
        monkeypatch.setitem(DEPTHS, "fast", Depth(query_lists=0.5, stored_lists=0.5, listed=8, refined=0, exact=1))
        home = Settings(home=tmp_path / "home", database_url=None)
        index_paths([settings.home.parent / "left"], "left", TinyEncoder(), home)
        service = SearchService(Catalogue(home.catalogue_url), home.home, TinyEncoder())
        found, cursor = [], None
        for _ in range(PHOTOS):
            page = service.search_text("wall", within("left", k=1, cursor=cursor, effort="fast"))
            found += [hit.id for hit in page.hits]
            cursor = page.cursor
        assert cursor is None
        assert sorted(found) == sorted(hit.id for hit in service.search_text("wall", within("left")).hits)

    def test_a_page_that_ends_with_the_last_hit_has_no_next(self, service: SearchService) -> None:
        assert service.search_text("wall", within("left", k=PHOTOS)).cursor is None
        assert service.search_text("wall", within("left", k=PHOTOS - 1)).cursor is not None

    def test_a_cursor_is_of_one_search(self, service: SearchService) -> None:
        cursor = service.search_text("wall", within("left", k=2)).cursor
        for text, request in [
            ("walls", within("left", k=2, cursor=cursor)),
            ("wall", within("right", k=2, cursor=cursor)),
            ("wall", within("left", k=2, cursor=cursor, min_score=0)),
            ("wall", within("left", k=2, cursor=cursor, filter=PhotoFilter())),
            ("wall", within("left", k=2, cursor=cursor, exclude=Exclusion("dog"))),
        ]:
            with pytest.raises(BadRequest, match="another search"):
                service.search_text(text, request)

    @pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 40, "=" * 8, "AAAA\n"])
    def test_what_is_no_cursor_is_refused(self, service: SearchService, cursor: str) -> None:
        with pytest.raises(BadRequest, match="cursor"):
            service.search_text("wall", within("left", cursor=cursor))

    def test_a_cursor_says_when_the_collection_has_changed(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home", database_url=None)
        photos = tmp_path / "photos"
        photos.mkdir()
        for number in range(4):
            Image.new("RGB", (20, 20), (50 * number, 9, 9)).save(photos / f"{number}.png")
        index_paths([photos], "few", TinyEncoder(), settings)
        service = SearchService(Catalogue(settings.catalogue_url), settings.home, TinyEncoder())
        cursor = service.search_text("wall", within("few", k=2)).cursor
        Image.new("RGB", (20, 20), (9, 200, 9)).save(photos / "new.png")
        index_paths([photos], "few", TinyEncoder(), settings)
        with pytest.raises(CursorOutdated, match="without the cursor"):
            service.search_text("wall", within("few", k=2, cursor=cursor))


class TestFilter:
    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (PhotoFilter(), set(range(12))),
            (PhotoFilter(tags=("even",)), {0, 2, 4, 6, 8, 10}),
            (PhotoFilter(tags=("even", "by three")), {0, 6}),
            (PhotoFilter(tags=("Even",)), set()),
            (PhotoFilter(attributes={"camera": "M6"}), {6, 7, 8, 9, 10, 11}),
            (PhotoFilter(attributes={"iso": 300.0, "camera": "X100"}), {3}),
            (PhotoFilter(attributes={"iso": "300"}), set()),
            (PhotoFilter(ranges={"iso": Range(250, 500)}), {3, 4, 5}),
            (PhotoFilter(ranges={"iso": Range(most=100)}), {0, 1}),
            (PhotoFilter(ranges={"camera": Range()}), set()),
            (PhotoFilter(taken_from=datetime(2024, 5, 11, tzinfo=UTC)), {10, 11}),
            (PhotoFilter(taken_before=datetime(2024, 5, 2, 12, tzinfo=UTC)), {0}),
            (PhotoFilter(("even",), {"camera": "X100"}, {"iso": Range(100)}), {2, 4}),
            (PhotoFilter(tags=("x'; DROP TABLE photos; --",)), set()),
        ],
    )
    def test_only_photos_that_have_it_all_are_found(
        self, service: SearchService, wanted: PhotoFilter, found: set[int]
    ) -> None:
        assert numbers(service.search_text("wall", within("left", filter=wanted)).hits) == found

    def test_of_sentences_those_of_the_photos_are_found(self, service: SearchService, settings: Settings) -> None:
        request = within("left", target="sentences", filter=PhotoFilter(tags=("by three",)))
        found = service.search_text("wall", request).hits
        assert sorted(Path(hit.document or "").stem for hit in found) == ["00", "03", "06", "09"]

    def test_filtered_hits_are_the_unfiltered_less_the_others(self, service: SearchService) -> None:
        wanted = PhotoFilter(tags=("even",))
        whole = [
            hit for hit in service.search_text("wall", within("left")).hits if numbers([hit]) <= {0, 2, 4, 6, 8, 10}
        ]
        few = service.search_text("wall", within("left", k=3, filter=wanted))
        assert [hit.id for hit in few.hits] == [hit.id for hit in whole[:3]]
        again = service.search_text("wall", within("left", k=3, filter=wanted, cursor=few.cursor)).hits
        assert [hit.id for hit in again] == [hit.id for hit in whole[3:]]


class TestExclusion:
    @pytest.mark.parametrize("target", ["images", "sentences"])
    def test_a_score_is_less_the_weighted_score_of_what_is_excluded(self, service: SearchService, target: Any) -> None:
        def scores(text: str) -> dict[int, float]:
            return {hit.id: hit.score for hit in service.search_text(text, within("left", target=target)).hits}

        wall, dog = scores("painted wall"), scores("dog")
        request = within("left", "right", target=target, exclude=Exclusion("dog zzbad", 0.7))
        answer = service.search_text("painted wall", request)
        assert answer.not_understood == ["zzbad"]
        found = {hit.id: hit.score for hit in answer.hits if hit.collection == "left"}
        assert found == pytest.approx({number: wall[number] - 0.7 * dog[number] for number in wall}, abs=1e-5)
        assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)

    def test_what_is_searched_for_and_excluded_alike_scores_nothing(self, service: SearchService) -> None:
        hits = service.search_text("wall", within("left", exclude=Exclusion("wall", 1.0))).hits
        assert [hit.score for hit in hits] == [0.0] * PHOTOS

    def test_a_photo_query_can_exclude_too(self, service: SearchService) -> None:
        photo = np.full((20, 30, 3), 90, np.uint8)
        plain = service.search_photo(photo, within("left", target="images"))
        none = service.search_photo(photo, within("left", target="images", exclude=Exclusion("dog", 0.0)))
        assert identity(none.hits) == identity(plain.hits)
        away = service.search_photo(photo, within("left", target="images", exclude=Exclusion("dog", 2.0)))
        assert identity(away.hits) != identity(plain.hits)

    def test_refused(self, service: SearchService) -> None:
        with pytest.raises(TextError, match="zzbad"):
            service.search_text("wall", within("left", exclude=Exclusion("zzbad")))
        for weight in (-1.0, float("nan"), float("inf")):
            with pytest.raises(BadRequest, match="weight"):
                service.search_text("wall", within("left", exclude=Exclusion("dog", weight)))


def test_candidates_of_an_indexed_search_are_chosen_by_the_difference(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    monkeypatch.setitem(DEPTHS, "fast", Depth(query_lists=1, stored_lists=1, listed=8, refined=0, exact=2))
    home = Settings(home=tmp_path / "home", database_url=None)
    index_paths([settings.home.parent / "left"], "left", TinyEncoder(), home)
    service = SearchService(Catalogue(home.catalogue_url), home.home, TinyEncoder())
    away = Exclusion("someone painted", 3.0)
    exact = service.search_text("wall", within("left", exclude=away, effort="exact")).hits
    fast = service.search_text("wall", within("left", exclude=away, effort="fast", k=1)).hits
    assert fast[0].id in [hit.id for hit in exact[:3]]


def test_a_minimum_score_leaves_the_rest_out(service: SearchService) -> None:
    whole = service.search_text("wall", within("left")).hits
    edge = whole[4].score
    few = service.search_text("wall", within("left", min_score=edge))
    assert identity(few.hits) == identity([hit for hit in whole if hit.score >= edge])
    assert few.cursor is None
    assert service.search_text("wall", within("left", min_score=1e9)).hits == []
    with pytest.raises(BadRequest, match="minimum score"):
        service.search_text("wall", within("left", min_score=float("nan")))


def test_words_are_explained_where_that_is_asked_for(service: SearchService) -> None:
    hits = service.search_text("wall", within("left", explain=False)).hits
    assert [hit.words for hit in hits] == [[]] * PHOTOS
    assert all(hit.words for hit in service.search_text("wall", within("left")).hits)
