"""Polls that have arrived and are on their way into the lake, and who may do what only one process does at a time.

A storemon of before can go on beside these tables: it leaves them alone, and so polls that wait in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("polls", sa.LargeBinary, nullable=False),
        sa.Column("rejected", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )
