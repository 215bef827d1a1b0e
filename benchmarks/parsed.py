"""The sample's CSVs as the usual way would hold them in memory; how they are read is not timed."""

from datetime import datetime, time
from pathlib import Path

import polars as pl

from benchmarks.plain_python import Store


def parsed_stores(data: Path, store_ids: list[str]) -> list[Store]:
    """Read these stores' polls, hours and zones."""
    stores = {store_id: Store(store_id) for store_id in store_ids}
    for store_id, status, written in _rows(data / "store_status.csv", store_ids):
        polled_at = datetime.fromisoformat(written.replace(" UTC", "+00:00"))
        stores[store_id].polls.append((polled_at, status == "active"))
    for store_id, weekday, opens, closes in _rows(data / "menu_hours.csv", store_ids):
        stores[store_id].hours.append((int(weekday), time.fromisoformat(opens), time.fromisoformat(closes)))
    for store_id, zone in _rows(data / "timezones.csv", store_ids):
        stores[store_id].zone = zone
    return list(stores.values())


def _rows(file: Path, store_ids: list[str]) -> list[tuple[str, ...]]:
    rows = pl.scan_csv(file, infer_schema=False).filter(pl.col("store_id").is_in(store_ids))
    return rows.collect().rows()
