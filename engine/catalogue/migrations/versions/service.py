"""What the HTTP service needs: metadata of photos, names of what was uploaded, jobs, API keys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and tables; photos indexed before have no date until they are indexed anew."""
    for table in ("photos", "documents"):
        op.add_column(table, sa.Column("managed", sa.Boolean, nullable=False, server_default=sa.false()))
        op.add_column(table, sa.Column("name", sa.Text))
    op.add_column("photos", sa.Column("taken_at", sa.DateTime))
    op.add_column("photos", sa.Column("dated", sa.Boolean, nullable=False, server_default=sa.false()))
    _create_metadata()
    _create_jobs()
    op.create_table(
        "api_keys",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("scope", sa.String(5), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("revoked_at", sa.DateTime),
        sa.Column("last_used_at", sa.DateTime),
        sqlite_autoincrement=True,
    )


def _create_metadata() -> None:
    op.create_table("photo_tags", _photo(), sa.Column("tag", sa.Text, primary_key=True))
    op.create_index("ix_photo_tags_tag", "photo_tags", ["tag", "photo_id"])
    op.create_table(
        "photo_attributes",
        _photo(),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("text", sa.Text),
        sa.Column("number", sa.Float),
    )
    for kind in ("text", "number"):
        op.create_index(f"ix_photo_attributes_{kind}", "photo_attributes", ["name", kind, "photo_id"])


def _photo() -> sa.Column[int]:
    return sa.Column("photo_id", ID, sa.ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("collection_id", ID, sa.ForeignKey("collections.id", ondelete="SET NULL")),
        sa.Column("collection", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("report", sa.JSON),
        sa.Column("worker", sa.Text),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("cancel", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("finished_at", sa.DateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state", "id"])
    op.create_index("ix_jobs_collection", "jobs", ["collection_id", "id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_jobs_one_runs", "jobs", ["collection_id"], unique=True, sqlite_where=running, postgresql_where=running
    )


def downgrade() -> None:
    """Drop tables and columns."""
    for table in ("api_keys", "jobs", "photo_attributes", "photo_tags"):
        op.drop_table(table)
    for column in ("dated", "taken_at"):
        op.drop_column("photos", column)
    for table in ("documents", "photos"):
        op.drop_column(table, "name")
        op.drop_column(table, "managed")
