"""The best straight NumPy version of a report: the limit that storemon is measured against.

Polars reads the Parquet files and turns the hours' and zones' text ids into keys; all else is NumPy, written for the
three windows and the carry limit of the default report and for nothing else. A store and an instant are one int64, so
one sorted array serves all stores: sorts merge sorted runs, a lookup is one `searchsorted` for everybody, and what a
store adds up to is a difference of one running sum. The meaning is that of docs/semantics.md, exactly.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.lake_files import live_files
from benchmarks.numpy_schedule import BITS, DAY, SECOND, BusinessClock, Integers, business_clock

_WEEK = 7 * DAY * SECOND  # the longest window, and the carry limit
_LENGTHS = {"last_hour": 3_600 * SECOND, "last_day": DAY * SECOND, "last_week": _WEEK}
_MEASURES = ("uptime", "downtime", "unknown")


def report(lake: Path) -> pl.DataFrame:
    """Compute what ``storemon.report(storemon.Lake(lake))`` does: the same columns, types, rows and order."""
    polls, roster, known, hours, zones = _read(lake)
    as_of: int = polls["polled_at"].to_physical().max()  # type: ignore[assignment]
    starts_at = as_of - _WEEK
    zero_at = starts_at - _WEEK
    clock = business_clock(len(known), hours, zones, starts_at=starts_at, ends_at=as_of, zero_at=zero_at)
    believed = _believed(len(known), polls, roster, starts_at)
    clocks = _Clocks(believed, len(known), clock)
    stores = known["store_key"].to_numpy().astype(np.int64) << BITS
    ends = clocks.at(stores | (as_of - zero_at))
    figures = {}
    for window, length in _LENGTHS.items():
        starts = clocks.at(stores | (as_of - length - zero_at))
        service, uptime, downtime = (end - start for end, start in zip(ends, starts, strict=True))
        for measure, figure in zip(_MEASURES, (uptime, downtime, service - uptime - downtime), strict=True):
            figures[f"{measure}_{window}"] = pl.Series(figure).cast(pl.Duration("us"))
    names = [f"{measure}_{window}" for measure in _MEASURES for window in _LENGTHS]
    return pl.DataFrame([known["store_id"], *(figures[name].alias(name) for name in names)])


def _read(lake: Path) -> list[pl.DataFrame]:
    """Read the polls of the days that count, in order of day; the roster; its stores; hours and zones by store key."""
    files = live_files(lake / "polls")
    newest = files[-1].polled_on
    assert newest is not None
    since = newest - timedelta(days=14)
    roster = _scan(file.path for file in files if file.polled_on is None)
    polls = _scan(file.path for file in files if file.polled_on and file.polled_on >= since)
    keys = roster.select("store_key", "store_id").unique()
    hours, zones = (_scan(file.path for file in live_files(lake / name)) for name in ("hours", "zones"))
    return pl.collect_all(
        [
            polls.select("store_key", "polled_at", "active"),
            roster.select("store_key", "store_id", "polled_at", "active"),
            keys.sort("store_id"),
            keys.join(hours, on="store_id").select("store_key", "weekday", "opens_local", "closes_local"),
            keys.join(zones, on="store_id").select("store_key", "zone"),
        ]
    )


def _scan(paths: Any) -> pl.LazyFrame:
    return pl.scan_parquet(list(paths), hive_partitioning=False, glob=False)


def _believed(stores: int, polls: pl.DataFrame, roster: pl.DataFrame, starts_at: int) -> Integers:
    """Sort the polls that decide a state in the longest window, as ``store << BITS + 1 | instant << 1 | inactive``.

    Inactive comes last at one instant, and so is what holds from there on.
    """
    zero_at = starts_at - _WEEK
    start = (_WEEK << 1) + 1
    latest = np.full(stores, -1)
    keys = []
    # File by file, for arrays that stay in the processor's cache; before the window only each store's last poll counts.
    for store, word in _words(polls, zero_at):
        if word.max() <= start:
            counts = word >= 0
            np.maximum.at(latest, store[counts], word[counts])
            continue
        if word.min() <= start:
            before = word <= start
            np.maximum.at(latest, store[before], word[before])
            store, word = store[~before], word[~before]  # noqa: PLW2901 - what is left of them
        key = store.astype(np.int64)
        key <<= BITS + 1
        key |= word
        keys.append(key)
    carried = np.flatnonzero(latest >= 0)
    believed = np.concatenate((carried << BITS + 1 | latest[carried], _reached_back(stores, roster, starts_at), *keys))
    believed.sort(kind="stable")  # a merge: within a file the polls come in order already
    return believed


def _words(polls: pl.DataFrame, zero_at: int) -> Iterator[tuple[NDArray[np.int32], Integers]]:
    """Yield the stores of each file's polls, and ``instant << 1 | inactive``."""
    for store, polled_at, active in zip(*(polls[name].get_chunks() for name in polls.columns), strict=True):
        word = polled_at.to_physical().to_numpy() - zero_at
        word <<= 1
        word |= ~active.to_numpy()
        yield store.to_numpy(), word


def _reached_back(stores: int, roster: pl.DataFrame, starts_at: int) -> Integers:
    """Put one more poll a week before each store's first poll ever, for which that one holds too."""
    store, polled_at, active = (roster[name].to_physical().to_numpy() for name in ("store_key", "polled_at", "active"))
    first = np.full(stores, np.iinfo(np.int64).max)
    np.minimum.at(first, store, polled_at << 1 | active)  # inactive comes first here
    late = np.flatnonzero(first >> 1 > starts_at)
    return late << BITS + 1 | (first[late] ^ 1) - (starts_at << 1)


class _Clocks:
    """The business clock and the clocks of open time spent active and inactive, over all stores one after another."""

    def __init__(self, believed: Integers, stores: int, clock: BusinessClock) -> None:
        step = np.diff(believed)  # odd where the status changes
        # From one store's last poll to the next store's first it is always more than a week, as keys go.
        turns = step > _WEEK << 1
        step &= 1
        turns |= step.astype(np.bool_)
        starts = np.concatenate(([0], np.flatnonzero(turns) + 1))
        lapses_at = (believed[np.append(starts[1:], len(believed)) - 1] >> 1) + _WEEK
        self._clock = clock
        self._starts_at = believed[starts] >> 1
        self._inactive = believed[starts] & 1
        self._starts = clock.at(self._starts_at)
        lapses = np.flatnonzero(lapses_at < np.append(self._starts_at[1:], stores << BITS))
        ends = np.append(self._starts[1:], 0)
        ends[lapses] = clock.at(lapses_at[lapses])
        self._lasted = ends - self._starts
        down = self._lasted * self._inactive
        self._down_before = np.cumsum(down) - down
        self._up_before = np.cumsum(self._lasted) - self._lasted - self._down_before

    def at(self, keys: Integers) -> tuple[Integers, Integers, Integers]:
        """Read the three clocks: open, active and inactive microseconds before each key."""
        now = self._clock.at(keys)
        found = np.maximum(self._starts_at.searchsorted(keys, "right") - 1, 0)
        passed = np.clip(now - self._starts[found], 0, self._lasted[found])
        down = passed * self._inactive[found]
        return now, self._up_before[found] + passed - down, self._down_before[found] + down
