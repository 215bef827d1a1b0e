"""Now: what is true of each store at one instant, since when, and until when it is open or closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

import polars as pl

from storemon.calendar.alike import Schedules
from storemon.calendar.changes import NEXT, next_changes
from storemon.calendar.windows import LAST_HOUR
from storemon.engine.chosen import chosen_stores, shared_schedules
from storemon.engine.clocks import open_time
from storemon.engine.question import Asked, Question, ask
from storemon.engine.rows import rows_of, side_by_side
from storemon.engine.since import states_since
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.stopping import check
from storemon.units.instants import microseconds, shifted

_INSTANT, _LENGTH = pl.Datetime("us", "UTC"), pl.Duration("us")
_NO_CLOCKS = pl.DataFrame(
    schema={"place": pl.UInt32, "is_open": pl.Boolean, "open_us": pl.Int64, "next_change_at": pl.Int64}
)
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
        where there is none; ``next_change_at``, the next opening or closing, null where there will be none in
        400 days. Instants are in UTC, lengths of time exact.

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
    told = now_of(snapshot, question, stores)
    if group_by is None:
        return told
    rows = rows_of(snapshot, stores, group_by)
    counts = told.select(rows.stores["row"], **_COUNTED).group_by("row").sum().sort("row")
    return side_by_side([*rows.named(counts["row"]), *(counts[name].cast(pl.Int64) for name in _COUNTED)])


def now_of(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Tell of some stores, which `chosen_stores` gives, what `now` tells; in their order.

    Raises:
        LakeError: the lake can't be read.

    """
    since = states_since(snapshot, question, stores)
    check()
    schedules, stands_for = shared_schedules(snapshot, stores)
    by_clocks = _by_clocks(schedules, since.select("since", store_key=stands_for), question.as_of)
    state = pl.when("active").then(pl.lit("active")).when(~pl.col("active")).then(pl.lit("inactive"))
    return pl.concat([stores.select("store_id"), since, by_clocks], how="horizontal").select(
        "store_id",
        state.otherwise(pl.lit("unknown")).alias("state"),
        "is_open",
        pl.col("since").cast(_INSTANT),
        pl.col("open_us").cast(_LENGTH).alias("open_time"),
        pl.col("last_polled_at", "last_active_at", "next_change_at").cast(_INSTANT),
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
    told = [_NO_CLOCKS]
    for some, asked, first in schedules.in_parts(since.with_row_index("place"), as_of):
        intervals = some.realised(first, shifted(as_of, NEXT))
        known = asked.filter(pl.col("since").is_not_null())
        spells = known.select("store_key", starts_at="since", ends_at=pl.lit(microseconds(as_of)))
        opened = known.select("place", open_us=open_time(spells, intervals))
        by_schedule = asked.join(next_changes(some, intervals, as_of), on="store_key", how="left")
        told.append(by_schedule.join(opened, on="place", how="left").select(_NO_CLOCKS.columns))
    return pl.concat(told).sort("place").drop("place")
