"""Search: a question's fragments, candidates, exact scores, and the hits with what the catalogue knows of them.

In reading order: `request.py` (how to search), `questions.py` (what is asked), `answer.py` (what was found), `views.py`
(published states), `ranking.py` (collections merged), `paging.py` (cursors), `hits.py` (ids become hits),
`explanation.py` (words' and photos' regions), `service.py` (the door).
"""

from engine.search.answer import Answer, Hit
from engine.search.request import Exclusion, SearchRequest
from engine.search.service import SearchService

__all__ = ["Answer", "Exclusion", "Hit", "SearchRequest", "SearchService"]
