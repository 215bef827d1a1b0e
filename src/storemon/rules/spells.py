"""Rules that hold once something has lasted for long enough in open time: a store that is down, or silent."""

from datetime import timedelta

import polars as pl

from storemon.engine.begun import begun_at, since_before
from storemon.engine.chosen import shared_schedules
from storemon.engine.clocks import open_time, reached
from storemon.rules.looked import Looked
from storemon.rules.values import CLEAR, HOLDS, UNKNOWN
from storemon.units.instants import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_STRETCH = ("store_key", "starts_at", "ends_at")


def down(looked: Looked, lasts: timedelta, kept: pl.Series, *, timed: bool) -> pl.DataFrame:
    """Tell of stores when they were down for so long: ``row, starts_at, ends_at, value, open_us``, in order.

    Args:
        looked: the facts.
        lasts: for how much open time they must have been inactive.
        kept: the keys of stores that are told of in any case; the others only if it holds of them, or nobody knows at
            first.
        timed: whether the open time of stretches is told; else it is 0.

    Returns:
        As `storemon.rules.thresholds.judged` tells it, with the store's key as ``row``. A stretch in which it holds has
        its true start, however long ago; others start at ``since`` at the earliest.

    """
    states = looked.states.filter(pl.col("ends_at") > looked.since)
    spells = states.filter(~pl.col("active")).select(*_STRETCH)
    begun = _begun(looked, spells)
    held = _held(looked, begun, lasts)
    told = states.join(
        held.select("store_key", "starts_at", "holds_at"),
        on=["store_key", "starts_at"],
        how="left",
        maintain_order="left",
    )
    value = pl.when("active").then(CLEAR).when(pl.col("active").is_null()).then(UNKNOWN)
    holds = told.drop_nulls("holds_at").select("store_key", "ends_at", starts_at="holds_at", value=pl.lit(HOLDS))
    others = told.select(
        "store_key",
        ends_at=pl.min_horizontal("ends_at", "holds_at"),
        starts_at="starts_at",
        value=value.otherwise(CLEAR),
    )
    return _told(looked, pl.concat([holds, others], how="diagonal"), kept, timed=timed)


def silent(looked: Looked, lasts: timedelta, kept: pl.Series, *, timed: bool) -> pl.DataFrame:
    """Tell of stores when they were silent for so long, as `down` does."""
    lasts_us = lasts // _MICROSECOND
    polls = looked.polls(lasts_us)
    goes_on = pl.col("store_key") == pl.col("store_key").shift(-1)
    gaps = polls.select(
        "store_key",
        starts_at="last_at",
        ends_at=pl.when(goes_on).then(pl.col("first_at").shift(-1)).otherwise(looked.until),
    ).filter(pl.col("ends_at") > looked.since)
    held = _held(looked, gaps.with_columns(since="starts_at"), lasts)
    holds = held.select("store_key", "ends_at", starts_at="holds_at", value=pl.lit(HOLDS)).sort(
        "store_key", "starts_at"
    )
    # What lies between them is clear.
    goes_on = pl.col("store_key") == pl.col("store_key").shift(-1)
    after = holds.select(
        "store_key",
        ends_at=pl.when(goes_on).then(pl.col("starts_at").shift(-1)).otherwise(looked.until),
        starts_at="ends_at",
        value=pl.lit(CLEAR),
    )
    first = holds.group_by("store_key").agg(ends_at=pl.col("starts_at").min())
    stores = looked.stores.select("store_key").join(first, on="store_key", how="left")
    before = stores.select(
        "store_key",
        ends_at=pl.col("ends_at").fill_null(looked.until),
        starts_at=pl.lit(looked.since, pl.Int64),
        value=pl.lit(CLEAR),
    )
    return _told(looked, pl.concat([holds, after, before], how="diagonal"), kept, timed=timed)


