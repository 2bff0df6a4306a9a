"""What a search found."""

from dataclasses import dataclass, field

from engine.alignment import Box, WordRegion
from engine.fragments import Kind


@dataclass(frozen=True)
class Hit:
    """A photo or a sentence that was found.

    Attributes:
        rank: from 1, over all pages.
        id: the catalogue's id.
        score: the image-sentence score, or that of two items of one kind, less what was excluded; higher is better.
        collection: that holds it.
        path, name, width, height: of a photo; its name is the file's or the uploader's; pixels of the upright photo.
        caption: of a photo that was captioned when it was indexed.
        text, document: of a sentence, and the file that it comes from.
        words: of a photo found by text, the query's words with their regions of this photo; of a sentence found by
            photo or by a box, its words with their regions of the query photo.
        box: of a photo found by a box, its region that is most like that box.
    """

    rank: int
    id: int
    score: float
    collection: str
    path: str | None = None
    name: str | None = None
    width: int | None = None
    height: int | None = None
    caption: str | None = None
    text: str | None = None
    document: str | None = None
    words: list[WordRegion] = field(default_factory=list)
    box: Box | None = None


@dataclass(frozen=True)
class Answer:
    """What a search found, best first; of equal scores the smaller id comes first.

    Attributes:
        query: the text, or the name of the photo.
        collections: that were searched.
        not_understood: words of the text that the model does not know.
        caption: of the query photo, where there is a captioner.
        cursor: asks for the next page; None: there is none.
        warnings: what makes the answer less than it should be, a sentence each.
    """

    query: str
    target: Kind
    collections: tuple[str, ...]
    not_understood: list[str]
    hits: list[Hit]
    caption: str | None = None
    cursor: str | None = None
    warnings: list[str] = field(default_factory=list)
