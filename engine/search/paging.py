"""Cursors: where the next page of a search begins, and of which search, in which state of the collections.

A cursor holds no results. The search is made again, and a ranking only grows at its end (`rank_to`), so that pages
neither repeat nor leave out an item while the collections stay as they are.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from engine.exceptions import BadRequest, CursorOutdated
from engine.search.ranking import Ids
from engine.search.request import SearchRequest
from engine.search.views import View

_FORMAT = struct.Struct(">B8s8sII")  # version, search, state, first round, start
_VERSION = 1
LONGEST = 64  # characters; a cursor has fewer
FARTHEST = 2**31  # items that a cursor can pass by


@dataclass(frozen=True)
class Page:
    """Where a page begins.

    Attributes:
        first: items of the first round of ranking, see `rank_to`.
        start: items on the pages before.
    """

    first: int
    start: int


@dataclass(frozen=True)
class Marks:
    """What pages of one search have in common: digests of what is asked, and of what is searched."""

    search: bytes
    state: bytes

    @classmethod
    def of(
        cls, asked: Sequence[object], request: SearchRequest, views: Sequence[View], allowed: Sequence[Ids | None]
    ) -> "Marks":
        """Mark a search.

        Args:
            asked: tells what is asked from all else.
            request: how; k, cursor and explain may differ from page to page.
            views: what is searched.
            allowed: ids that may be found, for each view; None: all.
        """
        search = [
            *asked,
            *request.collections,
            request.target,
            request.effort,
            request.exclude,
            request.filter,
            request.min_score,
        ]
        state = [(view.info.id, view.snapshot.name, _of_ids(ids)) for view, ids in zip(views, allowed, strict=True)]
        return cls(_digest(repr(search).encode()), _digest(repr(state).encode()))

    def page(self, cursor: str | None, k: int) -> Page:
        """Say where the page of a cursor begins; that of no cursor is the first.

        Raises:
            BadRequest: the cursor is none of this program's, or of another search.
            CursorOutdated: a collection has changed since the first page.
        """
        if cursor is None:
            return Page(first=k + 1, start=0)  # one more than is shown: is there another page?
        try:
            content = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
            version, search, state, first, start = _FORMAT.unpack(content)
        except (binascii.Error, UnicodeEncodeError, struct.error) as error:
            raise BadRequest("the cursor is not one that a search gave; leave it out for the first page") from error
        if version != _VERSION or search != self.search or not 0 < first <= FARTHEST or start > FARTHEST:
            raise BadRequest("the cursor is of another search; leave it out for the first page")
        if state != self.state:
            raise CursorOutdated("a collection has changed since the first page; search again without the cursor")
        return Page(first, start)

    def cursor(self, page: Page) -> str:
        """Return the cursor of a page."""
        content = _FORMAT.pack(_VERSION, self.search, self.state, page.first, page.start)
        return base64.urlsafe_b64encode(content).decode()


def _of_ids(ids: Ids | None) -> bytes | None:
    return None if ids is None else _digest(ids.tobytes())


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:8]