def _begun(looked: Looked, spells: pl.DataFrame) -> pl.DataFrame:
    """Add to spells ``since`` when they last, however long ago."""
    known = spells.filter(pl.col("starts_at") > looked.begins).with_columns(since="starts_at")
    earlier = spells.filter(pl.col("starts_at") <= looked.begins)
    if earlier.is_empty():
        return known
    stores = looked.stores.join(earlier, on="store_key", how="semi", maintain_order="left")
    before = since_before(looked.snapshot, looked.question, stores, looked.begins)
    named = earlier.rename({"starts_at": "spell_starts_at"})
    begun = begun_at(looked.question, before, named, looked.begins)
    both = named.join(begun, on=["store_key", "spell_starts_at"]).rename({"spell_starts_at": "starts_at"})
    return pl.concat([known, both.select(known.columns)])


def _held(looked: Looked, begun: pl.DataFrame, lasts: timedelta) -> pl.DataFrame:
    """Keep what has lasted for so long in open time, and tell since when: ``holds_at``.

    Nobody knows of a store before its first poll.

    Args:
        looked: the facts.
        begun: ``store_key, since, ends_at``, and whatever else.
        lasts: for how long.

    """
    lasts_us = lasts // _MICROSECOND
    some = begun.filter(pl.col("ends_at") - pl.col("since") > lasts_us).with_columns(
        lasts_us=pl.lit(lasts_us, pl.Int64)
    )
    here = some.filter(pl.col("since") >= looked.begins)
    told = [here.with_columns(holds_at=reached(here, looked.intervals))]
    earlier = some.filter(pl.col("since") < looked.begins)
    if not earlier.is_empty():
        told.append(_held_before(looked, earlier).select(told[0].columns))
    firsts = looked.stores.select("store_key", "first_polled_at")
    held = (
        pl.concat(told)
        .drop_nulls("holds_at")
        .join(firsts, on="store_key")
        .with_columns(pl.max_horizontal("holds_at", "first_polled_at"))
    )
    return held.filter(pl.col("holds_at") < pl.col("ends_at"), pl.col("ends_at") > looked.since)


def _held_before(looked: Looked, begun: pl.DataFrame) -> pl.DataFrame:
    """Do the same of what began before the schedules that are laid out."""
    stores = looked.stores.join(begun, on="store_key", how="semi", maintain_order="left")
    schedules, stands_for = shared_schedules(looked.snapshot, stores)
    asked = begun.join(stores.select("store_key", schedule=stands_for), on="store_key")
    asked = asked.rename({"store_key": "store", "schedule": "store_key"})
    until, told = EPOCH + looked.until * _MICROSECOND, []
    for some, of_these, first in schedules.in_parts(asked, until):
        told.append(of_these.with_columns(holds_at=reached(of_these, some.realised(first, until))))
    return pl.concat(told).drop("store_key").rename({"store": "store_key"})


def _told(looked: Looked, stretches: pl.DataFrame, kept: pl.Series, *, timed: bool) -> pl.DataFrame:
    """Put stretches in order, of the stores that are told of, and tell the open time of each if that is needed."""
    firsts = looked.stores.select("store_key", "first_polled_at")
    # Of what holds the true start is told; of the rest only what lies in the time that is looked at.
    earliest = pl.max_horizontal("first_polled_at", looked.since)
    starts_at = pl.when(pl.col("value") == HOLDS).then("starts_at").otherwise(pl.max_horizontal("starts_at", earliest))
    clipped = stretches.join(firsts, on="store_key").with_columns(starts_at=starts_at)
    some = clipped.filter(pl.col("starts_at") < pl.col("ends_at"))
    is_first = pl.col("starts_at") == pl.col("starts_at").min().over("store_key")
    telling = (pl.col("value") == HOLDS) | (is_first & (pl.col("value") == UNKNOWN))
    rows = pl.concat([some.filter(telling)["store_key"].cast(pl.Int64), kept]).unique()
    told = some.filter(pl.col("store_key").is_in(rows.implode())).sort("store_key", "starts_at")
    opened = open_time(told.select(*_STRETCH), looked.intervals) if timed else pl.lit(0, pl.Int64)
    return told.select(
        pl.col("store_key").cast(pl.Int64).alias("row"),
        "starts_at",
        "ends_at",
        pl.col("value").cast(pl.Int8),
        open_us=opened,
    )
