"""The tables of the catalogue, the same on SQLite and PostgreSQL.

    collections 1--n photos    1--n regions, photo_tags, photo_attributes
                1--n documents 1--n sentences n--0..1 photos
                1--n jobs
    api_keys

A photo or document is `staged` while an indexing run works and becomes `live` when the run is published. Staged rows
carry their vectors, so that a run that was interrupted loses no inference; published rows do not, their vectors are
in the snapshot that the collection names. Ids are never used twice: snapshots refer to them.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

State = Literal["staged", "live"]
STAGED: State = "staged"
LIVE: State = "live"

JobKind = Literal["index", "upload", "delete", "documents"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Scope = Literal["read", "write"]

# SQLite numbers rows by itself only in a column called INTEGER, which holds 64 bits there
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A moment: with its zone in Python, in UTC in the database; SQLite knows no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC without a zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a moment its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of the tables."""

    type_annotation_map = {datetime: UtcTime}  # noqa: RUF012  read once, by SQLAlchemy


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

    `captioner_hash` names the captioner that made the caption; a photo without one has neither. A `managed` photo was
    uploaded: its file belongs to the service, and `name` is what the uploader called it. `taken_at` comes from the
    file's EXIF unless `dated` says that a person gave it.
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
    managed: Mapped[bool] = mapped_column(server_default=false())
    name: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None]
    dated: Mapped[bool] = mapped_column(server_default=false())


class PhotoTag(Base):
    """A tag of a photo."""

    __tablename__ = "photo_tags"
    __table_args__ = (Index("ix_photo_tags_tag", "tag", "photo_id"),)

    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(Text, primary_key=True)


class PhotoAttribute(Base):
    """A named value of a photo: a text or a number, the other is null."""

    __tablename__ = "photo_attributes"
    __table_args__ = (
        Index("ix_photo_attributes_text", "name", "text", "photo_id"),
        Index("ix_photo_attributes_number", "name", "number", "photo_id"),
    )

    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    text: Mapped[str | None] = mapped_column(Text)
    number: Mapped[float | None]


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
    """A text file, sidecar, table or dataset; `digest` is the hash of its sentences.

    A `managed` document came over HTTP: its file belongs to the service, and `name` is what the sender called it.
    """

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("collection_id", "path", "state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(6))
    path: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    model_hash: Mapped[str] = mapped_column(Text)
    managed: Mapped[bool] = mapped_column(server_default=false())
    name: Mapped[str | None] = mapped_column(Text)


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


class Job(Base):
    """Work on a collection, queued until a worker runs it; at most one job of a collection runs at a time.

    `worker` names the process that runs it, `deaths` counts the processes that died over it, `cancel` asks the process
    to stop. The collection's name outlives the collection.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state", "state", "id"),
        Index("ix_jobs_collection", "collection_id", "id"),
        Index(
            "ix_jobs_one_runs",
            "collection_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(9))
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collections.id", ondelete="SET NULL"))
    collection: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(9))
    stage: Mapped[str] = mapped_column(Text, default="")
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    worker: Mapped[str | None] = mapped_column(Text)
    deaths: Mapped[int] = mapped_column(Integer, default=0)
    cancel: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of the HTTP service; only its SHA-256 is kept."""

    __tablename__ = "api_keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
