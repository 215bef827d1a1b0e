"""Outages, from the changes of state: the spells in state inactive, and what of each is open in a part of a window.

Everywhere instants and lengths of time are microseconds, the former since 1970 in UTC.
"""

from functools import partial

import polars as pl

from storemon.engine.clocks import open_time
from storemon.engine.line import Line

_SPELL = ["store_key", "spell_starts_at", "spell_ends_at"]


def spells(changes: pl.DataFrame) -> pl.DataFrame:
    """Pair the changes of state: ``store_key, spell_starts_at, spell_ends_at`` of each spell in state inactive.

    Args:
        changes: ``store_key, instant, was, becomes``, in any order: active, or null for unknown.

    Returns:
        In order; ``spell_ends_at`` is null if no change ends it.

    """
    turn = (~pl.col("becomes")).fill_null(value=False).cast(pl.Int32) - (~pl.col("was")).fill_null(value=False)
    turns = changes.select("store_key", "instant", turn=turn).filter(pl.col("turn") != 0)
    line = Line.through(turns)
    running = turns.with_columns(line.place("instant")).sort("at").with_columns(pl.col("turn").cum_sum())
    # Two can lie at one instant, of polls that disagree; what they come to together may be no change at all.
    at_instants = running.filter(pl.col("at").ne_missing(pl.col("at").shift(-1)))
    meant = at_instants.with_columns(pl.col("turn") - pl.col("turn").shift(fill_value=0)).filter(pl.col("turn") != 0)
    ends_at = pl.when(pl.col("store_key") == pl.col("store_key").shift(-1)).then(pl.col("instant").shift(-1))
    told = meant.with_columns(spell_starts_at="instant", spell_ends_at=ends_at)
    return told.filter(pl.col("turn") > 0).select(_SPELL)


def downtimes(
    spells: pl.DataFrame, stores: pl.DataFrame, windows: pl.DataFrame, intervals: pl.DataFrame
) -> pl.DataFrame:
    """Tell of each spell its open time in each part of a window in which it has any.

    Args:
        spells: as `spells` gives them.
        stores: ``store_key, zone_key``: those that are asked about.
        windows: as `storemon.calendar.windows.realise` gives them. Parts that a series gives one bucket, an hour that
            the clocks show twice, go by the number of their first.
        intervals: ``store_key, opens_at, closes_at, clock_us``, with the business clock at their start.

    Returns:
        ``part, store_key, spell_starts_at, spell_ends_at, downtime_us``, in no order.

    """
    clips = _clips(spells.join(stores.select("store_key", "zone_key"), on="store_key"), windows)
    opened = clips.with_columns(downtime_us=open_time(clips, intervals)).filter(pl.col("downtime_us") > 0)
    if windows.select("window", "zone_key", "bucket").is_unique().all():
        return opened.select("part", *_SPELL, "downtime_us")
    return opened.group_by("part", *_SPELL).agg(pl.col("downtime_us").sum())


