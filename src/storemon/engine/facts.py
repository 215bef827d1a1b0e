"""What every answer starts from: a snapshot's facts, gathered for one question and offered to SQL steps."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import duckdb
import polars as pl

from storemon.calendar.schedule import maintenance_of, open_intervals, with_clock, without
from storemon.calendar.windows import realise
from storemon.engine.chosen import Keyed, chosen_stores
from storemon.engine.pipeline import statement
from storemon.engine.question import Question
from storemon.lake.decisive import DAY
from storemon.lake.duck import connect, limit_memory, offer, reading_polls, rows_of
from storemon.lake.keys import key_ranges
from storemon.lake.snapshot import Snapshot
from storemon.stopping import check
from storemon.units.instants import EPOCH, microseconds, shifted

_MICROSECOND = timedelta(microseconds=1)
_FRAMES = frozenset({"stores", "windows", "open_intervals", "excluded_intervals"})


@dataclass(frozen=True)
class Facts:
    """A question's facts; instants are microseconds since 1970 in UTC.

    Attributes:
        snapshot: where they are from.
        stores: ``store_key, store_id, zone_key, first_polled_at, first_active``: those asked about that have a poll.
        windows: as `realise` gives them; no two parts of a window overlap in one zone.
        schedules: the open and the excluded intervals, which are found while DuckDB is at the polls.
        con: knows the polls as ``polls_before`` and ``polls_within``, and these frames where a step reads them.
        params: ``starts_at`` (the horizon: nothing before it is asked about), ``ends_at`` (nor from it on), ``until``
            (no later poll is gathered) and ``carry_us``.

    """

    snapshot: Snapshot
    stores: pl.DataFrame
    windows: pl.DataFrame
    schedules: Future[tuple[pl.DataFrame, pl.DataFrame]]
    con: duckdb.DuckDBPyConnection
    params: dict[str, int]
    _offered: set[str] = field(default_factory=set, init=False)

    @property
    def open_intervals(self) -> pl.DataFrame:
        """``store_key, opens_at, closes_at, clock_us``, from the horizon to the last boundary."""
        return self.schedules.result()[0]

    @property
    def excluded_intervals(self) -> pl.DataFrame:
        """The same, for the open time that maintenance takes out."""
        return self.schedules.result()[1]

    def run(self, steps: tuple[str, ...], **more: int) -> pl.DataFrame:
        """Run a chain of steps, with ``more`` parameters than all have, and fetch the rows of the last one.

        Raises:
            LakeError: the polls can't be read.

        """
        check()
        query = statement(steps)
        for name in _FRAMES - self._offered:
            if name in query:  # to offer a frame takes half a millisecond
                offer(self.con, name, getattr(self, name).select(pl.exclude(pl.String)))
                self._offered.add(name)
        params = {name: value for name, value in (self.params | more).items() if f"${name}" in query}
        with reading_polls(self.snapshot):
            return rows_of(self.con, query, params)


@contextmanager
def gather(
    snapshot: Snapshot,
    question: Question,
    *,
    since: datetime | None = None,
    stores: pl.DataFrame | None = None,
    to_as_of: bool = False,
    every_poll: bool = False,
) -> Iterator[Facts]:
    """Gather what a question needs, for as long as the context lasts.

    Args:
        snapshot: where from.
        question: what is asked.
        since: an earlier horizon than the first boundary, for what began before; then all is gathered up to as-of.
        stores: the only ones to gather, of those that `chosen_stores` gives; by default all of them.
        every_poll: leave none out, even where all figures follow from the others.
        to_as_of: gather all polls up to as-of, even where they are too late to tell anything of a window.

    Raises:
        InputError: a tag that the question names is unknown.
        LakeError: the lake can't be read.

    """
    stores = chosen_stores(snapshot, question) if stores is None else stores
    zones = stores.select(pl.col("zone").unique().sort()).with_columns(zone_key=pl.int_range(pl.len(), dtype=pl.Int32))
    windows = realise(question.windows, question.as_of, zones["zone"].to_list(), question.every)
    starts_at, ends_at = horizon(windows, question.as_of, since)
    reaches_back = shifted(ends_at, question.carry_limit)  # for so long a later poll can tell of a window
    until = question.as_of if to_as_of else min(question.as_of, reaches_back)
    params = {
        "starts_at": microseconds(starts_at),
        "ends_at": microseconds(ends_at),
        "until": microseconds(until),
        "carry_us": question.carry_limit // _MICROSECOND,
    }
    keys, are_exact = key_ranges(stores["store_key"])
    every_poll = every_poll or question.carry_limit < DAY
    with ThreadPoolExecutor(1) as aside:
        schedules = aside.submit(copy_context().run, _schedules, snapshot, Keyed(stores), starts_at, ends_at)
        stores = stores.join(zones, on="zone", maintain_order="left")
        limit_memory(question.memory)
        with connect() as con:
            if not are_exact:
                offer(con, "asked_about", stores.select("store_key"))
            with reading_polls(snapshot):
                for name, after, to in (
                    ("polls_before", shifted(starts_at, -question.carry_limit), starts_at),
                    ("polls_within", starts_at, until),
                ):
                    # A view less takes a millisecond less; a step before all others reads those of all.
                    offered = name if are_exact and since is None else f"{name}_of_all"
                    snapshot.offer_polls(con, offered, after, to, keys=keys, every_poll=every_poll, read_on_to=until)
                    if offered != name:
                        of_stores = "" if are_exact else "SEMI JOIN asked_about USING (store_key)"
                        con.execute(f"CREATE TEMP VIEW {name} AS FROM {offered} {of_stores}")
            yield Facts(snapshot, stores, windows, schedules, con, params)


@lru_cache(maxsize=2)
def _schedules(
    snapshot: Snapshot, stores: Keyed, starts_at: datetime, ends_at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Realise the schedules of stores, once for the same ones: open intervals, and what maintenance takes out."""
    ids = stores.frame["store_id"]
    within = (ids[0], ids[-1]) if len(ids) else None
    intervals = open_intervals(stores.frame, snapshot.hours(within), snapshot.special_hours(within), starts_at, ends_at)
    check()
    left, excluded = without(intervals, maintenance_of(stores.frame, snapshot.maintenance(within)))
    return with_clock(left), with_clock(excluded)


def horizon(windows: pl.DataFrame, as_of: datetime, since: datetime | None = None) -> tuple[datetime, datetime]:
    """Find between which instants the schedule is needed, or ``since`` when it is wanted up to as-of."""
    if windows.is_empty():
        return as_of, as_of
    first, last = (EPOCH + edge * _MICROSECOND for edge in (min(windows["starts_at"]), max(windows["ends_at"])))
    return (first, last) if since is None else (min(since, first), as_of)
