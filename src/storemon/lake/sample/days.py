"""The polls of a sample as a lake keeps them: day by day, in the order of stores."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl

from storemon.lake.polls import IDENTITY, as_kept
from storemon.lake.sample.draws import upto
from storemon.lake.sample.lives import NEWEST_AT, SLOT_US, polled

PART_POLLS = 1_000_000  # in one part at the most
CHUNK_ROWS = 1 << 17  # polls that are made at a time, or stores whose first polls are looked for
_SLOT, _DAY = timedelta(microseconds=SLOT_US), timedelta(days=1)


def days_of(slots: int) -> list[date]:
    """List the UTC days that so many slots touch, the oldest first; the slots begin within the first of them."""
    newest = NEWEST_AT.date()
    return [newest - _DAY * back for back in reversed(range((newest - (NEWEST_AT - slots * _SLOT).date()).days + 1))]


def first_polls(keyed: pl.DataFrame, seed: int, *, hourly: bool) -> pl.DataFrame:
    """Find the first poll of each store, `store_key, polled_at, active`, in order of keys.

    `keyed` are the lives of the stores, with their `store_key`.
    """
    found = []
    for some in keyed.iter_slices(CHUNK_ROWS):
        waiting = some.with_columns(slot="first_slot")
        while len(waiting):
            polls = polled(waiting, seed, hourly=hourly).select(IDENTITY).sort(IDENTITY)
            found.append(polls.unique("store_key", keep="first"))
            waiting = waiting.join(polls, on="store_key", how="anti").with_columns(pl.col("slot") - 1)
    return pl.concat(found).sort("store_key")


def day_of_polls(keyed: pl.DataFrame, slots: int, day: date, seed: int, *, hourly: bool) -> Iterator[pl.DataFrame]:
    """Yield the polls of a UTC day as the table has them: those that are not decisive in parts, then those that are."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    newest = max(0, (NEWEST_AT - midnight - _DAY) // _SLOT)
    oldest = min(slots - 1, (NEWEST_AT - midnight) // _SLOT)
    # From the oldest on, so that the polls of a store come in order of time.
    times = pl.DataFrame({"slot": upto(oldest + 1 - newest) + newest}).reverse()
    decisive = list[pl.DataFrame]()
    for stores in keyed.iter_slices(PART_POLLS // len(times)):
        others = list[pl.DataFrame]()
        for some in stores.iter_slices(CHUNK_ROWS // len(times)):
            polls = polled(some.join(times, how="cross"), seed, hourly=hourly).select(IDENTITY)
            ordered = polls.filter(pl.col("polled_at").dt.date() == day).sort(IDENTITY)
            repeats = pl.all_horizontal(pl.all().eq_missing(pl.all().shift()))
            kept = as_kept(ordered.filter(~repeats))
            decisive.append(kept.filter("decisive"))
            others.append(kept.filter(~pl.col("decisive")))
        yield pl.concat(others, rechunk=True)
    yield pl.concat(decisive, rechunk=True)
