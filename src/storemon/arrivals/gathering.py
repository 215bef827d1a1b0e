"""Polls of many requests, put into the inbox at once: what arrives while a write is under way shares the next one.

So a thousand requests do not wait for a thousand writes, and each is answered after its own polls are on disk.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from storemon.records.inbox import POLLS, Batch, Inbox

_ROW = tuple[str, int, bool]
_REST_SECONDS = 0.004
"""After a write of several single polls the next one waits so long: more will share it, and it costs what five do."""


class _Group:
    """What shares a write: frames, and single polls, of which no frame is made before."""

    def __init__(self, written: "asyncio.Future[None]") -> None:
        self.frames: list[pl.DataFrame] = []
        self.rows: list[_ROW] = []
        self.written = written

    def batch(self) -> Batch:
        """Put all of it into one frame."""
        frames = self.frames
        if self.rows:
            ids, instants, states = zip(*self.rows, strict=True)
            columns = {
                "store_id": pl.Series(ids, dtype=pl.String),
                "polled_at": pl.Series(instants, dtype=pl.Int64).cast(POLLS["polled_at"]),
                "active": pl.Series(states, dtype=pl.Boolean),
            }
            frames = [*frames, pl.DataFrame(columns)]
        return Batch(pl.concat(frames))


class Gatherer:
    """Puts polls into the inbox for the requests of one event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._group: _Group | None = None
        self._writing: asyncio.Task[None] | None = None

    async def put(self, polls: pl.DataFrame) -> None:
        """Put polls into the inbox, ``store_id, polled_at, active``; they are on disk when it returns.

        Raises:
            InboxFullError: as much waits as may.
            SQLAlchemyError: the records can't be written.

        """
        group = self._next()
        group.frames.append(polls)
        await asyncio.shield(group.written)

    async def put_one(self, row: _ROW) -> None:
        """Put one poll into the inbox, the instant in microseconds since 1970; else as `put`."""
        group = self._next()
        group.rows.append(row)
        await asyncio.shield(group.written)

    async def stop(self) -> None:
        """Have all that was put be written."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    def _next(self) -> _Group:
        """Give the group that is written next, and see to it that it will be."""
        loop = asyncio.get_running_loop()
        if self._group is None:
            self._group = _Group(loop.create_future())
            if self._writing is None or self._writing.done():
                self._writing = loop.create_task(self._write())
        return self._group

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while (group := self._group) is not None:
            self._group = None
            try:
                await loop.run_in_executor(self._thread, self._put, group)
            except Exception as error:  # noqa: BLE001 - told to each that waits for it
                group.written.set_exception(error)
                group.written.exception()  # whoever asked may have left
            else:
                group.written.set_result(None)
            if len(group.rows) > 1:  # who sends one after the other does not wait
                await asyncio.sleep(_REST_SECONDS)

    def _put(self, group: _Group) -> None:
        self._inbox.put([group.batch()])
