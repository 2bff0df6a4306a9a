"""The tables of the catalogue, the same on SQLite and PostgreSQL.

    collections 1--n photos    1--n regions
                1--n documents 1--n sentences n--0..1 photos

A photo or document is `staged` while an indexing run works and becomes `live` when the run is published. Staged rows
carry their vectors, so that a run that was interrupted loses no inference; published rows do not, their vectors are
in the snapshot that the collection names. Ids are never used twice: snapshots refer to them.
"""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

State = Literal["staged", "live"]
STAGED: State = "staged"
LIVE: State = "live"

# SQLite numbers rows by itself only in a column called INTEGER, which holds 64 bits there
Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of the tables."""


class Collection(Base):
    """A named collection; `snapshot` names the folder that was published last."""

    __tablename__ = "collections"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    snapshot: Mapped[str | None] = mapped_column(Text)
    model_hash: Mapped[str] = mapped_column(Text)
    dimension: Mapped[int] = mapped_column(Integer)
    photo_count: Mapped[int] = mapped_column(Integer, default=0)
    sentence_count: Mapped[int] = mapped_column(Integer, default=0)


class Photo(Base):
    """A photo by its absolute path; `root` is the path whose indexing brought it in.

    `captioner_hash` names the captioner that made the caption; a photo without one has neither.
    """

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("collection_id", "path", "state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(6))
    path: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(String(64))
    model_hash: Mapped[str] = mapped_column(Text)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    caption: Mapped[str | None] = mapped_column(Text)
    captioner_hash: Mapped[str | None] = mapped_column(String(64))
    vectors: Mapped[bytes | None] = mapped_column(LargeBinary)


class Region(Base):
    """A box of a photo; `number` is its vector's place among the photo's vectors in the snapshot."""

    __tablename__ = "regions"

    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    x0: Mapped[float]
    y0: Mapped[float]
    x1: Mapped[float]
    y1: Mapped[float]


class Document(Base):
    """A text file, sidecar, table or dataset; `digest` is the hash of its sentences."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("collection_id", "path", "state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(6))
    path: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    model_hash: Mapped[str] = mapped_column(Text)


class Sentence(Base):
    """A sentence; `number` is its place in the document, `photo_id` the photo that it describes."""

    __tablename__ = "sentences"
    __table_args__ = (UniqueConstraint("document_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photos.id", ondelete="SET NULL"), index=True)
    vectors: Mapped[bytes | None] = mapped_column(LargeBinary)
