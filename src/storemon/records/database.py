"""The database of the records: SQLite beside the reports, or PostgreSQL, which several hosts can share.

Each statement is a transaction of its own, but for those that stand in one of `alone`. Instants are those of the
database's clock, which `now` is: so hosts whose clocks differ agree on whose lease has run out.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import JSON, URL, BigInteger, Connection, Engine, Select, create_engine, event, func, make_url, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storemon.errors import RecordsError

T = TypeVar("T")

BUSY_SECONDS = 10  # how long a statement waits for another one's end, or for a server that does not answer
_PAUSE_SECONDS = 0.01
_PRIMARY = 0xFF  # the bits of SQLite's error codes that tell the kind
_CONNECTIONS = 8  # of a process, to a server that has a hundred for all


class now(FunctionElement[int]):  # noqa: N801 - read as a function of SQL
    """The instant of the database's clock, in microseconds since 1970, UTC."""

    type = BigInteger()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_of_this_host(*_: Any, **__: Any) -> str:
    return "now_us()"  # which `_prepare` defines


@compiles(now, "postgresql")
def _now_on_a_server(*_: Any, **__: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def connected(url: str | URL) -> Engine:
    """Prepare to connect to a database, SQLite or PostgreSQL; nothing is asked of it yet."""
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=0,
            json_deserializer=msgspec.json.decode,
            connect_args={"timeout": BUSY_SECONDS},
        )
        event.listen(engine, "connect", _prepare)
        return engine
    milliseconds = int(1000 * BUSY_SECONDS)
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,  # after a restart of the server, the old connections are of no use
        connect_args={
            "connect_timeout": int(BUSY_SECONDS) or 1,
            "tcp_user_timeout": milliseconds,
            "options": f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={milliseconds}",
            "application_name": "storemon",
        },
    )


def is_file(records: Engine) -> bool:
    """Tell whether the records lie in a file of this host, and not on a server."""
    return records.dialect.name == "sqlite"


def require_there(records: Engine) -> None:
    """Look whether the file of the records is still there: what is written to one that is gone, nobody will find again.

    Raises:
        RecordsError: it is gone.

    """
    file = records.url.database if is_file(records) else None
    if file and not Path(file).exists():
        raise RecordsError(f"{file} is gone; restart the service, which makes another one, or restore it before that")


async def beside(records: Engine, ask: Callable[..., T], *given: Any) -> T:
    """Ask for something short from an event loop: a file at once, as it waits for nobody, but a server in a thread.

    A server may hang for ever; whatever else the loop has to do must not.
    """
    if is_file(records):
        return ask(*given)
    return await asyncio.to_thread(ask, *given)


@contextmanager
def alone(records: Engine, what: str) -> Iterator[Connection]:
    """Give a transaction beside which there is no other about the same thing, in any process.

    Raises:
        SQLAlchemyError: the database can't be reached, or others had it for ``BUSY_SECONDS``.

    """
    with records.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_file(records) else "BEGIN")
        try:
            if not is_file(records):  # taken before the statements behind it look: each looks anew
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"storemon {what}"))))
            yield connection
        except BaseException:
            with suppress(SQLAlchemyError):  # it may be gone, and the transaction with it
                connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


@contextmanager
def at_one_moment(records: Engine) -> Iterator[Connection]:
    """Give a transaction that only reads, and sees nothing of what others write meanwhile.

    Raises:
        SQLAlchemyError: the database can't be reached.

    """
    with records.connect() as connection:
        connection.exec_driver_sql("BEGIN" if is_file(records) else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield connection
        finally:
            with suppress(SQLAlchemyError):  # it may be gone, and the transaction with it
                connection.exec_driver_sql("ROLLBACK")


class Lookup:
    """Reads one row at a time, by a statement that SQLAlchemy writes once: each takes a third of the time then."""

    def __init__(self, records: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        """Take the database and the statement, with its parameters by their names."""
        self._records = records
        compiled = statement.compile(dialect=records.dialect)
        self._sql, self._names = str(compiled), compiled.positiontup
        types = [column.type.dialect_impl(records.dialect) for column in statement.selected_columns]
        self._readers = [
            kind.result_processor(records.dialect, None) if isinstance(kind, JSON) else None for kind in types
        ]

    def one(self, **values: Any) -> list[Any] | None:
        """Read the row, None if there is none.

        Raises:
            SQLAlchemyError: the database can't be reached or read.

        """
        given = values if self._names is None else [values[name] for name in self._names]
        connection = None
        try:
            connection = self._records.raw_connection()
            cursor = connection.cursor()
            cursor.execute(self._sql, given)
            row = cursor.fetchone()
            cursor.close()
        except self._records.dialect.loaded_dbapi.Error as error:
            if connection is not None:
                connection.invalidate(error)
            raise OperationalError(self._sql, values, error) from error
        finally:
            if connection is not None:
                connection.close()
        if row is None:
            return None
        return [read(value) if read else value for read, value in zip(self._readers, row, strict=True)]


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    """Let readers and one writer go on side by side, and a statement's end mean that it is on disk."""
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.create_function("now_us", 0, lambda: time.time_ns() // 1000)


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
