"""Whether stores are open at an instant, and when they open or close next."""

from datetime import datetime, timedelta

import polars as pl

from storemon.calendar.alike import Schedules
from storemon.units.instants import microseconds, shifted

NEXT, FURTHER = timedelta(days=8), timedelta(days=400)
"""How far ahead is looked for the next opening or closing: each weekday comes once, then each date of the year."""


def next_changes(schedules: Schedules, intervals: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Tell of schedules whether they are open at an instant, and of the next opening or closing.

    Args:
        schedules: those that are asked about.
        intervals: them, laid out by `Schedules.realised`, up to ``NEXT`` after the instant.
        at: the instant. Aware.

    Returns:
        ``store_key, is_open, next_change_at``, the last in microseconds, null where nothing changes within ``FURTHER``.

    """
    changes = _changes(schedules, intervals, at, NEXT)
    unchanged = schedules.of(changes.filter(pl.col("next_change_at").is_null())["store_key"])
    if unchanged.stores.is_empty():
        return changes
    ahead = FURTHER
    if changes.join(unchanged.stores, on="store_key", how="semi")["is_open"].all():
        # What is open for more than a week without a change stays so, but for exceptions.
        ahead = min(ahead, (unchanged.last_exception() or at) - at)
    if ahead <= timedelta():
        return changes
    found = _changes(unchanged, unchanged.realised(at, shifted(at, ahead)), at, ahead)
    return changes.update(found.select("store_key", "next_change_at"), on="store_key")


def _changes(schedules: Schedules, intervals: pl.DataFrame, at: datetime, ahead: timedelta) -> pl.DataFrame:
    """Find the changes before the intervals were cut off."""
    now, cut_off = microseconds(at), microseconds(shifted(at, ahead))
    to_come = intervals.filter(pl.col("closes_at") > now).unique("store_key", keep="first", maintain_order=True)
    is_open = (pl.col("opens_at") <= now).fill_null(value=False)
    change = pl.when(is_open).then("closes_at").otherwise("opens_at")
    found = schedules.stores.select("store_key").join(to_come, on="store_key", how="left")
    return found.select("store_key", is_open=is_open, next_change_at=pl.when(change < cut_off).then(change))
