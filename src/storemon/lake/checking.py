"""Whether the files of a lake are there: what is lost or cut short is found before an answer needs it."""

import os
from datetime import date

import polars as pl

from storemon.errors import LakeError
from storemon.lake.schemas import POLLS
from storemon.lake.snapshot import LakeSnapshot
from storemon.lake.tables import Opened

_MARK = b"PAR1"
"""What a Parquet file ends with."""


def require_files(snapshot: LakeSnapshot, since: date) -> None:
    """Open the files of every table, of the polls those of the UTC days from ``since`` on, and look at their ends.

    In object storage, where each look is a request, that is done with the newest file of each table only.

    Raises:
        LakeError: a file is lost or cut short, or may not be read.

    """
    for opened in snapshot.opened.values():
        files = opened.files
        if opened.table is POLLS:
            files = files.filter(pl.col("polled_on").is_null() | (pl.col("polled_on") >= since)).sort("polled_on")
        if opened.place.folder is None:
            _require_newest(opened, files)
            continue
        for path, size in files.select("path", "size").iter_rows():
            _require(opened, path, size)


def _require(opened: Opened, path: str, size: int) -> None:
    with opened.reading(), open(path, "rb", buffering=0) as file:  # noqa: PTH123 - there may be thousands
        found = file.seek(0, os.SEEK_END)
        file.seek(-min(found, len(_MARK)), os.SEEK_END)
        is_whole = found == size and file.read() == _MARK
    if not is_whole:
        raise LakeError(
            f"{opened.place}: a file of the table is damaged: {path} has {found} bytes of {size}, or others than were "
            "written; take it from a backup"
        )


def _require_newest(opened: Opened, files: pl.DataFrame) -> None:
    if not files.is_empty():
        with opened.reading():
            pl.read_parquet_metadata(files["path"][-1], storage_options=opened.place.reading)
