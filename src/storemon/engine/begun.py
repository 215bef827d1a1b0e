"""Outages that began before the stretch of time that is looked at: when that was, by the latest runs of polls.

From the horizon on, which is the first boundary of the windows, their downtime is known; what is added here is what was
before. A store's runs of polls up to the horizon tell since when it was inactive there. So neither its polls nor its
schedule need be gone through for as long as it has been down.
"""

from datetime import timedelta

import polars as pl

from storemon.engine.chosen import shared_schedules
from storemon.engine.clocks import open_time
from storemon.engine.question import Question
from storemon.engine.since import since_of
from storemon.lake.decisive import DAY
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_TOLD = ("spell_starts_at", "open_us", "first_open_at")


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


def begun_at(question: Question, before: pl.DataFrame, spells: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Tell of those spells that had begun by the horizon since when they last: ``store_key, spell_starts_at, since``.

    Args:
        question: what is asked.
        before: what `since_before` tells of the stores that were not active at the horizon.
        spells: ``store_key, spell_starts_at``, told by what is known from the last polls before the horizon on.
        horizon_us: the first boundary.

    """
    had_begun = spells.filter(pl.col("spell_starts_at") <= horizon_us).select("store_key", "spell_starts_at")
    known = had_begun.join(before, on="store_key", how="left", maintain_order="left")
    # The state at the horizon was held by the last poll before it; and that one's run goes further back. The nearest
    # poll may be a later one, which was all that was gathered: it meets the last one before it if they are near enough.
    reach_us = question.carry_limit // _MICROSECOND if question.policy == "nearest" else 0
    meets = pl.col("spell_starts_at") <= pl.col("last_polled_at") + reach_us
    polled_at = pl.col("spell_starts_at") + reach_us
    half_way = polled_at - (polled_at - pl.col("last_polled_at")) // 2
    since = pl.when(meets & ~pl.col("active")).then("since").when(meets).then(half_way).otherwise("spell_starts_at")
    return known.select("store_key", "spell_starts_at", since=since)


def beginnings(
    snapshot: Snapshot,
    question: Question,
    stores: pl.DataFrame,
    before: pl.DataFrame,
    spells: pl.DataFrame,
    *,
    horizon_us: int,
) -> pl.DataFrame:
    """Tell of spells what they were before the horizon.

    Args:
        snapshot: where the facts are from.
        question: what is asked.
        stores: ``store_key, store_id, zone``: those of the spells, and others.
        before: what `since_before` tells of the stores that were not active at the horizon.
        spells: ``store_key, spell_starts_at``, told by what is known from the last polls before the horizon on.
        horizon_us: the first boundary.

    Returns:
        ``store_key, spell_starts_at, open_us, first_open_at`` of those that had begun before the horizon: how long they
        were open there, and since when, null if that is later.

    Raises:
        LakeError: the lake can't be read.

    """
    told = begun_at(question, before, spells, horizon_us)
    return _opened(snapshot, stores, told.filter(pl.col("since") < horizon_us), horizon_us)


def with_beginnings(outages: pl.DataFrame, before: pl.DataFrame, beginnings: pl.DataFrame) -> pl.DataFrame:
    """Tell of outages ``starts_at``, ``whole_downtime_us`` and ``started_after`` by what they were before the horizon.

    Args:
        outages: told by what is known from there on.
        before: as `since_before` gives it.
        beginnings: as `beginnings` gives them.

    """
    known = outages.join(beginnings, on=["store_key", "spell_starts_at"], how="left").join(
        before.select("store_key", "last_active_at"), on="store_key", how="left"
    )
    return known.with_columns(
        whole_downtime_us=pl.col("whole_downtime_us") + pl.col("open_us").fill_null(0),
        starts_at=pl.when(pl.col("open_us") > 0).then("first_open_at").otherwise("starts_at"),
        started_after=pl.coalesce("started_after", "last_active_at"),
    ).select(outages.columns)


def _runs(snapshot: Snapshot, question: Question, stores: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Read the latest runs of polls up to the horizon: those up to as-of, where they reach back far enough."""
    apart, horizon = min(question.carry_limit, DAY), EPOCH + horizon_us * _MICROSECOND
    runs = snapshot.runs(question.as_of, apart, stores["store_key"]).filter(pl.col("starts_at") <= horizon)
    firsts = stores.select("store_key", starts_at=pl.col("first_polled_at").cast(pl.Datetime("us", "UTC")))
    has_more = runs.filter(pl.col("store_key") == pl.col("store_key").shift())["store_key"]
    is_first = runs.join(firsts, on=["store_key", "starts_at"], how="semi")["store_key"]
    told = pl.concat([has_more, is_first])
    # Of a store that was first polled later nothing would be found, however far one looked.
    others = stores.filter(pl.col("first_polled_at") <= horizon_us, ~pl.col("store_key").is_in(told.implode()))
    # The last run may go on after the horizon; that there is a poll of it near before that is all that counts.
    kept = runs.filter(pl.col("store_key").is_in(told.implode())).with_columns(pl.col("ends_at").clip(None, horizon))
    return pl.concat([kept, snapshot.runs(horizon, apart, others["store_key"])]).sort("store_key", "starts_at")


def _opened(snapshot: Snapshot, stores: pl.DataFrame, spells: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Tell of spells with ``since`` what is told of `beginnings`."""
    told = [pl.DataFrame(schema={"store_key": pl.Int32, **dict.fromkeys(_TOLD, pl.Int64)})]
    if spells.is_empty():
        return told[0]
    stores = stores.join(spells, on="store_key", how="semi", maintain_order="left")
    schedules, stands_for = shared_schedules(snapshot, stores)
    keys = stores.select("store_key", schedule=stands_for)
    asked = spells.join(keys, on="store_key").select(
        "spell_starts_at", "since", store="store_key", store_key="schedule"
    )
    horizon = EPOCH + horizon_us * _MICROSECOND
    for some, of_these, first in schedules.in_parts(asked, horizon):
        intervals = some.realised(first, horizon)
        parts = of_these.select("store_key", starts_at="since", ends_at=pl.lit(horizon_us))
        opened = of_these.with_columns(open_us=open_time(parts, intervals), after=pl.col("since") + 1)
        # The first interval that ends after the spell began is the one in which it is first open.
        ends = intervals.select("store_key", "opens_at", "closes_at").sort("closes_at")
        found = opened.sort("after").join_asof(
            ends, left_on="after", right_on="closes_at", by="store_key", strategy="forward", check_sortedness=False
        )
        first_open_at = pl.max_horizontal("opens_at", "since").alias("first_open_at")
        told.append(found.select(pl.col("store").alias("store_key"), "spell_starts_at", "open_us", first_open_at))
    return pl.concat(told)
