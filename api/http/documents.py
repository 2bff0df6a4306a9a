"""The JSON documents of the service."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from engine.alignment import WordRegion
from engine.captioner import RegionCaption
from engine.catalogue import CollectionInfo, PhotoInfo
from engine.catalogue.metadata import PhotoMetadata
from model.captions.caption import Caption

Box = Annotated[
    tuple[float, float, float, float],
    Field(description="x0, y0, x1, y1 in pixels of the upright photo", examples=[(10.0, 20.5, 200.0, 180.0)]),
]


class CollectionDocument(BaseModel):
    """A collection."""

    name: str = Field(examples=["holidays"])
    photos: int = Field(examples=[80])
    sentences: int = Field(examples=[400])

    @classmethod
    def of(cls, info: CollectionInfo) -> Self:
        """Say of a collection what is for all to know."""
        return cls(name=info.name, photos=info.photos, sentences=info.sentences)


class CollectionList(BaseModel):
    """All collections, by name."""

    collections: list[CollectionDocument]


class PhotoDocument(BaseModel):
    """A photo that a collection holds."""

    id: int = Field(examples=[17])
    name: str = Field(description="name of the file, without its folder", examples=["beach.jpg"])
    width: int = Field(description="pixels of the upright photo", examples=[640])
    height: int = Field(examples=[480])
    caption: str | None = Field(examples=["two dogs play on the beach"])
    tags: list[str] = Field(examples=[["beach", "dog"]])
    attributes: dict[str, str | float] = Field(examples=[{"camera": "X100", "iso": 400}])
    taken_at: datetime | None = Field(description="by the file's EXIF, or as somebody said")

    @classmethod
    def of(cls, info: PhotoInfo, metadata: PhotoMetadata) -> Self:
        """Say of a photo what is for all to know."""
        size = {"width": info.width, "height": info.height}
        known = {"tags": metadata.tags, "attributes": metadata.attributes, "taken_at": info.taken_at}
        return cls(id=info.id, name=info.name, caption=info.caption, **size, **known)


class PhotoPage(BaseModel):
    """Some photos of a collection, by id."""

    photos: list[PhotoDocument]
    after: int | None = Field(description="give this back for the next page; null: this was the last", examples=[42])


class WordDocument(BaseModel):
    """A word and the region that it went to."""

    word: str = Field(examples=["dogs"])
    start: int = Field(description="where the word stands in its text, in characters", examples=[4])
    end: int = Field(description="likewise, exclusive", examples=[8])
    box: Box
    product: float = Field(description="inner product of the two vectors", examples=[1.25])

    @classmethod
    def of(cls, word: WordRegion) -> Self:
        """Round a word's region for people."""
        x0, y0, x1, y1 = (round(edge, 1) for edge in word.box)
        return cls(word=word.word, start=word.start, end=word.end, box=(x0, y0, x1, y1), product=round(word.product, 5))


class CaptionDocument(BaseModel):
    """A caption."""

    caption: str = Field(examples=["two dogs play on the beach"])
    log_probability: float = Field(description="nats", examples=[-9.5])

    @classmethod
    def of(cls, caption: Caption) -> Self:
        """Give a caption."""
        return cls(caption=caption.text, log_probability=round(caption.log_probability, 4))


class RegionCaptionDocument(CaptionDocument):
    """A caption of a region."""

    box: Box

    @classmethod
    def of_region(cls, region: RegionCaption) -> Self:
        """Give a region's caption."""
        x0, y0, x1, y1 = (round(edge, 1) for edge in region.box)
        return cls(**CaptionDocument.of(region.caption).model_dump(), box=(x0, y0, x1, y1))


class CaptionedPhoto(CaptionDocument):
    """What a photo and its regions show."""

    width: int = Field(description="pixels of the upright photo", examples=[640])
    height: int = Field(examples=[480])
    regions: list[RegionCaptionDocument] = Field(description="likeliest first; empty if not asked for")


class AlignmentDocument(BaseModel):
    """A sentence laid over a photo."""

    width: int = Field(description="pixels of the upright photo", examples=[640])
    height: int = Field(examples=[480])
    score: float = Field(examples=[3.5])
    not_understood: list[str]
    words: list[WordDocument]
