"""The page of the report and its charts, written into a folder."""

import base64
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.evaluation_report import prose
from api.evaluation_report.breakdown import (
    Share,
    by_area,
    by_length,
    by_type,
    by_word,
    chance_recall,
    least_count,
)
from api.evaluation_report.charts import CURVE, TICKS, Chart, Curve, Groups, recall_chart, share_chart
from api.evaluation_report.confusions import MISSED, Queries, confusions
from api.evaluation_report.evaluation import Evaluation
from api.evaluation_report.gallery import Gallery
from api.evaluation_report.published import GROUNDING, ROWS, benchmark_of, own_row
from engine.exceptions import StorageError
from model.grounding import GroundedPhrase, grounded, summary

PAGE = "index.html"
EXTREMES = 10  # words told at each end


def write_report(evaluation: Evaluation, folder: Path) -> Path:
    """Write the page and its charts; the page holds all pictures itself and names no other file.

    Returns:
        The page.

    Raises:
        StorageError: a file cannot be written.
    """
    sections = [_retrieval(evaluation), _words(evaluation), _grounding(evaluation)]
    context = {"evaluation": evaluation, "version": version("dvsa"), "missed": MISSED, **_queries(evaluation)}
    for section in sections:
        context |= section
    text = _environment().get_template("page.html.jinja").render(context)
    try:
        for chart in (value for value in context.values() if isinstance(value, Chart)):
            (folder / f"{chart.name}.png").write_bytes(chart.light)
        (folder / PAGE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the report in {folder} cannot be written: {error.strerror or error}") from error
    return folder / PAGE


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api.evaluation_report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode("ascii")
    return environment


def _retrieval(evaluation: Evaluation) -> dict[str, Any]:
    """Curves and the table."""
    ranking, pool = evaluation.ranking, evaluation.pool
    each = len(evaluation.sentences) / len(evaluation.images)  # sentences a photo
    per_pool = round(each * pool)
    curves = [
        Curve("photo to sentence", ranking.images.ranks, chance_recall(per_pool, round(each), min(CURVE, per_pool))),
        Curve("sentence to photo", ranking.sentences.ranks, chance_recall(pool, 1, min(CURVE, pool))),
    ]
    photo, sentence = evaluation.recall
    alt = (
        "Recall at K, K from 1 to 100. "
        f"Photo to sentence: {photo.r1} % at 1, {photo.r5} % at 5, {photo.r10} % at 10. "
        f"Sentence to photo: {sentence.r1} % at 1, {sentence.r5} % at 5, {sentence.r10} % at 10."
    )
    benchmark = benchmark_of(evaluation.dataset, pool)
    rows = ROWS[benchmark] if benchmark else ()
    own = own_row("this model", evaluation.recall)
    return {
        "recall_says": prose.recall_says(evaluation),
        "recall_chart": recall_chart(curves, alt),
        "recall_rows": _curve_rows(curves),
        "benchmark": benchmark,
        "published": rows,
        "own": own,
        "published_says": prose.published_says(own, rows) if rows else "",
    }


def _curve_rows(curves: Sequence[Curve]) -> list[tuple[int, list[float]]]:
    ticks = [k for k in TICKS if k <= max(len(curve.chance) for curve in curves)]
    return [(k, [100.0 * float((curve.ranks <= k).mean()) for curve in curves]) for k in ticks]


def _words(evaluation: Evaluation) -> dict[str, Any]:
    """Recall by word and length, and the words taken for one another."""
    ranking = evaluation.ranking
    found = ranking.sentences.ranks <= MISSED
    whole = Share("all", int(found.sum()), len(found))
    least = least_count(len(found))
    words = by_word(evaluation.words, found, least)
    hardest = words[:EXTREMES]
    easiest = sorted(words[EXTREMES:], key=lambda share: -share.interval[0])[:EXTREMES]
    lengths = by_length(evaluation.words, found)
    vocabulary = evaluation.checkpoint.vocabulary
    understood = np.array([all(word in vocabulary for word in of_one) for of_one in evaluation.words])
    known, unknown = (
        Share(name, int(found[chosen].sum()), int(chosen.sum()))
        for name, chosen in (("known", understood), ("unknown", ~understood))
    )
    queries = Queries(evaluation.words, ranking.image_of, ranking.sentences.ranks, ranking.sentences.first)
    pairs = confusions(queries, least)
    charts: dict[str, Any] = {"word_chart": None}
    if words:
        shown = [*hardest, *easiest[::-1]]
        alt = f"R@{MISSED} of the sentences with a word. " + _read_out(shown)
        charts["word_chart"] = share_chart("words", [("sentences", shown)], alt, whole.percent)
    alt = f"R@{MISSED} of sentences by their length. {_read_out(lengths)}"
    return charts | {
        "in_short": prose.in_short(evaluation, words, whole, pairs),
        "least": least,
        "words_say": prose.words_say(words, whole),
        "hardest": hardest,
        "easiest": easiest,
        "length_chart": share_chart("lengths", [("sentences", lengths)], alt, whole.percent),
        "length_says": [prose.length_says(lengths), prose.unknown_says(known, unknown)],
        "pairs": pairs,
        "confusions_say": prose.confusions_say(pairs, int((~found).sum())),
    }


def _grounding(evaluation: Evaluation) -> dict[str, Any]:
    """Grounding by type and size; nothing where no boxes are known."""
    phrases, boxes = evaluation.grounded, evaluation.boxes
    if not phrases:
        return {"grounding": None}
    found = summary(phrases)
    whole = summary([_whole_photo(one, evaluation) for one in phrases])
    measures = (
        ("right box (IoU 0.5)", [one.hit for one in phrases]),
        ("pointing game", [one.pointed for one in phrases]),
        ("a right region exists", [one.possible for one in phrases]),
    )
    types = [(name, by_type(phrases, hits)) for name, hits in measures]
    areas = [(name, by_area(phrases, boxes, hits)) for name, hits in measures]
    return {
        "grounding": found,
        "whole_photo": whole,
        "published_grounding": GROUNDING,
        "grounding_says": prose.grounding_says(found, whole),
        "types_say": prose.groups_say(types[0][1], types[2][1]),
        "areas_say": prose.groups_say(areas[0][1], areas[2][1]),
        "type_chart": share_chart("phrase-types", types, _read_groups("Phrases by type", types)),
        "area_chart": share_chart("box-sizes", areas, _read_groups("Phrases by the size of their box", areas)),
    }


def _queries(evaluation: Evaluation) -> dict[str, Any]:
    gallery = Gallery(evaluation)
    return {
        "sentence_queries": gallery.sentence_queries(),
        "photo_queries": gallery.photo_queries(),
        "phrase_cases": gallery.phrases(),
    }


def _whole_photo(one: GroundedPhrase, evaluation: Evaluation) -> GroundedPhrase:
    """Say what a phrase would get from always answering the whole photo."""
    boxes = evaluation.boxes[one.image]
    return grounded(one.image, one.phrase, boxes, len(boxes) - 1)


def _read_groups(title: str, groups: Groups) -> str:
    return f"{title}. " + " ".join(f"{name}: {_read_out(shares)}" for name, shares in groups)


def _read_out(shares: Sequence[Share]) -> str:
    return ", ".join(f"{share.name} {share.percent:.0f} %" for share in shares) + "."
