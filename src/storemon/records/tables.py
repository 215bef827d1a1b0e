"""The tables of the records, as the newest migration leaves them. Every instant is in microseconds since 1970, UTC."""

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

METADATA = MetaData()
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", String(9), nullable=False),  # report, ingestion
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
