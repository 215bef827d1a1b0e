"""The Parquet files of a large change, written one by one ahead of the commit that makes them part of a table.

The Delta library's own writer keeps every file of a commit in memory until the last row has come; here each is on disk
before the next one begins. Files whose commit never came belong to no version, and a vacuum removes them.
"""

import json
import time
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl
from deltalake.transaction import AddAction

from storemon.lake.schemas import Table

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
ROW_GROUP = 131_072
"""Rows that are read at the least where a few stores are asked for; smaller ones save nothing more."""


def written(table: Table, folder: Path, parts: Iterable[pl.DataFrame]) -> list[AddAction]:
    """Write each part, rows of one partition, to a file of its own; if one fails, none stays.

    Raises:
        OSError: a file cannot be written.

    """
    files: list[AddAction] = []
    try:
        for part in parts:
            files.append(_written(table, folder, part))  # noqa: PERF401 - what is written must be known if one fails
    except BaseException:
        for file in files:
            (folder / file.path).unlink(missing_ok=True)
        raise
    return files


def _written(table: Table, folder: Path, rows: pl.DataFrame) -> AddAction:
    partition = {name: rows[name][0] for name in table.partition_by}
    values = {name: None if value is None else str(value) for name, value in partition.items()}
    name = "/".join((*(f"{key}={value or _NO_VALUE}" for key, value in values.items()), f"{uuid.uuid4()}.parquet"))
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        rows.drop(table.partition_by).write_parquet(
            path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP
        )
    except pl.exceptions.PolarsError as error:  # a full disk, among others
        path.unlink(missing_ok=True)
        raise OSError(str(error)) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    ranged = rows.select(table.ranged)
    stats = {
        "numRecords": len(rows),
        "minValues": _as_logged(ranged.min()),
        "maxValues": _as_logged(ranged.max()),
    }
    return AddAction(name, path.stat().st_size, values, time.time_ns() // 1_000_000, True, json.dumps(stats))


def _as_logged(values: pl.DataFrame) -> dict[str, object]:
    """Write values as a table's log has them, instants rounded down to milliseconds."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if isinstance(value, datetime) else value
        for values in values.to_dicts()
        for name, value in values.items()
    }
