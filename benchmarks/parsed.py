"""The CSVs of some stores, and how the usual way reads them: line by line with the csv module."""

import csv
from datetime import datetime, time
from pathlib import Path

import polars as pl

from benchmarks.plain_python import Store

FILES = ("store_status.csv", "menu_hours.csv", "timezones.csv")


def write_some(data: Path, folder: Path, store_ids: list[str]) -> None:
    """Write the rows of these stores, as they stand in ``data``, into the same files in ``folder``."""
    for file in FILES:
        rows = pl.scan_csv(data / file, infer_schema=False).filter(pl.col("store_id").is_in(store_ids))
        rows.collect().write_csv(folder / file)


def parsed_stores(data: Path) -> list[Store]:
    """Read all stores' polls, hours and zones."""
    polls, hours, zones = (_rows(data / file) for file in FILES)
    stores: dict[str, Store] = {}
    for store_id, status, written in polls:
        polled_at = datetime.fromisoformat(written.replace(" UTC", "+00:00"))
        stores.setdefault(store_id, Store(store_id)).polls.append((polled_at, status == "active"))
    for store_id, weekday, opens, closes in hours:
        stores[store_id].hours.append((int(weekday), time.fromisoformat(opens), time.fromisoformat(closes)))
    for store_id, zone in zones:
        stores[store_id].zone = zone
    return list(stores.values())


def _rows(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.reader(lines))[1:]
