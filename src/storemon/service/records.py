"""The records of jobs and of keys: two tables, in a database that several processes share."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from storemon.errors import FileError
from storemon.settings import Settings

BUSY_SECONDS = 10  # how long a statement waits while another process writes
_PAUSE_SECONDS = 0.01
_PRIMARY = 0xFF  # the bits of SQLite's error codes that tell the kind

METADATA = MetaData()
RECORDS = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", String(9), nullable=False),  # report, ingestion
    Column("state", String(8), nullable=False),  # queued, running, complete, failed
    Column("parameters", JSON, nullable=False),  # what was asked for, and what the first start fixed
    Column("result", JSON(none_as_null=True)),  # once complete
    Column("reason", Text),  # once failed
    Column("attempts", Integer, nullable=False),  # starts so far
    Column("owner", String(36)),  # who runs it
    Column("lease_ends_at", BigInteger),  # every instant is in microseconds since 1970, UTC
    Column("queued_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
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
BY_STATE = Index("jobs_by_state", RECORDS.c.state, RECORDS.c.kind, RECORDS.c.queued_at)


def records_file(settings: Settings) -> Path:
    """Name the database: it lies beside the reports."""
    return settings.reports / "storemon.db"


def opened_records(settings: Settings) -> Engine:
    """Open the records of a service, made if they are not there.

    Raises:
        FileError: the folder of the reports, or the records in it, cannot be opened or made.

    """
    file = records_file(settings)
    try:
        settings.reports.mkdir(parents=True, exist_ok=True)
        return open_records(file)
    except (OSError, SQLAlchemyError) as error:
        raise FileError(f"{file}: the records of jobs cannot be kept here: {error}") from error


def open_records(path: Path) -> Engine:
    """Open the SQLite database at ``path``, made if it is not there, so that each statement is a transaction.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: it cannot be opened or written.

    """
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=0, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    with engine.connect() as connection:
        for table in (RECORDS, KEYS):
            connection.execute(CreateTable(table, if_not_exists=True))
        connection.execute(CreateIndex(BY_STATE, if_not_exists=True))
    return engine


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    """Let readers and one writer go on side by side, and a statement's end mean that it is on disk."""
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Have changes written to a log: the first connection of all to a new database switches it, perhaps beside others.

    Raises:
        sqlite3.OperationalError: others had the database for ``BUSY_SECONDS``, or it cannot be written.

    """
    gives_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # The switch asks for a reader's lock to become a writer's, and for that SQLite never waits by itself.
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() >= gives_up_at:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
