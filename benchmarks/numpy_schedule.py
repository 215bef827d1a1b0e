"""The business clock of the NumPy limit: the open intervals of all stores from their hours and zones, in one array."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]

SECOND = 1_000_000
DAY = 86_400
BITS = 41  # a store and an instant in one key: three weeks of microseconds below, room for a million stores above
_DEFAULT_ZONE = "America/Chicago"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BusinessClock:
    """The open time before any key ``store << BITS | microseconds after zero_at``, over all stores one after another.

    A difference between two keys of one store is open time of that store alone.
    """

    def __init__(self, opens: Integers, closes: Integers) -> None:
        """Take intervals sorted by ``opens``; those of one store may overlap."""
        covered = np.maximum.accumulate(closes)  # a later store's keys are all greater
        np.maximum(opens[1:], covered[:-1], out=opens[1:])
        lasted = closes - opens
        kept = np.flatnonzero(lasted > 0)
        # Before the first interval comes an empty one, so that every key finds one.
        self._opens = np.concatenate(([-1], opens[kept]))
        self._lasted = np.concatenate(([0], lasted[kept]))
        self._before = np.cumsum(self._lasted) - self._lasted

    def at(self, keys: Integers) -> Integers:
        """Read the clock."""
        found = self._opens.searchsorted(keys, "right") - 1
        since = keys - self._opens[found]
        np.minimum(since, self._lasted[found], out=since)
        since += self._before[found]
        return since


def business_clock(
    stores: int, hours: pl.DataFrame, zones: pl.DataFrame, *, starts_at: int, ends_at: int, zero_at: int
) -> BusinessClock:
    """Realise the service schedules within ``[starts_at, ends_at)``.

    Args:
        stores: how many there are; their keys are the whole numbers below.
        hours: ``store_key, weekday, opens_local, closes_local``.
        zones: ``store_key, zone``.
        starts_at: microseconds since 1970 in UTC, as are the next two.
        ends_at: nothing from it on counts.
        zero_at: where the instants in the keys begin.

    """
    names = zones["zone"].unique().to_list()
    zone_of = np.full(stores, len(names), np.int16)
    zone_of[zones["store_key"].to_numpy()] = zones["zone"].cast(pl.Enum(names)).to_physical().to_numpy()
    local = [ZoneInfo(name) for name in [*names, _DEFAULT_ZONE]]
    origin = starts_at // SECOND // DAY - 3
    offsets = np.array([[_offset(zone, origin + day, 0) for day in range(16)] for zone in local])
    changes = offsets[:, 1:] != offsets[:, :-1]  # the zones and dates in which clocks change

    store, weekday, opens, closes = (hours[name].to_numpy().astype(np.int64) for name in hours.columns)
    closes[closes >= DAY - 60] = DAY
    closes[closes <= opens] += DAY
    first = (starts_at // SECOND + offsets.min()) // DAY - 1 - origin  # opened the day before, overnight
    last = (ends_at // SECOND + offsets.max()) // DAY - origin
    rows_on = [np.flatnonzero(weekday == day) for day in range(7)]
    rows = [rows_on[(origin + day + 3) % 7] for day in range(first, last + 1)]  # 1970 began on a Thursday
    day = np.repeat(np.arange(first, last + 1) * DAY, [len(some) for some in rows])
    row = np.concatenate(rows)
    store = store[row]
    zone = zone_of[store]
    store <<= BITS

    def keys(seconds: Integers) -> Integers:
        wall = seconds[row]
        wall += day
        date = wall // DAY
        offset = offsets[zone, date]
        if changes.any():
            for odd in np.flatnonzero(changes[zone, date]).tolist():
                offset[odd] = _offset(local[zone[odd]], origin, int(wall[odd]))
        wall -= offset
        wall *= SECOND
        wall += origin * DAY * SECOND - zero_at
        wall.clip(starts_at - zero_at, ends_at - zero_at, out=wall)
        wall |= store
        return wall

    scheduled = np.zeros(stores, bool)
    scheduled[hours["store_key"].to_numpy()] = True
    always = np.flatnonzero(~scheduled) << BITS
    opens_at = np.concatenate((keys(opens), always | (starts_at - zero_at)))
    closes_at = np.concatenate((keys(closes), always | (ends_at - zero_at)))
    order = opens_at.argsort(kind="stable")  # a merge: each date's intervals come in order of store already
    return BusinessClock(opens_at[order], closes_at[order])


def _offset(zone: ZoneInfo, days: int, seconds: int) -> int:
    """Seconds to take from a wall time, in days and seconds since 1970, to come to UTC."""
    wall = (_EPOCH + timedelta(days=days, seconds=seconds)).replace(tzinfo=zone)
    return int((wall.utcoffset() or timedelta()).total_seconds())
