"""The loop that all brokers share: a batch of messages ► one write to the inbox ► acknowledged.

A message is acknowledged once its polls are on disk, never before. Cut off in between, the broker gives it again, and
the same polls again add nothing.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from storemon.arrivals.messages import Message, read_messages
from storemon.intake.pushed.reading import Format
from storemon.records.inbox import Batch, Inbox, InboxFullError

_log = structlog.stdlib.get_logger("storemon.arrivals")
_HOLD_SECONDS = 1.0  # between two looks whether the inbox has room again
_SUMMARY_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # before a lost broker is looked for again


class Limits(NamedTuple):
    """When a batch is complete: so many messages, bytes, or seconds, whatever comes first."""

    messages: int = 5_000
    bytes: int = 8_000_000
    seconds: float = 0.5


LIMITS = Limits()


class Source(Protocol):
    """A broker's queue. Each method but `close` raises ConnectionError where the broker is lost.

    An InputError says that waiting would not help: a wrong password, a topic that is not there.
    """

    name: str

    def open(self) -> None:
        """Connect; what was fetched and not acknowledged before comes again."""

    def fetch(self, limits: Limits) -> Sequence[Message]:
        """Wait for messages, and give them when one of the limits is reached; none if none came."""

    def acknowledge(self) -> None:
        """Tell the broker that all that was fetched is on disk."""

    def hold(self, seconds: float) -> None:
        """Wait without fetching anything, and stay a consumer meanwhile."""

    def lag(self) -> int | None:
        """Tell how many messages wait at the broker, about; None where it does not say."""

    def close(self) -> None:
        """Leave the broker, so that others get at once what is not acknowledged."""


class Counts(NamedTuple):
    """What came in: messages, their polls, and rows that could not be read."""

    messages: int = 0
    polls: int = 0
    rejected: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Counts":  # type: ignore[override]
        """Add up."""
        return Counts(*(one + another for one, another in zip(self, other, strict=True)))


class Consumer:
    """Brings a source's messages into the inbox, until it is told to stop."""

    def __init__(self, source: Source, inbox: Inbox, *, form: Format, stopping: Event, limits: Limits = LIMITS) -> None:
        self._source, self._inbox, self._form, self._stopping, self._limits = source, inbox, form, stopping, limits
        self._total = self._told = Counts()
        self._told_at = time.monotonic()
        self._log = _log.bind(source=source.name)

    def run(self) -> None:
        """Consume. A broker that is lost is waited for; the batch under way is finished at the end.

        Raises:
            InputError: the source can't be used as it is named.

        """
        self._log.info("listening", format=self._form)
        pause = _FIRST_PAUSE
        lost = ""
        while not self._stopping.is_set():
            try:
                self._source.open()
                if lost:
                    self._log.info("the broker is there again")
                lost, pause = "", _FIRST_PAUSE
                self._consume()
            except ConnectionError as error:
                reason = str(error) or type(error).__name__
                if reason != lost:
                    self._log.warning("the broker is not there; waiting for it", reason=reason)
                lost = reason
            finally:
                self._source.close()
            if lost:
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        self._log.info("stopped", **self._total._asdict())

    def _consume(self) -> None:
        while not self._stopping.is_set():
            self._wait_for_room()
            messages = self._source.fetch(self._limits)
            if messages:
                self._take(messages)
            if time.monotonic() - self._told_at >= _SUMMARY_SECONDS:
                self._tell()

    def _take(self, messages: Sequence[Message]) -> None:
        batch = read_messages(messages, self._form, now=datetime.now(UTC))
        if not self._put(batch):
            return  # told to stop while there was no room: the broker gives them again
        self._source.acknowledge()
        rejected = 0 if batch.rejected is None else len(batch.rejected)
        self._total += Counts(len(messages), len(batch.polls), rejected)

    def _wait_for_room(self) -> None:
        self._until_there_is_room(lambda: not self._inbox.full())

    def _put(self, batch: Batch) -> bool:
        """Bring a batch into the inbox, however long that is full; tell whether it is in."""

        def put() -> bool:
            self._inbox.put([batch])
            return True

        return self._until_there_is_room(put)

    def _until_there_is_room(self, attempt: "Attempt") -> bool:
        """Try until it succeeds, or until we are to stop, and say once why it has to wait."""
        waits = False
        while True:
            try:
                if attempt():
                    break
                reason = "it is full: as much waits for the lake as may"
            except InboxFullError as error:
                reason = str(error)
            except SQLAlchemyError as error:
                reason = f"it can't be written: {' '.join(str(getattr(error, 'orig', None) or error).split())}"
            if not waits:
                self._log.warning("nothing is fetched: the inbox has to be waited for", reason=reason)
            waits = True
            if self._stopping.is_set():
                return False
            self._source.hold(_HOLD_SECONDS)
        if waits:
            self._log.info("the inbox takes polls again")
        return True

    def _tell(self) -> None:
        new = Counts(*(now - before for now, before in zip(self._total, self._told, strict=True)))
        self._log.info("consumed", **new._asdict(), lag=self._source.lag())
        self._told, self._told_at = self._total, time.monotonic()


class Attempt(Protocol):
    """Something that may have to be tried again; tells whether it is done."""

    def __call__(self) -> bool:
        """Try."""
