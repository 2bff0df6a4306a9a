"""States of an index after additions and removals: what is found, which files are taken over, when they are merged."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import faiss_index, revision
from engine.exceptions import BadFragments, IndexDamaged
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.ranking import best_items
from engine.revision import merges
from engine.scoring import exact_scores, top_k

D = 16
BOTH = ScoreTerms(True, True, "mean")
CENTRES = np.random.default_rng(1).standard_normal((60, D)).astype(np.float32)


@pytest.fixture(params=[10**6, 0], ids=["exact", "compressed"], autouse=True)
def exact_up_to(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", request.param)


def items(first: int, last: int, seed: int = 0) -> Fragments:
    """Items of the ids first to last, two fragments each."""
    random = np.random.default_rng([seed, first])
    vectors = CENTRES[random.integers(0, 60, 2 * (last - first))] + 0.3 * random.standard_normal(
        (2 * (last - first), D)
    )
    half = vectors.astype(np.float16).astype(np.float32)
    return Fragments(np.arange(first, last), np.arange(0, len(half) + 1, 2), half)


def segments(path: Path) -> list[int]:
    """The numbers of items of an index's segments, the removed included."""
    return [len(np.load(folder / "ids.npy")) for folder in sorted(path.glob("0*")) if folder.is_dir()]


def inodes(path: Path) -> set[int]:
    return {file.stat().st_ino for file in path.rglob("*.npy")}


def assert_holds(index: FaissFragmentIndex, wanted: Fragments) -> None:
    order = np.argsort(wanted.ids)
    assert sorted(index.ids().tolist()) == sorted(wanted.ids.tolist())
    np.testing.assert_array_equal(index.fragments(wanted.ids).vectors, wanted.vectors)
    query = CENTRES[:3] * 1.1
    exact, _ = top_k(exact_scores(query, wanted.take(order), BOTH), wanted.ids[order], 10)
    assert best_items(index, query, BOTH, 10, "exact")[0].tolist() == exact.tolist()
    assert np.isin(exact, best_items(index, query, BOTH, 10, "thorough")[0]).mean() >= 0.9
    pieces = [piece.ids.tolist() for piece in index.pieces()]
    assert [item for piece in pieces for item in piece] == index.ids().tolist()


def test_a_few_items_more_are_a_segment_beside_the_linked_first(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 1000)])
    second = first.revise(tmp_path / "2", np.arange(0), [items(1000, 1030)])
    third = second.revise(tmp_path / "3", np.array([5, 1001]), [items(1030, 1040)])
    assert (segments(tmp_path / "2"), segments(tmp_path / "3")) == ([1000, 30], [1000, 30, 10])
    assert inodes(tmp_path / "1") < inodes(tmp_path / "2") < inodes(tmp_path / "3")
    assert_holds(first, items(0, 1000))
    assert_holds(second, joined(items(0, 1000), items(1000, 1030)))
    parts = joined(items(0, 1000), items(1000, 1030), items(1030, 1040))
    assert_holds(third, parts.take(np.delete(np.arange(1040), [5, 1001])))
    assert third.fragment_count == 2 * 1038


def joined(*parts: Fragments) -> Fragments:
    vectors = [part.item(number) for part in parts for number in range(len(part))]
    return Fragments.of(np.concatenate([part.ids for part in parts]).tolist(), vectors, D)


def test_small_segments_are_merged_and_the_large_one_stays(tmp_path: Path) -> None:
    index = FaissFragmentIndex.create(tmp_path / "0", D, [items(0, 1000)])
    large = inodes(tmp_path / "0" / "000001")
    for number in range(12):
        first = 1000 + 10 * number
        index = index.revise(tmp_path / str(number + 1), np.array([first - 3]), [items(first, first + 10)])
    assert len(segments(tmp_path / "12")) <= 4
    assert inodes(tmp_path / "12" / "000001") == large
    kept = np.delete(np.arange(1120), np.arange(997, 1117, 10))
    assert index.ids().tolist() == kept.tolist()
    whole = joined(items(0, 1000), *(items(first, first + 10) for first in range(1000, 1120, 10)))
    assert_holds(index, whole.take(kept))


