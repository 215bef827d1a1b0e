"""Outages that began before the stretch of time that is looked at: when that was, by the latest runs of polls.

From the horizon on, which is the first boundary of the windows, their downtime is known; what is added here is what was
before. A store's runs of polls up to the horizon tell since when it was inactive there. So neither its polls nor its
schedule need be gone through for as long as it has been down.
"""

from datetime import timedelta

import polars as pl

from storemon.calendar.alike import schedules_of
from storemon.engine.clocks import open_time
from storemon.engine.question import Question
from storemon.engine.since import since_of
from storemon.lake.decisive import DAY
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EPOCH

_MICROSECOND = timedelta(microseconds=1)


def since_before(snapshot: Snapshot, question: Question, stores: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Tell of stores since when their last poll before the horizon was held true.

    Args:
        snapshot: where the facts are from.
        question: what is asked.
        stores: ``store_key, first_polled_at``, and whatever else.
        horizon_us: the first boundary.

    Returns:
        ``store_key``, and what `storemon.engine.since.since_of` tells.

    Raises:
        LakeError: the lake can't be read.

    """
    return stores.select("store_key").hstack(since_of(_runs(snapshot, question, stores, horizon_us), question, stores))


def beginnings(
    snapshot: Snapshot, stores: pl.DataFrame, before: pl.DataFrame, spells: pl.DataFrame, horizon_us: int
) -> pl.DataFrame:
    """Tell of spells what they were before the horizon.

    Args:
        snapshot: where the facts are from.
        stores: ``store_key, store_id, zone``: those of the spells, and others.
        before: what `since_before` tells of the stores that were not active at the horizon.
        spells: ``store_key, spell_starts_at``, told by what is known from the last polls before the horizon on.
        horizon_us: the first boundary.

    Returns:
        ``store_key, spell_starts_at``, the same; ``open_us``, how long the spell was open before the horizon, and
        ``first_open_at``, since when, null where it was not; ``last_active_at``, the last active poll before it.

    Raises:
        LakeError: the lake can't be read.

    """
    known = spells.join(before, on="store_key", how="left", maintain_order="left")
    # The state at the horizon was held by the last poll before it; and that one's run goes further back.
    goes_on = ~pl.col("active") & (pl.col("spell_starts_at") <= pl.col("last_polled_at"))
    began_at = pl.when(goes_on).then("since").otherwise("spell_starts_at")
    told = known.with_columns(since=began_at).with_row_index("place")
    opened = _opened(snapshot, stores, told.filter(pl.col("since") < horizon_us), horizon_us)
    return told.join(opened, on="place", how="left", maintain_order="left").select(
        "store_key", "spell_starts_at", "open_us", "first_open_at", "last_active_at"
    )


def with_beginnings(outages: pl.DataFrame, beginnings: pl.DataFrame) -> pl.DataFrame:
    """Tell of outages, with their spells' beginnings, their ``starts_at``, all their downtime and ``started_after``."""
    known = outages.join(beginnings, on=["store_key", "spell_starts_at"], how="left", maintain_order="left")
    return known.with_columns(
        whole_downtime_us=pl.col("whole_downtime_us") + pl.col("open_us").fill_null(0),
        starts_at=pl.when(pl.col("open_us") > 0).then("first_open_at").otherwise("starts_at"),
        started_after=pl.coalesce("started_after", "last_active_at"),
    ).select(outages.columns)


def _runs(snapshot: Snapshot, question: Question, stores: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Read the latest runs of polls up to the horizon: those up to as-of, where they reach back far enough."""
    apart, horizon = min(question.carry_limit, DAY), EPOCH + horizon_us * _MICROSECOND
    runs = snapshot.runs(question.as_of, apart, stores["store_key"]).filter(pl.col("starts_at") <= horizon)
    firsts = stores.select("store_key", first_polled_at=pl.col("first_polled_at").cast(pl.Datetime("us", "UTC")))
    is_told = (pl.len() > 1) | (pl.col("starts_at").first() <= pl.col("first_polled_at").first())
    told = runs.join(firsts, on="store_key").group_by("store_key").agg(is_told=is_told).filter("is_told")["store_key"]
    # Of a store that was first polled later nothing would be found, however far one looked.
    others = stores.filter(pl.col("first_polled_at") <= horizon_us, ~pl.col("store_key").is_in(told.implode()))
    # The last run may go on after the horizon; that there is a poll of it near before that is all that counts.
    kept = runs.filter(pl.col("store_key").is_in(told.implode())).with_columns(pl.col("ends_at").clip(None, horizon))
    return pl.concat([kept, snapshot.runs(horizon, apart, others["store_key"])]).sort("store_key", "starts_at")


def _opened(snapshot: Snapshot, stores: pl.DataFrame, spells: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Tell of spells how long they were open before the horizon, and when first: ``place, open_us, first_open_at``."""
    stores = stores.join(spells, on="store_key", how="semi", maintain_order="left")
    schedules, stands_for = schedules_of(snapshot, stores)
    keys = stores.select("store_key", schedule=stands_for)
    asked = spells.join(keys, on="store_key", maintain_order="left").select("place", "since", store_key="schedule")
    horizon = EPOCH + horizon_us * _MICROSECOND
    told = [pl.DataFrame(schema={"place": pl.UInt32, "open_us": pl.Int64, "first_open_at": pl.Int64})]
    for some, of_these, first in schedules.in_parts(asked, horizon):
        intervals = some.realised(first, horizon)
        parts = of_these.select("store_key", starts_at="since", ends_at=pl.lit(horizon_us))
        opened = of_these.with_columns(open_us=open_time(parts, intervals), after=pl.col("since") + 1)
        # The first interval that ends after the spell began is the one in which it is first open.
        ends = intervals.select("store_key", "opens_at", "closes_at").sort("closes_at")
        found = opened.sort("after").join_asof(
            ends, left_on="after", right_on="closes_at", by="store_key", strategy="forward", check_sortedness=False
        )
        told.append(found.select("place", "open_us", first_open_at=pl.max_horizontal("opens_at", "since")))
    return pl.concat(told)
