"""The Parquet files of a change, written one by one ahead of the commit that makes them part of a table.

The Delta library's own writer keeps every file of a commit in memory until the last row has come; here each goes to its
place as soon as it can. Files whose commit never came belong to no version, and a vacuum removes them.
"""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import polars as pl
from deltalake.transaction import AddAction, RemoveAction

from storemon.lake.files import Files
from storemon.lake.place import Place
from storemon.lake.schemas import Table

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
ROW_GROUP = 131_072
"""Rows that are read at the least where a few stores are asked for; smaller ones save nothing more."""
_SMALL = 250_000
"""Rows of a part that may wait its turn in memory, a few megabytes, while the next ones are made."""
_WAITING = 4


def written(table: Table, place: Place, parts: Iterable[pl.DataFrame]) -> list[AddAction]:
    """Write each part, rows of one partition, to a file of its own in the table's place; if one fails, none stays.

    Small ones are written while the next ones are made.

    Raises:
        OSError: a file cannot be written.

    """
    files: list[Future[AddAction]] = []
    with ThreadPoolExecutor(1) as writer:
        try:
            for part in parts:
                files.append(writer.submit(_written, table, place, part))
                behind = _WAITING if len(part) <= _SMALL else 1
                if len(files) >= behind:
                    files[-behind].result()
            return [file.result() for file in files]
        except BaseException:
            for file in files:
                if not file.exception():
                    Files(place).remove(file.result().path)
            raise


def removal(table: Table, place: Place, file: Mapping[str, Any], *, same_rows: bool) -> RemoveAction:
    """Say that a file, one row of `storemon.lake.tables.Opened.files`, is no longer part of the table.

    Its rows are, all the same, if others have the ``same_rows``.
    """
    values = {name: _text(file[name]) for name in table.partition_by}
    return RemoveAction(file["path"].removeprefix(f"{place}/"), not same_rows, _now(), file["size"], values)


def _written(table: Table, place: Place, rows: pl.DataFrame) -> AddAction:
    values = {name: _text(rows[name][0]) for name in table.partition_by}
    path = "/".join((*(f"{name}={value or _NO_VALUE}" for name, value in values.items()), f"{uuid.uuid4()}.parquet"))
    try:
        size = _save(place, path, rows.drop(table.partition_by))
    except BaseException as error:
        Files(place).remove(path)
        if isinstance(error, pl.exceptions.PolarsError):  # a full disk, among others
            raise OSError(str(error)) from error
        raise
    ranged = rows.select(table.ranged)
    stats = {"numRecords": len(rows), "minValues": _as_logged(ranged.min()), "maxValues": _as_logged(ranged.max())}
    return AddAction(path, size, values, _now(), True, json.dumps(stats))


def _save(place: Place, path: str, rows: pl.DataFrame) -> int:
    """Write a Parquet file, and tell its size in bytes."""
    if place.folder:
        (place.folder / path).parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(
        str(place / path),
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP,
        storage_options=place.reading,
    )
    return Files(place).size(path)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _text(value: object) -> str | None:
    """Write the value of a partition as a table's log has it."""
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


def _as_logged(values: pl.DataFrame) -> dict[str, object]:
    """Write values as a table's log has them, instants rounded down to milliseconds."""
    return {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if isinstance(value, datetime) else value
        for values in values.to_dicts()
        for name, value in values.items()
    }
