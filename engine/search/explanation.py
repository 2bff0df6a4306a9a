"""Why hits were found: the regions of words, and of photos the region that is like a box."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from engine.alignment import Box, best_regions
from engine.catalogue import Catalogue
from engine.encoder import Encoder, PhotoFragments, SentenceFragments
from engine.search.answer import Hit
from engine.search.hits import Stale
from engine.search.ranking import Ranking
from engine.search.views import View

Explain = Callable[[Sequence[View], Ranking, list[Hit]], list[Hit]]
"""Gives hits, in the order of the ranking, their words or boxes."""


def nothing(_views: Sequence[View], _ranking: Ranking, hits: list[Hit]) -> list[Hit]:
    """Leave hits as they are."""
    return hits


def words_on_photos(catalogue: Catalogue, sentence: SentenceFragments) -> Explain:
    """Give each photo the regions of a text's words."""

    def explain(views: Sequence[View], ranking: Ranking, hits: list[Hit]) -> list[Hit]:
        photos = stored_photos(catalogue, views, ranking)
        return [replace(hit, words=best_regions(sentence, photo)) for hit, photo in zip(hits, photos, strict=True)]

    return explain


def words_of_sentences(encoder: Encoder, photo: PhotoFragments) -> Explain:
    """Give each sentence the regions of its words on the query photo, or on the box that was asked."""

    def explain(_views: Sequence[View], _ranking: Ranking, hits: list[Hit]) -> list[Hit]:
        sentences = encoder.encode_sentences([hit.text or "" for hit in hits])
        return [replace(hit, words=best_regions(found, photo)) for hit, found in zip(hits, sentences, strict=True)]

    return explain


def box_on_photos(catalogue: Catalogue, asked: npt.NDArray[np.float32]) -> Explain:
    """Give each photo the box of its region that is most like the region asked, float32 (1, D)."""

    def explain(views: Sequence[View], ranking: Ranking, hits: list[Hit]) -> list[Hit]:
        photos = stored_photos(catalogue, views, ranking)
        return [replace(hit, box=_most_like(photo, asked)) for hit, photo in zip(hits, photos, strict=True)]

    return explain


def stored_photos(catalogue: Catalogue, views: Sequence[View], ranking: Ranking) -> list[PhotoFragments]:
    """Return boxes and vectors of ranked photos.

    Raises:
        Stale: the catalogue has other boxes than the index has vectors.
    """
    boxes = catalogue.regions(ranking.ids.tolist())
    vectors: dict[int, npt.NDArray[np.float32]] = {}
    for number, view in enumerate(views):
        held = view.index("images").fragments(ranking.ids[ranking.owners == number])
        vectors |= {int(photo): held.item(place) for place, photo in enumerate(held.ids)}
    if any(len(boxes.get(photo, ())) != len(vectors[photo]) for photo in ranking.ids.tolist()):
        raise Stale
    return [PhotoFragments(boxes[photo], vectors[photo]) for photo in ranking.ids.tolist()]


def _most_like(photo: PhotoFragments, asked: npt.NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = photo.boxes[(photo.vectors @ asked.T).max(axis=1).argmax()].tolist()
    return x0, y0, x1, y1
