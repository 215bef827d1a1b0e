"""What rules are judged by: the facts of stores from one instant to another, gathered once for all rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

import polars as pl

from storemon.calendar.windows import Absolute, Window
from storemon.engine.facts import gather
from storemon.engine.pipeline import HEARD, STATES, name_of
from storemon.engine.question import Question
from storemon.engine.ranges import stores_at_once
from storemon.engine.timeline import states, timeline
from storemon.lake.decisive import DAY
from storemon.lake.duck import offer
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EPOCH, microseconds, shifted

_MICROSECOND = timedelta(microseconds=1)
_RECENT = timedelta(minutes=15)
"""How far back from the newest poll a watcher looks; whoever looks further back finds the last polls there sooner."""


@dataclass(frozen=True)
class Looked:
    """The facts of some stores in ``[since, until)``, and of as much before as windows look back.

    Attributes:
        snapshot: where they are from.
        question: what is asked of it; its as-of is ``until``.
        stores: as `storemon.engine.chosen.chosen_stores` gives them.
        since: from when on rules are judged, in microseconds; and so are the others.
        until: up to when.
        begins: since when the facts are known.
        changes: ``store_key, instant, was, becomes``: those of states.
        intervals: ``store_key, opens_at, closes_at, clock_us``: the open intervals.
        last_polls: ``store_key, polled_at, active``: the last polls at or before ``begins``, where they were looked up.

    """

    snapshot: Snapshot
    question: Question
    stores: pl.DataFrame
    since: int
    until: int
    begins: int
    changes: pl.DataFrame
    intervals: pl.DataFrame
    last_polls: pl.DataFrame | None = None

    def of(self, keys: pl.Series) -> Self:
        """Pick the facts of stores with such keys."""
        if len(keys) == len(self.stores):
            return self
        wanted = keys.to_frame("store_key")
        frames = (self.stores, self.changes, self.intervals)
        stores, changes, intervals = (
            each.join(wanted, on="store_key", how="semi", maintain_order="left") for each in frames
        )
        return replace(self, stores=stores, changes=changes, intervals=intervals)

    @cached_property
    def states(self) -> pl.DataFrame:
        """The states of each store, one after the other, up to ``until``: ``store_key, starts_at, ends_at, active``."""
        told = states(self.changes)
        firsts = self.stores.select("store_key").join(
            told.group_by("store_key").agg(first=pl.col("starts_at").min()), on="store_key", how="left"
        )
        begins = pl.lit(self.begins, pl.Int64)
        unknown = firsts.filter((pl.col("first") > begins).fill_null(value=True)).select(
            "store_key", starts_at=begins, active=pl.lit(None, pl.Boolean)
        )
        all_of_them = pl.concat([told, unknown]).sort("store_key", "starts_at")
        goes_on = pl.col("store_key") == pl.col("store_key").shift(-1)
        ends_at = pl.when(goes_on).then(pl.col("starts_at").shift(-1)).otherwise(self.until)
        return all_of_them.with_columns(ends_at=ends_at)

    @cached_property
    def steps(self) -> pl.DataFrame:
        """The steps of their slopes, as `storemon.engine.timeline.timeline` tells them."""
        return timeline(self.changes, self.intervals)

    def polls(self, lasts_us: int) -> pl.DataFrame:
        """Tell of the polls that can bound a silence so long or longer: ``store_key, first_at, last_at``, in order.

        The last poll before ``since`` is among them, however long ago.

        Raises:
            LakeError: the lake can't be read.

        """
        before = EPOCH + self.since * _MICROSECOND
        back = timedelta() if _is_recent(self.snapshot, before) else DAY
        around = _asked(self.question, shifted(before, -back))
        with gather(self.snapshot, around, stores=self.stores, every_poll=True) as facts:
            heard = facts.run(HEARD, lasts_us=lasts_us)
        told = heard.filter(pl.col("first_at") <= self.since)["store_key"]
        others = self.stores.filter(pl.col("first_polled_at") <= self.since, ~pl.col("store_key").is_in(told.implode()))
        if self.last_polls is not None and self.begins == self.since:
            last = self.last_polls.join(others, on="store_key", how="semi")
        else:
            last = _last_polls(self.snapshot, before, DAY, others)
        last = last.select("store_key", pl.col("polled_at").alias("first_at"), pl.col("polled_at").alias("last_at"))
        heard = pl.concat([heard, last])
        return heard.sort("store_key", "first_at")


def looked(
    snapshot: Snapshot, question: Question, stores: pl.DataFrame, since: int, windows: timedelta
) -> Iterator[Looked]:
    """Gather what rules are judged by, for one range of stores after the other.

    Args:
        snapshot: where from.
        question: as of when, which is up to when they are judged, and in how much memory.
        stores: those asked about.
        since: from when on they are judged, in microseconds.
        windows: how far the windows of rules look back.

    Raises:
        LakeError: the lake can't be read.

    """
    begins = shifted(EPOCH + since * _MICROSECOND, -windows)
    asked = _asked(question, begins)
    for some in stores.iter_slices(stores_at_once(snapshot, asked, stores)):
        with gather(snapshot, asked, stores=some) as facts:
            steps, last = STATES["carry"], None
            if _is_recent(snapshot, begins):
                last = _last_polls(snapshot, begins, min(question.carry_limit, DAY), some)
                offer(facts.con, name_of(steps[0]), last)
                steps = steps[1:]
            changes, intervals = facts.run(steps), facts.open_intervals
        until = microseconds(question.as_of)
        yield Looked(snapshot, asked, some, since, until, microseconds(begins), changes, intervals, last)


def _asked(question: Question, begins: datetime) -> Question:
    window = Window("looked", Absolute(begins, question.as_of))
    return replace(question, windows=(window,), policy="carry")


def _is_recent(snapshot: Snapshot, instant: datetime) -> bool:
    """Tell whether most stores were polled last before an instant: then their latest runs tell when."""
    newest = snapshot.newest_poll()
    return newest is not None and newest - instant <= _RECENT


def _last_polls(snapshot: Snapshot, until: datetime, apart: timedelta, stores: pl.DataFrame) -> pl.DataFrame:
    """Tell of the last poll of stores at or before an instant: ``store_key, polled_at, active``, in microseconds."""
    runs = snapshot.runs(until, apart, stores["store_key"])
    last = runs.filter(pl.col("store_key").ne_missing(pl.col("store_key").shift(-1)))
    return last.select("store_key", pl.col("ends_at").to_physical().alias("polled_at"), "active")
