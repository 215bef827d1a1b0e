"""The menu_hours.csv of a sample: the real mix of weeks, dealt to its stores."""

import functools
from collections.abc import Iterator

import polars as pl

from storemon.sample.draws import dealt, salt_for, shuffled, words_of
from storemon.sample.ids import STORES_A_CHUNK, never_polled, require, scaled, store_ids

_NEVER_POLLED_NO_HOURS, _NO_HOURS = 40, 54  # in the real data

# How many stores keep which hours: Monday to Thursday | Friday | Saturday | Sunday, each as the one before where left
# out, - for closed. The real mix, but for the overnight and the overlapping hours, which are the last two.
_WEEKS = """
370 10:00-22:30
310 10:30-21:30
270 10:30-21:00
240 10:00-22:30 | 10:00-23:30 | 10:00-23:30 | 10:00-22:30
202 10:30-21:10
220 10:45-21:45 | 10:45-22:45 | 10:45-22:45 | 10:45-21:45
170 10:30-23:59:59
200 06:30-23:30
160 10:00-21:30
150 10:00-22:50
130 10:30-21:00 | 10:30-22:00 | 10:30-22:00 | 10:30-21:00
90 11:00-21:00 | 11:00-22:00 | 11:00-22:00 | 11:00-21:00
80 10:00-21:50
80 11:00-23:00
70 06:30-23:30 | 06:30-23:30 | 06:30-23:30 | 07:30-23:30
60 10:45-22:00
59 09:00-19:25 | 09:00-20:25 | 09:00-20:55 | 09:00-19:25
95 10:30-23:59
50 11:00-23:59
60 11:00-23:00 | 11:00-23:59 | 11:00-23:59 | 11:00-23:00
38 00:00-23:59
66 00:00-23:59:59
110 10:00-23:00 | 10:00-23:59:59 | 10:00-23:59:59 | 10:00-23:00
330 10:00-23:59:59 | 10:00-23:59:59 | 00:00-01:00,10:00-23:59:59 | 00:00-01:00,10:00-23:59:59
185 10:00-23:59 | 10:00-23:59:59 | 00:00-01:00,10:00-23:59:59 | 00:00-01:00,10:00-23:59
60 11:00-20:45 | 11:00-23:59:59 | 00:00-01:45,11:00-23:59:59 | 00:00-01:45,11:00-20:45
30 10:30-22:30 | 00:00-02:30,10:30-23:59:59 | 00:00-02:30,10:30-23:59:59 | 00:00-02:30,12:00-22:30
130 06:30-10:19,10:20-23:30
95 00:00-02:00,10:30-23:59:59
85 00:00-05:00,10:00-23:59:59
85 00:00-04:00,16:00-23:59:59 | 00:00-04:00,11:00-23:59:59
14 06:30-10:19,10:20-21:49,21:50-23:30
2 07:00-10:00,11:00-14:00,15:00-17:00,18:00-22:00 | 11:00-22:00
40 11:00-20:45 | 11:00-21:45 | 11:00-21:45 | -
40 11:00-19:45 | 11:00-20:00 | 11:00-20:00 | -
20 - | 00:00-11:59,18:00-23:59 | 00:00-05:00,18:00-23:59 | 00:00-05:00
15 - | 06:00-07:00 | - | -
4 00:00-00:01
45 18:00-02:00
12 10:00-15:00,14:00-22:00
"""


def hours(stores: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of `menu_hours.csv`, about 8 for each store: `dayOfWeek` as Int64, the rest as text.

    So many stores come at a time, a store's rows together or in two places. Raises ValueError if `stores` is below 1.
    """
    for some in keeping(stores, seed).iter_slices(STORES_A_CHUNK):
        yield hours_of(some, seed)


def keeping(stores: int, seed: int) -> pl.DataFrame:
    """Give stores the week that they keep, but for a few: `store, week`, in no order.

    Raises ValueError if `stores` is below 1.
    """
    require(stores=stores)
    salt = salt_for(seed, "hours")
    without = scaled(_NO_HOURS, stores)  # the first of the stores polled, and of the others the last
    count = stores + never_polled(stores) - scaled(_NEVER_POLLED_NO_HOURS, stores) - without
    weights, _ = _weeks()
    weeks = pl.Series([week for week, weight in enumerate(weights) for _ in range(weight)])
    return pl.DataFrame({"store": shuffled(count, salt) + without, "week": dealt(weeks, shuffled(count, salt + 1))})


def hours_of(some: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Write down the hours of some stores that keep a week: their rows of `menu_hours.csv`, in no order."""
    salt = salt_for(seed, "hours")
    _, rows = _weeks()
    open_days = some.with_columns(store_ids(some["store"], seed)).join(rows, on="week")
    place = open_days["store"] * 2 + (open_days["part"] & open_days["store"])
    return open_days.sort(
        words_of(place, salt), words_of(open_days["store"], salt, open_days["row"]), "store_id", "row"
    ).select("store_id", "dayOfWeek", "start_time_local", "end_time_local")


@functools.cache
def _weeks() -> tuple[list[int], pl.DataFrame]:
    """Return the weight of each week, and the rows of all, numbered; `part` is 1 at the weekend."""
    weights, rows = [], list[tuple[int, int, int, int, str, str]]()
    for week, line in enumerate(_WEEKS.strip().splitlines()):
        weight, _, days = line.partition(" ")
        weights.append(int(weight))
        parts = days.split(" | ")
        parts += parts[-1:] * (4 - len(parts))
        for day, part in enumerate(parts[:1] * 3 + parts):
            for span in part.split(",") if part != "-" else ():
                start, end = (f"{time}:00"[:8] for time in span.split("-"))
                rows.append((week, len(rows), day // 5, day, start, end))
    names = ["week", "row", "part", "dayOfWeek", "start_time_local", "end_time_local"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return weights, frame.cast({"row": pl.UInt64, "part": pl.UInt64})
