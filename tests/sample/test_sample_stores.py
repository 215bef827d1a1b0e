"""The stores.csv of a sample: believable, and in line with the time zones beside it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from storemon import Lake
from storemon.sample import NEWEST_AT, write_sample
from storemon.sample.stores import _BRANDS, tagged_stores
from storemon.sample.zones import zones

TAGS = ["name", "brand", "region", "city"]


@pytest.fixture(scope="module")
def stores() -> pl.DataFrame:
    """Each store with its tags, and its zone if it has one."""
    tagged = pl.concat(tagged_stores(3_678, 1))
    assert tagged.columns == ["store_id", *TAGS]
    assert tagged.dtypes == [pl.String] * 5
    return tagged.join(pl.concat(zones(3_678, 1)), on="store_id", how="left", validate="1:1")


def test_every_store_is_there_once(stores: pl.DataFrame) -> None:
    assert len(stores) == stores["store_id"].n_unique() == 3_678 + 882
    assert stores["timezone_str"].null_count() == 1
    assert stores["name"].drop_nulls().is_unique().all()


def test_a_few_stores_lack_a_tag(stores: pl.DataFrame) -> None:
    for tag in TAGS:
        assert 0.0005 < stores[tag].null_count() / len(stores) < 0.02
    nowhere = stores.filter(pl.col("timezone_str").is_null())
    assert nowhere["region"].to_list() == nowhere["city"].to_list() == [None]


def test_a_city_has_one_region_and_one_zone(stores: pl.DataFrame) -> None:
    places = stores.drop_nulls(["city", "region"]).select("city", "region", "timezone_str").unique()
    assert places["city"].is_unique().all()
    assert len(places) > 40
    assert set(places["region"]) == {"Midwest", "Northeast", "South", "West"}
    hours_behind = {
        city: -ZoneInfo(zone).utcoffset(NEWEST_AT).total_seconds() / 3600  # type: ignore[union-attr]
        for city, _, zone in places.rows()
    }
    known = {"New York": 4, "Atlanta": 4, "Chicago": 5, "Houston": 5, "Denver": 6, "Phoenix": 7, "Seattle": 7}
    assert {city: hours_behind[city] for city in known} == known
    assert places.filter(region="Northeast")["timezone_str"].unique().to_list() == ["America/New_York"]


def test_brands_have_their_shares(stores: pl.DataFrame) -> None:
    found = dict(stores["brand"].drop_nulls().value_counts(normalize=True).iter_rows())
    assert found == pytest.approx({brand: share / 100 for brand, share in _BRANDS.items()}, abs=0.02)
    named = stores.drop_nulls(["name", "brand", "city"])
    assert named.select(pl.col("name").str.starts_with(pl.concat_str("brand", "city", separator=" "))).to_series().all()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_small_sample_goes_into_a_lake_whole(tmp_path: Path, count: int) -> None:
    summary = write_sample(tmp_path / "data", stores=count, days=1)
    lake = Lake(tmp_path / "lake")
    table = next(each for each in lake.ingest(tmp_path / "data", strict=True).tables if each.table == "tags")
    assert table.read == summary.stores == count + max(1, count * 882 // 3_678)
    written = pl.read_csv(tmp_path / "data" / "stores.csv")
    long = written.unpivot(index="store_id", variable_name="tag").drop_nulls().sort(pl.all())
    assert lake.snapshot().tags().sort(pl.all()).equals(long)
    assert len(long) < 4 * table.read
