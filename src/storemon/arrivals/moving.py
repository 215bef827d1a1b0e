"""The mover: brings what waits in the inbox into the lake, in one process at a time for all over one database.

One commit takes all that waits, and a few seconds lie between two of them: so a day has at most 21,600 commits, and a
poll is in every answer that is asked ten seconds after it was taken. A batch leaves the inbox once it is in the lake.
Killed between the two, or taken for dead meanwhile, a mover does no harm: polls are a set, and moving them twice adds
nothing. So the lease only spares work; what is right does not hang on it. It is longer than the pause between two
commits, so whoever takes it over has waited as long as who had it.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl
import structlog
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import LakeError, StoremonError
from storemon.intake.append import append_polls
from storemon.intake.forms.known import POLLS_FORM
from storemon.lake.gathered import Gathered
from storemon.lake.merging import merge_small
from storemon.lake.polls import DAY_OF_POLL
from storemon.lake.rejected import append_rejected
from storemon.lake.runs import keep_runs
from storemon.lake.schemas import REJECTED
from storemon.lake.tables import Tables
from storemon.records.inbox import Held, Inbox
from storemon.records.leases import Leases
from storemon.records.opening import said
from storemon.settings import Settings
from storemon.threads import Lasting, give_way
from storemon.troubles import Trouble

LEASE = "inbox"
"""The name of the lease that the mover holds."""

_LEASE_LENGTH = timedelta(seconds=5)  # what a killed mover costs the next one; a commit that takes longer does no harm
_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 4  # between two commits
_MANY_POLLS = 500_000  # so many are moved at once, without a pause; more would take too long, and too much memory
_TELL_SECONDS = 60  # how often polls ahead of the clock are told again
_STOP_SECONDS = 20  # for a commit to end
_AHEAD = timedelta(minutes=5)  # clocks that differ by less are usual

Moved = Callable[[int, int], None]
"""Told after each commit: the polls that it took, and how many of them were new."""

_log = structlog.stdlib.get_logger("storemon.arrivals")


class Mover(Lasting):
    """A thread that moves what waits in the inbox, whenever this process has the lease for it."""

    def __init__(self, settings: Settings, inbox: Inbox, leases: Leases, *, moved: Moved = lambda _, __: None) -> None:
        self._inbox, self._leases, self._moved = inbox, leases, moved
        self._tables = Tables(settings.lake)
        self._owner = str(uuid4())
        super().__init__("inbox")
        self._moved_at = float("-inf")
        self._singly = 0
        """So many batches are moved one by one: one of them is not as it should be."""
        self._trouble = Trouble(_log, "polls wait in the inbox", "polls go on into the lake")
        self._has_been = False
        """Whether there were polls: where there was a lake, no other one is made."""
        self._ahead_told = float("-inf")

    def stop(self) -> None:
        """End, after the commit that is being made, and hand the lease over."""
        self._end(_STOP_SECONDS)
        with suppress(SQLAlchemyError):  # it runs out by itself
            self._leases.release(LEASE, self._owner)

    def move(self) -> bool:
        """Move the oldest batches, whether it is time or not. Tell whether there were any.

        Raises:
            LakeError: the lake is out of reach; they stay in the inbox.
            SQLAlchemyError: the records are; they are in the lake, or stay in the inbox, or both.

        """
        self._require_lake()
        held = self._inbox.take(1 if self._singly else _MANY_POLLS)
        for each in held:
            self._move(each)
        return bool(held)

    def _require_lake(self) -> None:
        """Refuse to make a lake where there was one: a disk that is not mounted, say, looks like an empty folder."""
        is_there = self._tables.open(POLLS_FORM.table).version >= 0
        if self._has_been and not is_there:
            raise LakeError(
                f"{self._tables.place}: the polls that were there are gone; mount or restore them, or restart to begin "
                "a new lake"
            )
        self._has_been = is_there

    def _work(self) -> None:
        give_way()
        while not self._stopping.is_set():
            try:
                moved = self._is_time() and self._leases.take(LEASE, self._owner, _LEASE_LENGTH) and self.move()
                self._trouble.is_over()
            except (StoremonError, SQLAlchemyError, OSError, MemoryError) as error:
                self._trouble.tell(said(error) or repr(error))
                moved = False
            if not (moved and self._singly):
                self._stopping.wait(_LOOK_SECONDS)

    def _is_time(self) -> bool:
        """Tell whether something waits, and the last commit was long enough ago, or much waits."""
        waiting = self._inbox.waiting()
        rested = self._singly or time.monotonic() - self._moved_at >= _PAUSE_SECONDS
        return waiting.batches > 0 and (bool(rested) or waiting.polls >= _MANY_POLLS)

    def _move(self, held: Held) -> None:
        try:
            added = append_polls(self._tables, Gathered.of([_typed(held.polls)], POLLS_FORM.schema, by=DAY_OF_POLL))
            self._append_rejected(held.rejected)
        except (StoremonError, OSError, MemoryError):
            raise  # it is not about what is in the batches
        except Exception as error:  # noqa: BLE001 - whatever it is, the other batches go on
            _log.exception("polls cannot be moved", batches=len(held.ids), polls=len(held.polls))
            if len(held.ids) > 1:
                self._singly = len(held.ids)
            else:
                self._inbox.put_aside(held.ids, f"it cannot be brought into the lake: {error!r}")
                self._singly = max(self._singly - 1, 0)
            return
        self._inbox.drop([held])
        self._singly = max(self._singly - len(held.ids), 0)
        self._moved_at, self._has_been = time.monotonic(), self._has_been or len(held.polls) > 0
        self._moved(len(held.polls), added)
        self._tell_of_polls_ahead(held.polls)
        self._tidy()

    def _tell_of_polls_ahead(self, polls: pl.DataFrame) -> None:
        """Say when polls are of a time to come: the newest one is the now of all who ask for none."""
        ahead = polls.filter(pl.col("polled_at") > datetime.now(UTC) + _AHEAD)
        if len(ahead) and time.monotonic() - self._ahead_told >= _TELL_SECONDS:
            self._ahead_told = time.monotonic()
            stores = ahead["store_id"].unique().sort().head(3).to_list()
            _log.warning(
                "polls ahead of the clock", polls=len(ahead), newest=str(ahead["polled_at"].max()), stores=stores
            )

    def _append_rejected(self, rejected: pl.DataFrame) -> None:
        if len(rejected):
            rejected_at = pl.lit(datetime.now(UTC)).dt.cast_time_unit("us").alias("rejected_at")
            append_rejected(self._tables, rejected.with_columns(rejected_at).select(REJECTED.schema.names()))

    def _tidy(self) -> None:
        """Keep the lake quick to read; all that was moved is in it, so a failure is only told."""
        try:
            merge_small(self._tables)
            keep_runs(self._tables)
        except (LakeError, OSError) as error:
            _log.warning("lake not tidied", reason=str(error))


def _typed(polls: pl.DataFrame) -> pl.DataFrame:
    """Give polls the columns of a file of them, in its order and types."""
    return polls.select(pl.col(name).cast(kind) for name, kind in POLLS_FORM.schema.items())
