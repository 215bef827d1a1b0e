"""What the routes of arriving polls share: bodies unpacked and read, polls put into the inbox, and what is told."""

import asyncio
import zlib
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request

from storemon.arrivals.gathering import Gatherer
from storemon.intake.pushed.reading import MOST_ROWS, Format, Pushed, TooMuchError, Unit, read_one, read_polls
from storemon.service.problems import problem
from storemon.service.telemetry.counted import count_arrived
from storemon.settings import Settings
from storemon.units.sizes import parse_size

MOST_TOLD = 100
"""Rows that were not taken are told one by one up to so many."""
_SMALL = 8_000  # bytes that are read in less time than it takes to hand them to a thread
_AT_ONCE = 2  # large bodies that are read at the same time: each can take much memory
_GZIP = 31  # how zlib calls its window


class Refused(msgspec.Struct):
    """A row that was not taken: its line in the body from 1, its text, and why."""

    line: Annotated[int, msgspec.Meta(examples=[2])]
    row: str
    reason: str


class Taken(msgspec.Struct):
    """What became of polls that were sent: how many are on disk, and which were not taken, the first 100 of them."""

    taken: Annotated[int, msgspec.Meta(examples=[1000])]
    rejected: list[Refused]
    rejected_count: int


class Arriving(NamedTuple):
    """What takes polls in: the way into the inbox, the most that a body may unpack to, and room to read large ones."""

    gatherer: Gatherer
    most: int
    room: asyncio.Semaphore

    @classmethod
    def of(cls, settings: Settings, gatherer: Gatherer) -> "Arriving":
        """Take the settings' bound."""
        return cls(gatherer, parse_size(settings.body), asyncio.Semaphore(_AT_ONCE))

    async def take(
        self, request: Request[Any, Any, Any], body: bytes, form: Format, source: str, unit: Unit = "ns"
    ) -> Taken:
        """Read a body and put its polls into the inbox: they are on disk when it returns.

        Raises:
            InputError: the body as a whole can't be read.
            InboxFullError: as much waits as may.
            ProblemDetailsException: it is packed in a way that is not known, or unpacks to too much.

        """
        packing, now = request.headers.get("content-encoding", ""), datetime.now(UTC)
        if form == "json" and not packing and len(body) < _SMALL and (row := read_one(body, now)):
            await self.gatherer.put_one(row)
            count_arrived(source, 1, 0)
            return Taken(1, [], 0)
        if len(body) < _SMALL and not packing and form != "arrow":  # a few bytes of which can be many rows
            pushed = self._read(body, packing, form, now, unit)
        else:
            async with self.room:
                pushed = await asyncio.to_thread(self._read, body, packing, form, now, unit)
        if len(pushed.polls):
            await self.gatherer.put(pushed.polls)
        count_arrived(source, len(pushed.polls), len(pushed.rejected))
        rejected = [Refused(*row) for row in pushed.rejected.head(MOST_TOLD).rows()]
        return Taken(len(pushed.polls), rejected, len(pushed.rejected))

    def _read(self, body: bytes, packing: str, form: Format, now: datetime, unit: Unit) -> Pushed:
        text = self._unpacked(body, packing)
        try:
            return read_polls(text, form, now=now, unit=unit, most=self.most, most_rows=MOST_ROWS)
        except TooMuchError as error:
            raise problem(413, str(error)) from error

    def _unpacked(self, body: bytes, packing: str) -> bytes:
        if packing in {"", "identity"}:
            return body
        if packing not in {"gzip", "x-gzip"}:
            raise problem(415, f"the content encoding {packing!r} is not taken here; send gzip, or none")
        unpacking = zlib.decompressobj(_GZIP)
        try:
            found = unpacking.decompress(body, self.most + 1)
        except zlib.error as error:
            raise problem(400, f"the body is no gzip: {error}") from error
        if len(found) > self.most:
            raise problem(413, f"the body unpacks to more than {self.most / 1e6:,.0f} MB; send less at once")
        if not unpacking.eof or unpacking.unused_data:
            raise problem(400, "the body is no whole gzip: its end is missing, or more follows it")
        return found
