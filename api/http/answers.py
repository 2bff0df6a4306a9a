"""The JSON documents of what searches find."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field

from api.http.documents import Box, WordDocument
from engine.fragments import Kind
from engine.search import Answer, Hit


class FoundItem(BaseModel):
    """What photos and sentences that were found have in common."""

    rank: int = Field(description="from 1, over all pages", examples=[1])
    id: int = Field(examples=[17])
    collection: str = Field(description="that holds it", examples=["holidays"])
    score: float = Field(description="higher is better", examples=[3.5])


class PhotoHit(FoundItem):
    """A photo that was found."""

    name: str = Field(examples=["beach.jpg"])
    width: int = Field(examples=[640])
    height: int = Field(examples=[480])
    caption: str | None
    words: list[WordDocument] = Field(description="the query's words on this photo, where it was asked to explain")
    box: Box | None = Field(description="the region that is most like the box that was asked")

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Say of a hit what is for all to know."""
        return cls(
            rank=hit.rank,
            id=hit.id,
            collection=hit.collection,
            score=round(hit.score, 5),
            name=hit.name or "",
            width=hit.width or 0,
            height=hit.height or 0,
            caption=hit.caption,
            words=[WordDocument.of(word) for word in hit.words],
            box=_rounded(hit.box) if hit.box else None,
        )


class SentenceHit(FoundItem):
    """A sentence that was found."""

    text: str = Field(examples=["Two dogs play on the beach."])
    document: str = Field(description="name of the file that it comes from", examples=["beach.txt"])
    words: list[WordDocument] = Field(description="its words on the query photo, where it was asked to explain")

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Say of a hit what is for all to know."""
        return cls(
            rank=hit.rank,
            id=hit.id,
            collection=hit.collection,
            score=round(hit.score, 5),
            text=hit.text or "",
            document=Path(hit.document or "").name,
            words=[WordDocument.of(word) for word in hit.words],
        )


class AnswerDocument(BaseModel):
    """What a search found, best first."""

    target: Kind
    collections: list[str] = Field(description="that were searched", examples=[["holidays"]])
    not_understood: list[str] = Field(description="words of the texts that the model does not know")
    caption: str | None = Field(description="of the query photo")
    hits: list[PhotoHit] | list[SentenceHit]
    cursor: str | None = Field(description="give this back for the next page; null: this was the last")
    warnings: list[str] = Field(description="what makes the answer less than it should be")

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Give an answer."""
        return cls(
            target=answer.target,
            collections=list(answer.collections),
            not_understood=answer.not_understood,
            caption=answer.caption,
            hits=[(PhotoHit if answer.target == "images" else SentenceHit).of(hit) for hit in answer.hits],
            cursor=answer.cursor,
            warnings=answer.warnings,
        )


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(edge, 1) for edge in box)
    return x0, y0, x1, y1
