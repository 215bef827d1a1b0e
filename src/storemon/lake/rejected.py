"""The rows that could not be read: what is kept of each file's last ingestion, until it is cleared."""

from collections.abc import Callable, Iterator

import polars as pl

from storemon.lake.retrying import retrying
from storemon.lake.schemas import REJECTED
from storemon.lake.tables import Opened, Tables

_IDENTITY = ["file", "line", "row", "reason"]
_SMALL, _MANY_FILES = 100_000, 32  # rows of a file that is merged with so many others


def replace_rejected(tables: Tables, file: str, pieces: Callable[[], Iterator[pl.DataFrame]]) -> None:
    """Keep these rejected rows of a file in place of those that were kept of it before.

    Args:
        tables: the lake's tables.
        file: the file's name.
        pieces: gives the new rows, in the table's columns, piece by piece; each time anew.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the table cannot be read or written.

    """

    def attempt() -> None:
        read = tables.open(REJECTED)
        old = _files_with(read, pl.col("file") == file)
        if _is_same(read, old, file, pieces):
            return
        files = tables.write(read, (*_others(read, old, pl.col("file") != file), *(p for p in pieces() if len(p))))
        if files or len(old):
            tables.commit(read, files, instead_of=old)

    retrying(attempt)


def append_rejected(tables: Tables, rows: pl.DataFrame) -> int:
    """Keep rejected rows beside those that were kept before; one of the same file and line is kept once.

    Small files are merged on the way, once there are many: so the table stays quick however often rows come.

    Args:
        tables: the lake's tables.
        rows: in the table's columns.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the table cannot be read or written.

    """
    place = ["file", "line"]

    def attempt() -> int:
        read = tables.open(REJECTED)
        with read.reading():
            kept = read.scan(read.files["path"].to_list()).select(place)
            known = kept.join(rows.lazy(), on=place, how="semi").collect(engine="streaming")
        new = rows.unique(place, keep="first", maintain_order=True).join(known, on=place, how="anti")
        if new.is_empty():
            return 0
        small = read.files.filter(pl.col("rows") < _SMALL)
        old = small if len(small) >= _MANY_FILES else small.clear()
        with read.reading():
            there = read.scan(old["path"].to_list()).collect()
        tables.commit(read, tables.write(read, [pl.concat([there, new])]), instead_of=old)
        return len(new)

    return retrying(attempt)


def clear_rejected(tables: Tables, file: str | None = None) -> int:
    """Let go of the rejected rows of a file, by default of all, and tell how many there were.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the table cannot be read or written.

    """
    condition = pl.lit(True) if file is None else pl.col("file") == file

    def attempt() -> int:
        read = tables.open(REJECTED)
        old = _files_with(read, condition)
        if old.is_empty():
            return 0
        count = _count(read, old, condition)
        tables.commit(read, tables.write(read, _others(read, old, ~condition)), instead_of=old)
        return count

    return retrying(attempt)


def _files_with(read: Opened, condition: pl.Expr) -> pl.DataFrame:
    """Pick the Parquet files of the table that have such rows; as a rule there are none, which one look tells."""
    if not _count(read, read.files, condition):
        return read.files.clear()
    return read.files.filter([_count(read, one, condition) > 0 for one in read.files.iter_slices(1)])


def _count(read: Opened, files: pl.DataFrame, condition: pl.Expr) -> int:
    with read.reading():
        counted = read.scan(files["path"].to_list()).filter(condition).select(pl.len()).collect(engine="streaming")
    return int(counted.item())


def _others(read: Opened, files: pl.DataFrame, condition: pl.Expr) -> Iterator[pl.DataFrame]:
    """Give the rows that stay of some files, one after the other."""
    for path in files["path"]:
        with read.reading():
            rows = read.scan([path]).filter(condition).collect()
        if len(rows):
            yield rows


def _is_same(read: Opened, old: pl.DataFrame, file: str, pieces: Callable[[], Iterator[pl.DataFrame]]) -> bool:
    """Tell whether the table has these rows of the file, and no others."""
    there = read.scan(old["path"].to_list()).filter(pl.col("file") == file).select(_IDENTITY)
    count = 0
    for piece in pieces():
        with read.reading():
            known = there.join(piece.lazy(), on=_IDENTITY, how="semi").select(pl.len()).collect(engine="streaming")
        if known.item() < len(piece):
            return False
        count += len(piece)
    return count == _count(read, old, pl.col("file") == file)
