"""The stores.csv of a sample: what each store is called, its brand, and where it is, in line with its time zone."""

from collections.abc import Iterator

import polars as pl

from storemon.sample.draws import WORDS, below, salt_for, shuffled, words_of
from storemon.sample.ids import STORES_A_CHUNK, never_polled, store_ids
from storemon.sample.zones import zoned

# How many stores, in proportion, are of which brand, and in which city of a zone.
_BRANDS = {
    "Prairie Burger": 30,
    "Rosa's Tacos": 22,
    "Bluebird Coffee": 16,
    "Golden Wok": 12,
    "Salt, Fat & Bread": 9,
    "Smokehouse 57": 7,
    "Green Bowl": 4,
}
_CITIES = """
America/Chicago | Midwest | 9 Chicago, 4 Minneapolis, 3 Milwaukee, 3 Kansas City, 3 St. Louis, 2 Omaha, 1 Madison
America/Chicago | South | 9 Houston, 8 Dallas, 5 San Antonio, 4 Austin, 3 Nashville, 2 New Orleans, 2 Memphis
America/New_York | Northeast | 9 New York, 4 Philadelphia, 3 Boston, 2 Pittsburgh, 1 Buffalo
America/New_York | South | 5 Atlanta, 4 Miami, 3 Charlotte, 2 Orlando, 2 Washington, 1 Richmond
America/New_York | Midwest | 3 Columbus, 2 Cleveland
America/Los_Angeles | West | 7 Los Angeles, 3 San Diego, 3 San Francisco, 3 Seattle, 2 Portland, 1 Las Vegas
America/Denver | West | 5 Denver, 2 Salt Lake City, 2 Albuquerque
America/Denver | South | 2 El Paso
America/Phoenix | West | 4 Phoenix, 1 Tucson
America/Indiana/Indianapolis | Midwest | 3 Indianapolis, 1 Fort Wayne
America/Boise | West | 1 Boise
America/Detroit | Midwest | 1 Detroit
Pacific/Honolulu | West | 1 Honolulu
"""
_FIRST_NUMBER = 1_000
_LACK = {"name": 400, "brand": 150, "region": 90, "city": 120}  # one store in so many lacks the tag


def tagged_stores(stores: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of `stores.csv`, a row for each store: `store_id, name, brand, region, city`, all text.

    A tag that a store lacks is null; without a zone it lacks region and city. Raises ValueError if `stores` is below 1.
    """
    zones = zoned(stores, seed)
    roll = pl.DataFrame({"store": shuffled(stores + never_polled(stores), salt_for(seed, "stores"))})
    for some in roll.join(zones, on="store", how="left", maintain_order="left").iter_slices(STORES_A_CHUNK):
        yield tagged(some, seed)


def tagged(some: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Write down the tags of some stores, `store, timezone_str`: their rows of `stores.csv`, in the same order."""
    brands = pl.Series([brand for brand, weight in _BRANDS.items() for _ in range(weight)])
    placed = _placed(some.with_columns(word=words_of(some["store"], salt_for(seed, "city"))))
    brand = brands[words_of(some["store"], salt_for(seed, "brand")) * brands.len() // WORDS]
    number = (pl.col("store") + _FIRST_NUMBER).cast(pl.String)
    named = placed.with_columns(
        name=pl.concat_str(brand, "city", number, separator=" ", ignore_nulls=True), brand=brand
    )
    lacks = {tag: words_of(some["store"], salt_for(seed, f"no {tag}")) % one_in == 0 for tag, one_in in _LACK.items()}
    tags = (pl.when(~lacks[tag]).then(pl.col(tag)).alias(tag) for tag in lacks)
    return named.select(store_ids(some["store"], seed), *tags)


def _placed(some: pl.DataFrame) -> pl.DataFrame:
    """Give each store with a zone one of its cities, by its word."""
    cities = _cities()
    counts = cities.group_by("timezone_str").len("count")
    counted = some.join(counts, on="timezone_str", how="left", maintain_order="left")
    picked = counted.with_columns(place=below(pl.col("word"), pl.col("count").cast(pl.UInt64)))
    return picked.join(cities, on=["timezone_str", "place"], how="left", maintain_order="left")


def _cities() -> pl.DataFrame:
    """List the cities of each zone, each as often as its weight: `timezone_str, region, city, place` (from 0)."""
    rows = list[tuple[str, str, str]]()
    for line in _CITIES.strip().splitlines():
        zone, region, weighted = line.split(" | ")
        for each in weighted.split(", "):
            weight, _, city = each.partition(" ")
            rows += [(zone, region, city)] * int(weight)
    cities = pl.DataFrame(rows, schema=["timezone_str", "region", "city"], orient="row")
    return cities.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt64).over("timezone_str"))
