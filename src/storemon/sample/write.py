"""A sample's files: all or none of them."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from storemon.sample.hours import hours
from storemon.sample.polls import as_text, polls
from storemon.sample.stores import tagged_stores
from storemon.sample.zones import zones


class SampleSummary(NamedTuple):
    """Rows written to each file, without its header."""

    polls: int
    hours: int
    zones: int
    stores: int


def write_sample(
    folder: Path, *, stores: int = 3678, days: int = 60, seed: int = 1, hourly: bool = False
) -> SampleSummary:
    """Write `stores.csv`, `timezones.csv`, `menu_hours.csv` and `store_status.csv` into `folder`, made if missing.

    `stores` stores are polled over the `days` days that end at NEWEST_AT: every two or three hours with gaps of up to
    20 hours, or `hourly`, in each hour of each store's time. Each file appears by atomic rename when all
    four are complete, the polls last; a failure before that changes none. Raises ValueError if `stores` or `days` is
    below 1 and OSError if the folder cannot be written.
    """
    files = {
        "stores.csv": tagged_stores(stores, seed),
        "timezones.csv": zones(stores, seed),
        "menu_hours.csv": hours(stores, seed),
        "store_status.csv": map(as_text, polls(stores, days, seed, hourly=hourly)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: folder / f".{name}.{secrets.token_hex(4)}.part" for name in files}
    try:
        rows = {name: _write(parts[name], frames) for name, frames in files.items()}
        for name, part in parts.items():
            part.replace(folder / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return SampleSummary(
        polls=rows["store_status.csv"],
        hours=rows["menu_hours.csv"],
        zones=rows["timezones.csv"],
        stores=rows["stores.csv"],
    )


def _write(path: Path, frames: Iterable[pl.DataFrame]) -> int:
    """Write the frames to a new CSV file and return the count of their rows."""
    rows = 0
    with path.open("xb") as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0)
            rows += frame.height
    return rows