def _clips(spells: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """Cut spells at the edges of the parts: ``part``, the spell, and what of it lies there, ``starts_at, ends_at``."""
    place = ["window", "zone_key"]
    parts = windows.with_columns(part=pl.col("part").min().over(*place, "bucket"))
    # The parts of one window and zone follow one another, and none overlaps the next: a spell has some in a row.
    parts = parts.filter(pl.col("starts_at") < pl.col("ends_at")).sort(*place, "starts_at").with_row_index("nth")
    reaches = spells.join(parts.group_by(place).agg(pl.col("ends_at").max()), on="zone_key")
    reaches = reaches.with_columns(end=pl.coalesce("spell_ends_at", "ends_at")).drop("ends_at")
    # They are those from the first that ends after it starts to the last that starts before it ends.
    first = parts.select(*place, first="nth", spell_starts_at="ends_at").sort("spell_starts_at")
    last = parts.select(*place, last="nth", end="starts_at").sort("end")
    strictly = partial(pl.DataFrame.join_asof, by=place, allow_exact_matches=False, check_sortedness=False)
    reaches = strictly(reaches.sort("spell_starts_at"), first, on="spell_starts_at", strategy="forward")
    reaches = strictly(reaches.sort("end"), last, on="end")
    in_a_row = pl.int_ranges("first", pl.col("last") + 1, dtype=pl.UInt32).alias("nth")
    cut = reaches.filter(pl.col("first") <= pl.col("last")).with_columns(in_a_row).explode("nth")
    return cut.join(parts.select("nth", "part", "starts_at", "ends_at"), on="nth").select(
        "part",
        *_SPELL,
        starts_at=pl.max_horizontal("spell_starts_at", "starts_at"),
        ends_at=pl.min_horizontal("end", "ends_at"),
    )


def outage_sums(downtimes: pl.DataFrame) -> pl.DataFrame:
    """Tell what the outages of a store in a part of a window come to.

    Args:
        downtimes: as `downtimes` gives them.

    Returns:
        ``part, store_key, outages``, how many; ``ended_outages, ended_downtime_us``, of those whose spell something
        ended, in the part or after it; ``longest_us``.

    """
    is_ended = pl.col("spell_ends_at").is_not_null()
    return downtimes.group_by("part", "store_key").agg(
        outages=pl.len().cast(pl.Int64),
        ended_outages=is_ended.sum().cast(pl.Int64),
        ended_downtime_us=pl.col("downtime_us").filter(is_ended).sum(),
        longest_us=pl.col("downtime_us").max(),
    )


def bounded(downtimes: pl.DataFrame, intervals: pl.DataFrame, polls: pl.DataFrame, until: int) -> pl.DataFrame:
    """Tell of outages their first and last open instant, all their open time, and the polls that bound them.

    Args:
        downtimes: as `downtimes` gives them.
        intervals: as for `downtimes`.
        polls: ``store_key, polled_at, active``, in any order.
        until: the instant up to which a spell lasts that nothing ends.

    Returns:
        The same and ``starts_at, ends_at, whole_downtime_us``, and ``started_after`` and ``ended_before``, the last
        active poll before the spell and the first one from its end on, null where there is none. A poll is active if
        none at its instant says otherwise.

    """
    told = downtimes.with_columns(end=pl.col("spell_ends_at").fill_null(until))
    active = _active(polls)
    edges = ((told, "spell_starts_at"), (told, "end"), (intervals, "opens_at"), (intervals, "closes_at"))
    points = [frame.select("store_key", instant=edge) for frame, edge in (*edges, (active, "polled_at"))]
    line = Line.through(*points)
    opened = intervals.select(line.place("opens_at"), "opens_at", "closes_at", "clock_us")
    closed = intervals.select(line.place("closes_at"), "opens_at", "clock_us")
    active = active.with_columns(line.place("polled_at")).sort("at")
    # A spell that starts in closed time is down from the next opening, one that ends in it up to the last closing. As
    # it has open time, both are its own store's.
    told = (
        told.with_columns(line.place("spell_starts_at"))
        .sort("at")
        .join_asof(closed, on="at", strategy="forward", allow_exact_matches=False, check_sortedness=False)
        .join_asof(active, on="at", suffix="_before", allow_exact_matches=False, check_sortedness=False)
        # No spell of a store overlaps another: they are in order of their ends, too.
        .with_columns(line.place("end"))
        .join_asof(opened, on="at", suffix="_last", allow_exact_matches=False, check_sortedness=False)
        .join_asof(active, on="at", suffix="_after", strategy="forward", check_sortedness=False)
    )
    starts_at, ends_at = pl.max_horizontal("spell_starts_at", "opens_at"), pl.min_horizontal("end", "closes_at")
    clock_at_start = pl.col("clock_us") + starts_at - pl.col("opens_at")
    clock_at_end = pl.col("clock_us_last") + ends_at - pl.col("opens_at_last")
    is_ended = pl.col("spell_ends_at").is_not_null()
    return told.select(
        *downtimes.columns,
        starts_at=starts_at,
        ends_at=ends_at,
        whole_downtime_us=clock_at_end - clock_at_start,
        started_after=pl.when(pl.col("store_key") == pl.col("store_key_before")).then("polled_at"),
        ended_before=pl.when(is_ended & (pl.col("store_key") == pl.col("store_key_after"))).then("polled_at_after"),
    )


def _active(polls: pl.DataFrame) -> pl.DataFrame:
    """Keep the polls that say active, and that no other at their instant contradicts."""
    contradicted = polls.filter(~pl.col("active")).select("store_key", "polled_at")
    active = polls.filter("active").select("store_key", "polled_at")
    return active.join(contradicted, on=["store_key", "polled_at"], how="anti")