def test_a_removal_alone_writes_the_removed_places_alone(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 1000)])
    second = first.revise(tmp_path / "2", np.arange(100, 200), [])
    assert len(inodes(tmp_path / "2") - inodes(tmp_path / "1")) == 1
    assert_holds(second, items(0, 1000).take(np.delete(np.arange(1000), np.arange(100, 200))))


def test_a_segment_that_lost_a_fifth_is_written_anew(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 1000)])
    second = first.revise(tmp_path / "2", np.arange(0, 250), [])
    assert segments(tmp_path / "2") == [750]
    assert not list((tmp_path / "2").glob("*.removed.npy"))
    assert_holds(second, items(0, 1000).take(np.arange(250, 1000)))


def test_an_id_that_was_removed_may_come_again(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 500)])
    second = first.revise(tmp_path / "2", np.array([7, 8]), [items(7, 8, seed=3)])
    third = second.revise(tmp_path / "3", np.array([3]), [items(900, 901)])
    np.testing.assert_array_equal(third.fragments(np.array([7])).vectors, items(7, 8, seed=3).vectors)
    assert third.ids().tolist() == [*(number for number in range(500) if number not in (3, 7, 8)), 7, 900]
    with pytest.raises(KeyError):
        third.fragments(np.array([8]))


def test_an_id_that_is_there_is_refused(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 50)])
    with pytest.raises(BadFragments, match="id 7 was given twice"):
        first.revise(tmp_path / "2", np.array([8]), [items(7, 9)])
    assert_holds(first, items(0, 50))


def test_a_change_leaves_large_segments_to_a_renewal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "MERGED_AT_ONCE", 100)
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 600)])
    assert first.ageing() is None
    second = first.revise(tmp_path / "2", np.arange(300), [items(600, 800)])
    third = second.revise(tmp_path / "3", np.arange(0), [items(800, 820)])
    fourth = third.revise(tmp_path / "4", np.arange(0), [items(820, 840)])
    assert segments(tmp_path / "4") == [600, 200, 40]
    assert third.ageing() == fourth.ageing() == "its parts are to be joined"
    renewed = fourth.renew(tmp_path / "5")
    assert segments(tmp_path / "5") == [500, 40]
    assert renewed.ageing() is None
    kept = items(0, 600).take(np.arange(300, 600))
    whole = joined(kept, items(600, 800), items(800, 820), items(820, 840))
    assert_holds(fourth, whole)
    assert_holds(renewed, whole)


def test_a_renewal_of_what_is_fresh_is_links(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 300)])
    first.renew(tmp_path / "2")
    assert inodes(tmp_path / "2") == inodes(tmp_path / "1")


def test_the_codebook_is_trained_anew_where_the_size_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 1000)])
    few = first.revise(tmp_path / "few", np.arange(50), [items(1000, 1100)])
    many = first.revise(tmp_path / "many", np.arange(50), [items(1000, 2500)])
    assert few.ageing() is None
    assert many.ageing() == "its size calls for another codebook"
    renewed = many.renew(tmp_path / "renewed")
    names = ("1", "few", "many", "renewed")
    sizes = [len(np.load(tmp_path / name / "codebook" / "centroids.npy")) for name in names]
    assert sizes[0] == sizes[1] == sizes[2] < sizes[3]
    assert renewed.ageing() is None
    for index in (many, renewed):
        assert_holds(index, joined(items(0, 1000), items(1000, 2500)).take(np.arange(50, 2500)))


