"""The inbox: polls that have arrived, on disk before anybody is told so, until they are in the lake.

A row is a batch, as Arrow IPC streams: 53 bytes a poll, and a thousand of them written in 0.1 ms, a fifth of the time
that Parquet takes. A batch is dropped once what it holds is in the lake; one that is moved twice adds nothing. One that
cannot be read is put aside: it stays, with the reason, and the others go on.
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl
from sqlalchemy import Engine, delete, func, insert, select, update

from storemon.errors import StoremonError
from storemon.records.database import alone, now, require_there
from storemon.records.tables import INBOX

POLLS = pl.Schema({"store_id": pl.String(), "polled_at": pl.Datetime("us", "UTC"), "active": pl.Boolean()})
"""The columns of polls that wait, in this order."""
REJECTED = pl.Schema({"file": pl.String(), "line": pl.Int64(), "row": pl.String(), "reason": pl.String()})
"""The columns of rows that could not be read. A file is where they came from, like ``kafka://polls/0``, a line its
place there."""

_AT_ONCE = 500  # rows that are named in a statement
_KNOWN_SECONDS = 0.25  # how long it is taken for known how much waits: to count takes longer than to write
_PLAIN_ARROW = pl.CompatLevel.oldest()  # any reader knows it
_row = INBOX.c
_waits = _row.trouble.is_(None)
_add = insert(INBOX).values(received_at=now())  # written once: of many rows at once it would be anew each time


class InboxFullError(StoremonError):
    """As much waits in the inbox as may; there is room again once some of it is in the lake."""


@dataclass(frozen=True)
class Batch:
    """What arrived together: polls, ``store_id, polled_at, active``, and rows that could not be read.

    These have ``file, line, row, reason``, and are kept in the lake's table ``rejected``.
    """

    polls: pl.DataFrame
    rejected: pl.DataFrame | None = None


@dataclass(frozen=True)
class Held:
    """Some batches of the inbox, one behind the other, and what they are dropped by."""

    ids: tuple[int, ...]
    polls: pl.DataFrame
    rejected: pl.DataFrame


@dataclass(frozen=True)
class Waiting:
    """What waits in the inbox: batches, their polls and bytes, and for how long the oldest has.

    ``aside`` are batches that could not be read, which none of the rest counts.
    """

    batches: int
    polls: int
    bytes: int
    oldest: timedelta | None
    aside: int


class Inbox:
    """The inbox in ``records``. Every method is safe from any thread and any process."""

    def __init__(self, records: Engine, *, most: int) -> None:
        """Take ``most`` as the bytes that may wait; writers within a quarter of a second may exceed it together."""
        self._records = records
        self._most = most
        self._bytes, self._known_until = 0, float("-inf")

    def put(self, batches: Sequence[Batch]) -> None:
        """Take batches in: all are on disk when it returns, or none is in.

        Raises:
            InboxFullError: as much waits as may.
            RecordsError: the database's file is gone.
            SQLAlchemyError: the database can't be reached or written.

        """
        require_there(self._records)
        rows = [_written(batch) for batch in batches]
        if self.full():
            raise InboxFullError(
                f"{self._most / 1e6:,.0f} MB of polls wait to be brought into the lake, and no more may; try again in "
                "a few seconds, and if that lasts, the service's log and /health say what keeps them"
            )
        with self._records.connect() if len(rows) == 1 else alone(self._records, "inbox") as connection:
            for row in rows:
                connection.execute(_add, row)
        self._bytes += sum(row["bytes"] for row in rows)

    def full(self) -> bool:
        """Tell whether as much waits as may, with what was put aside; as of a quarter of a second ago at the earliest.

        Raises:
            SQLAlchemyError: the database can't be reached.

        """
        if self._bytes >= self._most or time.monotonic() >= self._known_until:  # that it is full, no longer than it is
            with self._records.connect() as connection:
                self._bytes = int(connection.scalar(select(func.sum(_row.bytes))) or 0)
            self._known_until = time.monotonic() + _KNOWN_SECONDS
        return self._bytes >= self._most

    def take(self, most_polls: int) -> list[Held]:
        """Read the oldest batches, up to so many polls, but one batch at least; none where none waits.

        They stay in the inbox until `drop`. Those that can't be read are put aside on the way.

        Raises:
            SQLAlchemyError: the database can't be reached or written.

        """
        ids: list[int] = []
        polls, rejected = [], []
        for row in self._oldest(most_polls):
            try:
                batch = _read(row)
            except (pl.exceptions.PolarsError, OSError, ValueError) as error:
                self.put_aside([row.id], f"it cannot be read: {error}")
                continue
            ids.append(row.id)
            polls.append(batch.polls)
            rejected += [] if batch.rejected is None else [batch.rejected]
        if not ids:
            return []
        none = pl.DataFrame(schema=REJECTED)
        return [Held(tuple(ids), pl.concat(polls), pl.concat([none, *rejected]))]

    def put_aside(self, ids: Sequence[int], trouble: str) -> None:
        """Keep batches in the inbox, with what is wrong with them, and give them out no more.

        Raises:
            SQLAlchemyError: the database can't be written.

        """
        with alone(self._records, "inbox") as connection:
            for some in _some(ids):
                connection.execute(update(INBOX).where(_row.id.in_(some)).values(trouble=trouble))

    def drop(self, held: Sequence[Held]) -> None:
        """Forget what is in the lake now.

        Raises:
            SQLAlchemyError: the database can't be reached or written.

        """
        with alone(self._records, "inbox") as connection:
            for some in _some([one for each in held for one in each.ids]):
                connection.execute(delete(INBOX).where(_row.id.in_(some)))

    def waiting(self) -> Waiting:
        """Tell what waits, by the database's clock.

        Raises:
            SQLAlchemyError: the database can't be reached.

        """
        of_waiting = (func.count(), func.sum(_row.count), func.sum(_row.bytes), now() - func.min(_row.received_at))
        aside = select(func.count()).where(~_waits).scalar_subquery()
        with self._records.connect() as connection:
            row = connection.execute(select(*of_waiting, aside).where(_waits)).one()
        batches, polls, size, oldest_us, put_aside = row
        oldest = None if oldest_us is None else max(timedelta(microseconds=int(oldest_us)), timedelta())
        return Waiting(batches, int(polls or 0), int(size or 0), oldest, put_aside)

    def _oldest(self, most_polls: int) -> Sequence[Any]:
        """Read the first batches; by their counts first, so that no more are read than are wanted."""
        with self._records.connect() as connection:
            counts = connection.execute(select(_row.id, _row.count).where(_waits).order_by(_row.id)).all()
            ids: list[int] = []
            count = 0
            for one, polls in counts:
                if ids and count + polls > most_polls:
                    break
                ids.append(one)
                count += polls
            chosen = (select(_row.id, _row.polls, _row.rejected).where(_row.id.in_(some)) for some in _some(ids))
            return [row for one in chosen for row in connection.execute(one.order_by(_row.id))]


def _written(batch: Batch) -> dict[str, Any]:
    polls = _packed(batch.polls, POLLS)
    rejected = None if batch.rejected is None or batch.rejected.is_empty() else _packed(batch.rejected, REJECTED)
    size = len(polls) + len(rejected or b"")
    return {"polls": polls, "rejected": rejected, "count": len(batch.polls), "bytes": size}


def _packed(rows: pl.DataFrame, schema: pl.Schema) -> bytes:
    file = io.BytesIO()
    rows.select(*schema).cast(dict(schema)).write_ipc_stream(file, compat_level=_PLAIN_ARROW)  # type: ignore[arg-type]
    return file.getvalue()


def _read(row: Any) -> Batch:
    rejected = None if row.rejected is None else _unpacked(row.rejected, REJECTED)
    return Batch(_unpacked(row.polls, POLLS), rejected)


def _unpacked(packed: bytes, schema: pl.Schema) -> pl.DataFrame:
    """Read rows back.

    Raises:
        PolarsError, OSError, ValueError: they are damaged, or other than they should be.

    """
    rows = pl.read_ipc_stream(packed)
    if rows.schema != schema:
        raise ValueError(f"there are {', '.join(rows.columns)}, of other types or names than they should be")
    return rows


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))
