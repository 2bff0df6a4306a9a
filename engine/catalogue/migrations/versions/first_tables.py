"""Collections, photos, regions, documents, sentences."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _reference(name: str, target: str, ondelete: str = "CASCADE", **options: bool) -> sa.Column[int]:
    return sa.Column(name, ID, sa.ForeignKey(target, ondelete=ondelete), **options)  # type: ignore[arg-type]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "collections",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("snapshot", sa.Text),
        sa.Column("model_hash", sa.Text, nullable=False),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("photo_count", sa.Integer, nullable=False),
        sa.Column("sentence_count", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    _create_photos()
    _create_texts()


def _create_photos() -> None:
    op.create_table(
        "photos",
        sa.Column("id", ID, primary_key=True),
        _reference("collection_id", "collections.id", nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("model_hash", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("vectors", sa.LargeBinary),
        sa.UniqueConstraint("collection_id", "path", "state"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "regions",
        _reference("photo_id", "photos.id", primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *(sa.Column(side, sa.Float, nullable=False) for side in ("x0", "y0", "x1", "y1")),
    )


def _create_texts() -> None:
    op.create_table(
        "documents",
        sa.Column("id", ID, primary_key=True),
        _reference("collection_id", "collections.id", nullable=False),
        sa.Column("state", sa.String(6), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("model_hash", sa.Text, nullable=False),
        sa.UniqueConstraint("collection_id", "path", "state"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sentences",
        sa.Column("id", ID, primary_key=True),
        _reference("document_id", "documents.id", nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        _reference("photo_id", "photos.id", ondelete="SET NULL", index=True),
        sa.Column("vectors", sa.LargeBinary),
        sa.UniqueConstraint("document_id", "number"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("sentences", "documents", "regions", "photos", "collections"):
        op.drop_table(table)
