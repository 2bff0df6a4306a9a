"""Captions of photos, and the captioner that made them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; photos indexed before have no caption until the next run."""
    op.add_column("photos", sa.Column("caption", sa.Text))
    op.add_column("photos", sa.Column("captioner_hash", sa.String(64)))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("photos", "captioner_hash")
    op.drop_column("photos", "caption")
