"""What the queue goes by: priorities, a start that waits, jobs that are asked for once; and how far a job is.

A storemon of before can go on with these tables: it leaves the new columns alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("run_after", sa.BigInteger))
    op.add_column("jobs", sa.Column("dedupe_key", sa.Text))
    op.add_column("jobs", sa.Column("progress", sa.Float))
    op.create_index("jobs_by_dedupe_key", "jobs", ["dedupe_key"], unique=True)
