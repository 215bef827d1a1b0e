"""Single rows of the maintenance: added and taken back, without the rest of the file."""

import csv
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from storemon.errors import InputError
from storemon.intake.forms.known import MAINTENANCE_FORM
from storemon.intake.load import load
from storemon.intake.whole import replace
from storemon.lake.retrying import retrying
from storemon.lake.schemas import MAINTENANCE
from storemon.lake.tables import Tables

_DIGITS = 16


def with_ids(maintenance: pl.DataFrame) -> pl.DataFrame:
    """Put an ``id`` before the columns of maintenance: what a row says, in a few characters."""
    ids = [_id(*row) for row in maintenance.select("store_id", "starts_at", "ends_at", "reason").rows()]
    return maintenance.select(pl.Series("id", ids, dtype=pl.String), pl.all())


def add_maintenance(tables: Tables, row: tuple[str, str, str, str]) -> str:
    """Add one maintenance, and give its id; one that is there already stays once.

    Args:
        tables: the lake's tables.
        row: store_id (``*`` is every store), the instants of its start and its end as in maintenance.csv, and a reason.

    Raises:
        ConflictError: other writers were faster, again and again.
        InputError: it can't be read; the text says why, as for a row of maintenance.csv.
        LakeError: the table can't be read or written.

    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / MAINTENANCE_FORM.file_name
        with file.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([MAINTENANCE_FORM.columns, row])
        read = load(file, now=datetime.now(UTC), form=MAINTENANCE_FORM)
        if read.reasons:
            raise InputError("; ".join(read.reasons))
        (new,) = read.accepted.read().cast({"store_id": pl.String}).select(MAINTENANCE.schema.names()).rows()
    _change(tables, lambda rows: pl.concat([rows, pl.DataFrame([new], schema=MAINTENANCE.schema, orient="row")]))
    return _id(*new)


def remove_maintenance(tables: Tables, maintenance_id: str) -> bool:
    """Take one maintenance back. Tell whether there was one with this id.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the table can't be read or written.

    """
    before, after = _change(tables, lambda rows: rows.filter(with_ids(rows)["id"] != maintenance_id))
    return after < before


def _change(tables: Tables, change: Callable[[pl.DataFrame], pl.DataFrame]) -> tuple[int, int]:
    """Replace the table's rows, and give how many there were and are."""

    def attempt() -> tuple[int, int]:
        read = tables.open(MAINTENANCE)
        rows = change(read.read())
        replace(tables, read, MAINTENANCE_FORM, rows.cast(MAINTENANCE_FORM.schema))
        return len(read.read()), len(rows)

    return retrying(attempt)


def _id(store_id: str, starts_at: datetime, ends_at: datetime, reason: str) -> str:
    told = f"{store_id}\0{starts_at.isoformat()}\0{ends_at.isoformat()}\0{reason}"
    return hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