def test_the_codebook_is_trained_anew_where_the_content_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 1000)])
    more = first.revise(tmp_path / "more", np.arange(0), [items(1000, 1100)])
    others = items(1000, 1100)
    others = Fragments(others.ids, others.offsets, others.vectors[:, ::-1] * np.float32(4))
    other = first.revise(tmp_path / "other", np.array([7]), [others])
    assert more.ageing() is None
    assert (other.ageing() or "").startswith("its content has drifted: ")
    renewed = other.renew(tmp_path / "renewed")
    assert renewed.ageing() is None
    vectors = [tmp_path / name / "000001" / "vectors.npy" for name in ("1", "renewed")]
    assert vectors[0].stat().st_ino == vectors[1].stat().st_ino  # only their compressed form is written anew
    assert_holds(renewed, joined(items(0, 1000), others).take(np.delete(np.arange(1100), 7)))


def test_an_index_gets_and_loses_its_codebook_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 1500)
    small = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 700)])
    large = small.revise(tmp_path / "2", np.arange(0), [items(700, 900)])
    assert large.ageing() == "it has outgrown exact search"
    compressed = large.renew(tmp_path / "3")
    some = compressed.revise(tmp_path / "4", np.arange(0, 300), [])
    assert (compressed.ageing(), some.ageing()) == (None, None)
    few = some.revise(tmp_path / "5", np.arange(0, 600), [])
    assert few.ageing() == "it is small enough for exact search"
    again = few.renew(tmp_path / "6")
    assert [(tmp_path / name / "codebook").exists() for name in "123456"] == [False, False, True, True, True, False]
    assert not list((tmp_path / "6").rglob("codes.npy"))
    assert_holds(compressed, joined(items(0, 700), items(700, 900)))
    assert_holds(again, joined(items(0, 700), items(700, 900)).take(np.arange(600, 900)))


def test_a_state_outlives_the_folder_of_the_state_before(tmp_path: Path) -> None:
    first = FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 300)])
    first.revise(tmp_path / "2", np.array([4]), [items(300, 310)])
    for file in (tmp_path / "1").rglob("*.npy"):
        file.unlink()
    second = FaissFragmentIndex.open(tmp_path / "2")
    assert_holds(second, joined(items(0, 300), items(300, 310)).take(np.delete(np.arange(310), 4)))


@pytest.mark.parametrize("places", [[-1], [300], [0, 10**6]])
def test_removed_places_that_do_not_exist_are_damage(tmp_path: Path, places: list[int]) -> None:
    FaissFragmentIndex.create(tmp_path / "1", D, [items(0, 300)])
    np.save(tmp_path / "1" / "000001.removed.npy", np.array(places))
    with pytest.raises(IndexDamaged, match="does not fit its segment"):
        FaissFragmentIndex.open(tmp_path / "1")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_segments_left_by_merging_halve_in_size(sizes: list[int]) -> None:
    groups = merges(sizes)
    assert [place for group in groups for place in range(group.start, group.stop)] == list(range(len(sizes)))
    left = [sum(sizes[group]) for group in groups]
    assert all(before >= 2 * after for before, after in pairwise(left))


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.tuples(st.sets(st.integers(0, 120)), st.integers(0, 30)), min_size=1, max_size=6))
def test_any_history_holds_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[set[int], int]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    index = FaissFragmentIndex.create(folder / "0", D, [items(0, 20)])
    following = 20
    there = {number: items(0, 20).take(np.array([number])) for number in range(20)}
    for number, (removed, count) in enumerate(steps, start=1):
        added = items(following, following + count)
        index = index.revise(folder / str(number), np.array(sorted(removed), np.int64), [added] if count else [])
        there = {item: part for item, part in there.items() if item not in removed}
        there |= {following + place: added.take(np.array([place])) for place in range(count)}
        following += count
    assert index.ids().tolist() == list(there)
    assert index.fragment_count == 2 * len(there)
    if there:
        np.testing.assert_array_equal(index.fragments(index.ids()).vectors, joined(*there.values()).vectors)
        hits, _ = best_items(index, CENTRES[:2], BOTH, 1000, "fast")
        assert sorted(hits.tolist()) == sorted(there)
