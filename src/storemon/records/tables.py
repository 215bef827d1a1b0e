"""The tables of the records, as the newest migration leaves them. Every instant is in microseconds since 1970, UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", String(9), nullable=False),  # report, ingestion, schedule
    Column("state", String(8), nullable=False),  # queued, running, complete, failed, canceled
    Column("parameters", JSON, nullable=False),  # what was asked for, and what the first start fixed
    Column("result", JSON(none_as_null=True)),  # once complete
    Column("reason", Text),  # once failed
    Column("attempts", Integer, nullable=False),  # starts so far
    Column("owner", String(36)),  # who runs it
    Column("lease_ends_at", BigInteger),
    Column("queued_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("priority", Integer, nullable=False, server_default="0"),  # the higher ones start first
    Column("run_after", BigInteger),  # not started before
    Column("dedupe_key", Text),  # no two jobs have the same
    Column("progress", Float),  # the share that is done, from 0 to 1
    Index("jobs_by_state", "state", "kind", "queued_at"),
    Index("jobs_by_dedupe_key", "dedupe_key", unique=True),
)
KEYS = Table(
    "keys",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("secret_hash", String(64), nullable=False),  # SHA-256 of what only its owner has
    Column("role", String(6), nullable=False),  # reader, writer, admin
    Column("sees", JSON, nullable=False),  # the tags, with their values, of the stores that it sees; none for all
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
INBOX = Table(
    "inbox",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # never the same one again
    Column("received_at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),  # of polls
    Column("bytes", BigInteger, nullable=False),  # that it takes
    Column("trouble", Text),  # why it is put aside: it cannot be read
    Column("polls", LargeBinary, nullable=False),  # an Arrow IPC stream: store_id, polled_at, active
    Column("rejected", LargeBinary),  # another one: file, line, row, reason
    sqlite_autoincrement=True,
)
"""Batches of polls that arrived and are not in the lake yet."""
LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(40), primary_key=True),  # of what one process does at a time
    Column("owner", String(36), nullable=False),  # the one that may
    Column("ends_at", BigInteger, nullable=False),  # unless it is renewed before
)
RULES = Table(
    "rules",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("written", JSON, nullable=False),  # as one of a file of rules
    Column("author", Text),
    Column("written_at", BigInteger, nullable=False),
)
"""Rules that were not written into a file, but sent."""
LOOKS = Table(
    "looks",
    METADATA,
    Column("rule", String(100), primary_key=True),
    Column("looked_at", BigInteger, nullable=False),  # up to when its alerts are known
)
ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("rule", String(100), nullable=False),
    Column("kind", String(6), nullable=False),  # down, silent, below, burn, group
    Column("subject", Text, nullable=False),  # a store's id, or the tags of a group
    Column("severity", String(8), nullable=False),  # info, warning, critical
    Column("fired_at", BigInteger, nullable=False),
    Column("found_at", BigInteger, nullable=False),  # by the look that saw it first
    Column("resolved_at", BigInteger),
    Column("closed_at", BigInteger),  # when that was found, or that nobody watches it any more
    Column("quiet_since", BigInteger),  # since when the rule has not held
    Column("quiet_us", BigInteger, nullable=False),  # the open time of that
    Column("stale", Boolean, nullable=False),  # nobody knows whether it goes on
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("facts", JSON, nullable=False),  # what was known of it when it was found
    Column("telling", JSON, nullable=False),  # what was told of it, and to whom
    Column("due_at", BigInteger),  # when there may be something to tell of it
    Index("alerts_by_subject", "rule", "subject", "fired_at"),
    Index("alerts_by_close", "closed_at", "fired_at"),
    Index("alerts_by_turn", "due_at"),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("alert_id", String(36), nullable=False),
    Column("happened_at", BigInteger, nullable=False),
    Column("what", String(12), nullable=False),  # fired, acknowledged, silenced, repeated, escalated, resolved, …
    Column("author", Text),
    Column("reason", Text),
    Index("events_by_alert", "alert_id", "id"),
    sqlite_autoincrement=True,
)
"""What happened to alerts. Rows are added, and never changed."""
SILENCES = Table(
    "silences",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("matching", JSON, nullable=False),  # rule, severity, subject, or tags of stores, each with its value
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("silences_by_end", "ends_at"),
)
NOTICES = Table(
    "notices",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("channel", Text, nullable=False),  # by its name, or its address
    Column("kind", String(12), nullable=False),  # fired, repeated, escalated, flapping, resolved, test, answer
    Column("alerts", JSON, nullable=False),  # the ids of those that it tells of
    Column("message", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("send_after", BigInteger, nullable=False),
    Column("state", String(7), nullable=False),  # waiting, sending, sent, dead
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),  # why the last attempt failed
    Column("sent_at", BigInteger),
    Column("owner", String(36)),  # who is sending it
    Column("lease_ends_at", BigInteger),
    Index("notices_by_state", "state", "send_after"),
)
"""What is to be told, and was."""
SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("written", JSON, nullable=False),  # cron, zone, to, question, form, grace
    Column("author", Text),
    Column("written_at", BigInteger, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("next_at", BigInteger),  # the next tick
)
