"""The polls of a sample as a lake keeps them: day by day, in the order of stores."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl

from storemon.lake.polls import AT_ONCE, DAY_OF_POLL, IDENTITY, as_kept, distinct
from storemon.sample.draws import upto
from storemon.sample.lives import NEWEST_AT, SLOT_US, polled

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
    """Yield the polls of a UTC day as the table has them, in ranges of stores: each part is to be a file."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    newest = max(0, (NEWEST_AT - midnight - _DAY) // _SLOT)
    oldest = min(slots - 1, (NEWEST_AT - midnight) // _SLOT)
    # From the oldest on, so that the polls of a store come in order of time.
    times = pl.DataFrame({"slot": upto(oldest + 1 - newest) + newest}).reverse()
    for stores in keyed.iter_slices(AT_ONCE // len(times)):
        chunks = list[pl.DataFrame]()
        for some in stores.iter_slices(CHUNK_ROWS // len(times)):
            polls = polled(some.join(times, how="cross"), seed, hourly=hourly).select(IDENTITY)
            chunks.append(distinct(polls.filter(day == DAY_OF_POLL)))
        yield from as_kept(pl.concat(chunks))
