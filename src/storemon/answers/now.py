"""Now: what is true of each store at one instant, since when, and until when it is open or closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Unpack

import polars as pl

from storemon.calendar.alike import Schedules, schedules_of
from storemon.calendar.windows import LAST_HOUR
from storemon.engine.chosen import chosen_stores
from storemon.engine.clocks import open_time
from storemon.engine.question import Asked, Question, ask
from storemon.engine.rows import rows_of, side_by_side
from storemon.engine.since import states_since
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.stopping import check
from storemon.units.instants import EPOCH, microseconds, shifted

_MICROSECOND = timedelta(microseconds=1)
_INSTANT, _LENGTH = pl.Datetime("us", "UTC"), pl.Duration("us")
_NEXT, _FURTHER = timedelta(days=8), timedelta(days=400)
"""How far ahead is looked for the next opening or closing: each weekday comes once, then each date of the year."""
_DAYS_AT_ONCE = 2_000_000  # days of schedules that are laid out at a time
_COUNTED = {
    "open": pl.col("is_open"),
    "open_active": pl.col("is_open") & (pl.col("state") == "active"),
    "open_inactive": pl.col("is_open") & (pl.col("state") == "inactive"),
    "open_unknown": pl.col("is_open") & (pl.col("state") == "unknown"),
    "closed": ~pl.col("is_open"),
}


def now(source: KeptLake | Snapshot, *, group_by: Sequence[str] | None = None, **asked: Unpack[Asked]) -> pl.DataFrame:
    """Tell of each store what is true of it at as-of; see "Now" in docs/semantics.md.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        group_by: tags; with them the rows are groups of stores that have the same, without any one of all stores.
        **asked: ``as_of``, ``carry_limit``, ``policy`` and ``where``; see `storemon.engine.question.Asked`.

    Returns:
        In order of ``store_id``, for each store with a poll at or before as-of: ``store_id``; ``state``: ``active``,
        ``inactive`` or ``unknown``; ``is_open``; ``since``, where the spell in this state began, null where the state
        is unknown since ever; ``open_time``, the open time since then; ``last_polled_at``; ``last_active_at``, null
        where there is none; ``next_change_at``, the next opening or closing, null where there will be none
        in 400 days. Instants
        are in UTC, lengths of time exact.

        Or in order of their tags, for each group: the tags; ``stores``, how many it has; ``open``, how many of these
        are open, and of those ``open_active``, ``open_inactive`` and ``open_unknown``; ``closed``.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known.
        LakeError: the lake can't be read.

    """
    asked["windows"] = [LAST_HOUR]  # one must be named, and none is looked at
    snapshot, question = ask(source, **asked)
    stores = chosen_stores(snapshot, question)
    told = _told(snapshot, question, stores)
    if group_by is None:
        return told
    rows = rows_of(snapshot, stores, group_by)
    counts = told.select(rows.stores["row"], **_COUNTED).group_by("row").sum().sort("row")
    return side_by_side([*rows.named(counts["row"]), *(counts[name].cast(pl.Int64) for name in _COUNTED)])


def _told(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    since = states_since(snapshot, question, stores)
    check()
    schedules, stands_for = schedules_of(snapshot, stores)
    by_clocks = _by_clocks(schedules, since.select("since", store_key=stands_for), question.as_of)
    state = pl.when("active").then(pl.lit("active")).when(~pl.col("active")).then(pl.lit("inactive"))
    instants = ["since", "last_polled_at", "last_active_at", "next_change_at"]
    return pl.concat([stores.select("store_id"), since, by_clocks], how="horizontal").select(
        "store_id",
        state.otherwise(pl.lit("unknown")).alias("state"),
        "is_open",
        pl.col("since").cast(_INSTANT),
        pl.col("open_us").cast(_LENGTH).alias("open_time"),
        *(pl.col(name).cast(_INSTANT) for name in instants[1:]),
    )


def _by_clocks(schedules: Schedules, since: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Read the clocks of stores by their schedules.

    Args:
        schedules: those that there are.
        since: of each store ``since``, and the ``store_key`` that stands for its schedule.
        as_of: the instant.

    Returns:
        ``is_open, open_us, next_change_at``, store by store in their order.

    """
    asked = since.with_row_index("place")
    earliest: int = min(since["since"].min() or microseconds(as_of), microseconds(as_of))  # type: ignore[assignment]
    days = max(1, (as_of - (EPOCH + earliest * _MICROSECOND)).days)
    parts = [_no_clocks()]
    for some in schedules.stores["store_key"].to_frame().iter_slices(max(1, _DAYS_AT_ONCE // days)):
        check()
        keys = some["store_key"]
        of_these = asked.filter(pl.col("store_key").is_in(keys.implode()))
        parts.append(_of_some(schedules.of(keys), of_these, as_of))
    return pl.concat(parts).sort("place").drop("place")


def _no_clocks() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"place": pl.UInt32, "is_open": pl.Boolean, "open_us": pl.Int64, "next_change_at": pl.Int64}
    )


def _of_some(schedules: Schedules, since: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Lay out some schedules, back to where the first state began and ahead as far as needed, and read the clocks."""
    now_us = microseconds(as_of)
    begun_us: int = min(since["since"].min() or now_us, now_us)  # type: ignore[assignment]
    until = shifted(as_of, _NEXT)
    intervals = schedules.realised(EPOCH + begun_us * _MICROSECOND, until)
    changes = _changes(schedules.stores, intervals, now_us, microseconds(until))
    further = schedules.of(changes.filter(pl.col("next_change_at").is_null())["store_key"])
    if not further.stores.is_empty():
        changes = changes.update(_further(further, changes, as_of), on="store_key")
    known = since.filter(pl.col("since").is_not_null())
    spells = known.select("store_key", starts_at="since", ends_at=pl.lit(now_us))
    opened = known.select("place", open_us=open_time(spells, intervals))
    told = since.select("place", "store_key").join(changes, on="store_key", how="left")
    return told.join(opened, on="place", how="left").select(_no_clocks().columns)


def _further(schedules: Schedules, changes: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Look further ahead for a change: ``store_key, next_change_at``.

    What is open for more than a week without one stays so, but for exceptions.
    """
    until = shifted(as_of, _FURTHER)
    if changes.join(schedules.stores, on="store_key", how="semi")["is_open"].all():
        until = min(until, schedules.last_exception() or as_of)
    if until <= as_of:
        return changes.clear().select("store_key", "next_change_at")
    found = _changes(schedules.stores, schedules.realised(as_of, until), microseconds(as_of), microseconds(until))
    return found.select("store_key", "next_change_at")


def _changes(stores: pl.DataFrame, intervals: pl.DataFrame, now_us: int, until_us: int) -> pl.DataFrame:
    """Tell of stores whether they are open, and when that changes, null if not before the intervals were cut off."""
    to_come = intervals.filter(pl.col("closes_at") > now_us).unique("store_key", keep="first", maintain_order=True)
    is_open = (pl.col("opens_at") <= now_us).fill_null(value=False)
    change = pl.when(is_open).then("closes_at").otherwise("opens_at")
    return (
        stores.select("store_key")
        .join(to_come, on="store_key", how="left")
        .select("store_key", is_open=is_open, next_change_at=pl.when(change < until_us).then(change))
    )
