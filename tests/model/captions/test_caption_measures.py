import math
import sys
from pathlib import Path

import pytest

from model.captions.measures import check_measures, cider, has_java, measure_captions, measure_closeness
from model.exceptions import CaptionError

DOG, CAT = ["a", "dog", "runs", "in", "the", "snow"], ["two", "cats", "sleep"]


def test_measures_that_are_not_installed_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    with pytest.raises(CaptionError, match=r"install it with: pip install 'dvsa\[captions\]'"):
        check_measures()


@pytest.fixture
def without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the seconds that METEOR takes to start."""
    pytest.importorskip("pycocoevalcap")
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("without_java")
def test_captions_that_people_wrote_are_perfect() -> None:
    found = measure_captions([DOG, CAT], [[DOG], [CAT, ["cats"]]], [])
    assert (found.bleu1, found.bleu2, found.bleu3, found.bleu4) == (100.0, 100.0, 100.0, 100.0)
    assert found.rouge_l == 100.0
    assert found.mean_length == 4.5
    assert found.copied is None  # nothing to copy from


@pytest.mark.usefixtures("without_java")
def test_bleu_by_hand() -> None:
    """Of 4 words 3 stand in the reference, one "the"; 1 of 3 pairs; 4 words for 6: a penalty of e^(1 - 6 / 4)."""
    found = measure_closeness([["the", "the", "dog", "runs"]], [[["the", "dog", "is", "in", "snow", "runs"]]])
    assert found.bleu1 == pytest.approx(100 * 3 / 4 * math.exp(1 - 6 / 4), abs=0.01)
    assert found.bleu2 == pytest.approx(100 * math.sqrt(3 / 4 * 1 / 3) * math.exp(1 - 6 / 4), abs=0.01)
    assert found.bleu3 < 0.1


@pytest.mark.usefixtures("without_java")
def test_distinct_and_copied_by_hand() -> None:
    captions = [DOG, DOG, CAT, ["snow"]]
    found = measure_captions(captions, [[DOG]] * 4, [CAT, CAT, ["the", "snow"]])
    assert found.distinct == 75.0
    assert found.copied == 25.0
    assert found.mean_length == 4.0  # (6 + 6 + 3 + 1) / 4


@pytest.mark.usefixtures("without_java")
def test_cider_knows_which_photo_a_caption_is_of() -> None:
    references = [[DOG], [CAT], [["green", "grass"]]]
    right, wrong = cider([DOG, CAT, ["green", "grass"]], references), cider([CAT, ["green", "grass"], DOG], references)
    assert right > 5
    assert wrong == 0.0


@pytest.mark.skipif(not has_java(), reason="METEOR is a Java program")
def test_meteor_with_java() -> None:
    pytest.importorskip("pycocoevalcap")
    found = measure_closeness([DOG, CAT], [[DOG], [["grass"]]]).meteor  # one is perfect, one has nothing right
    assert found is not None
    assert 20 < found < 90


def test_meteor_is_left_out_where_java_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pycocoevalcap")
    (tmp_path / "java").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert has_java()
    found = measure_closeness([DOG], [[DOG]])
    assert (found.meteor, found.bleu1) == (None, 100.0)


@pytest.mark.usefixtures("without_java")
def test_meteor_is_left_out_without_java() -> None:
    assert not has_java()
    found = measure_closeness([DOG], [[DOG]])
    assert (found.meteor, found.bleu1) == (None, 100.0)


@pytest.mark.usefixtures("without_java")
def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(CaptionError, match="there is nothing to measure"):
        measure_captions([], [], [])
