"""How a search is to be made, whatever is asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.catalogue.filtering import PhotoFilter
from engine.exceptions import BadRequest
from engine.fragments import Effort, Kind
from engine.ranking import DEFAULT_EFFORT


@dataclass(frozen=True)
class Exclusion:
    """What hits should not be like: `weight` times their score with the text is taken off their score."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class SearchRequest:
    """How to search.

    Attributes:
        collections: names, one at least; hits of all are merged by score.
        target: what to find.
        k: how many hits.
        effort: how much the search of a large collection may cost.
        exclude: what to keep away from.
        filter: what photos must have, or the photos that sentences describe; None: all may be found.
        min_score: hits that score less are left out; None: none are.
        cursor: of the page before, for the next; None: the first page.
        explain: give the regions of words.
    """

    collections: Sequence[str] = ("default",)
    target: Kind = "images"
    k: int = 10
    effort: Effort = DEFAULT_EFFORT
    exclude: Exclusion | None = None
    filter: PhotoFilter | None = None
    min_score: float | None = None
    cursor: str | None = None
    explain: bool = True

    def texts(self, *asked: str) -> list[str]:
        """Return the texts to encode: what is asked, then what is excluded."""
        return [*asked, self.exclude.text] if self.exclude is not None else list(asked)

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            BadRequest: k is less than 1, no collection is named, a weight or a score is not a number.
        """
        if self.k < 1:
            raise BadRequest(f"the number of hits must be 1 or more, not {self.k}")
        if not self.collections:
            raise BadRequest("name a collection to search")
        if self.exclude is not None and not 0 <= self.exclude.weight < math.inf:
            raise BadRequest(f"the weight of what is excluded must be 0 or more, not {self.exclude.weight}")
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise BadRequest(f"the minimum score must be a number, not {self.min_score}")
