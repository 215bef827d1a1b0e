"""Rules, the alerts that they make, what is told of them, and schedules.

A storemon of before can go on beside these tables: it leaves them alone, and does not know jobs of schedules.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rules",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("written", sa.JSON, nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("written_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "looks",
        sa.Column("rule", sa.String(100), primary_key=True),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(6), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("fired_at", sa.BigInteger, nullable=False),
        sa.Column("found_at", sa.BigInteger, nullable=False),
        sa.Column("resolved_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("quiet_since", sa.BigInteger),
        sa.Column("quiet_us", sa.BigInteger, nullable=False),
        sa.Column("stale", sa.Boolean, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("telling", sa.JSON, nullable=False),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_index("alerts_by_subject", "alerts", ["rule", "subject", "fired_at"])
    op.create_index("alerts_by_close", "alerts", ["closed_at", "fired_at"])
    op.create_index("alerts_by_turn", "alerts", ["due_at"])
    op.create_table(
        "events",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("alert_id", sa.String(36), nullable=False),
        sa.Column("happened_at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(12), nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_alert", "events", ["alert_id", "id"])
    op.create_table(
        "silences",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("matching", sa.JSON, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("silences_by_end", "silences", ["ends_at"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("alerts", sa.JSON, nullable=False),
        sa.Column("message", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("send_after", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("owner", sa.String(36)),
        sa.Column("lease_ends_at", sa.BigInteger),
    )
    op.create_index("notices_by_state", "notices", ["state", "send_after"])
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("written", sa.JSON, nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.BigInteger),
    )
