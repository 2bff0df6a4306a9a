"""Ids become hits: what the catalogue knows of them."""

from collections.abc import Sequence
from dataclasses import replace

from engine.catalogue import Catalogue
from engine.fragments import Kind
from engine.search.answer import Hit
from engine.search.ranking import Ranking
from engine.search.views import View


class Stale(Exception):
    """A snapshot and the catalogue are of two publications."""


def hits_of(catalogue: Catalogue, views: Sequence[View], kind: Kind, ranking: Ranking, start: int) -> list[Hit]:
    """Return hits in the order of a ranking, whose first item comes after `start` others.

    Raises:
        Stale: the catalogue does not know an item.
    """
    ids, owners = ranking.ids.tolist(), ranking.owners.tolist()
    scored = zip(ids, ranking.scores.tolist(), [views[owner].info.name for owner in owners], strict=True)
    hits = [Hit(rank, *item) for rank, item in enumerate(scored, start + 1)]
    described = _photos(catalogue, hits) if kind == "images" else _sentences(catalogue, hits)
    if len(described) < len(hits):
        raise Stale
    return described


def _photos(catalogue: Catalogue, hits: Sequence[Hit]) -> list[Hit]:
    known = catalogue.photos([hit.id for hit in hits])
    return [
        replace(hit, path=photo.path, name=photo.name, width=photo.width, height=photo.height, caption=photo.caption)
        for hit, photo in ((hit, known.get(hit.id)) for hit in hits)
        if photo is not None
    ]


def _sentences(catalogue: Catalogue, hits: Sequence[Hit]) -> list[Hit]:
    known = catalogue.sentences([hit.id for hit in hits])
    return [
        replace(hit, text=sentence.text, document=sentence.document)
        for hit, sentence in ((hit, known.get(hit.id)) for hit in hits)
        if sentence is not None
    ]
