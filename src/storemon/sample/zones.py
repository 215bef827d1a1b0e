"""The timezones.csv of a sample: the real proportions of zones."""

from collections.abc import Iterator

import polars as pl

from storemon.sample.draws import dealt, salt_for, shuffled, upto
from storemon.sample.ids import REAL, STORES_A_CHUNK, never_polled, require, store_ids

_ZONES = {
    "America/Chicago": 3003,
    "America/New_York": 1119,
    "America/Los_Angeles": 209,
    "America/Denver": 114,
    "America/Phoenix": 59,
    "America/Indiana/Indianapolis": 44,
    "America/Boise": 7,
    "America/Detroit": 2,
    "Pacific/Honolulu": 2,
}


def zones(stores: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of `timezones.csv`, one for each store with a zone, grouped by zone; both columns are text.

    Raises ValueError if `stores` is below 1.
    """
    for some in zoned(stores, seed).iter_slices(STORES_A_CHUNK):
        yield zones_of(some, seed)


def zones_of(some: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Write down the zones of some stores, `store, timezone_str`: their rows of `timezones.csv`, in the same order."""
    return some.select(store_ids(some["store"], seed), "timezone_str")


def zoned(stores: int, seed: int) -> pl.DataFrame:
    """Give each store a zone, but for the first few: `store, timezone_str`, grouped by zone.

    Raises ValueError if `stores` is below 1.
    """
    require(stores=stores)
    names = pl.Series([name for name, weight in _ZONES.items() for _ in range(weight)])
    placed = shuffled(stores + never_polled(stores), salt_for(seed, "zones"))
    placed = placed.filter(placed >= max(1, stores // REAL))
    return pl.DataFrame({"store": placed, "timezone_str": dealt(names, upto(placed.len()))})
