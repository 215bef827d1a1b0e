"""Small files merged while polls come in: what many small commits leave, of today as of any other day.

The files of a day are of levels by their polls, each level of `_OF_A_LEVEL` times as many as the one below. Once that
many are of one level they become one of a higher, along with all that is lower. So a day of n polls is in some
``_OF_A_LEVEL * log n`` files, and a poll is written ``log n`` times.
"""

import polars as pl

from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables
from storemon.lake.upkeep import AT_LEAST, compact, merge

_OF_A_LEVEL = 6
_LARGE = 1_000_000
"""Polls of a file that is not merged before its day is closed: a second's work."""


def merge_small(tables: Tables) -> int:
    """Merge the small files of each day, and of the roster, that are too many; to be called after each small commit.

    A closed day that is in many files all the same is merged wholly, one at a time, as after any ingestion.

    Returns:
        How many files were merged.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: a file of the polls is lost or damaged, or the lake cannot be written.

    """
    tables.keep_log_short(tables.open(POLLS))
    merged = 0
    for (day,), files in _too_many(tables.open(POLLS).files).group_by("polled_on"):
        merge(tables, day, files["path"])
        merged += len(files)
    return merged + compact(tables, at_least=AT_LEAST, at_most=1).files


def _too_many(files: pl.DataFrame) -> pl.DataFrame:
    """Choose files to merge: ``polled_on, path``; of each day all up to the highest level that has too many."""
    first = files.filter(pl.col("decisive").fill_null(value=True))
    many = first.filter(pl.len().over("polled_on") >= _OF_A_LEVEL)
    if many.is_empty():
        return many.select("polled_on", "path")
    others = _others_of(many, files.filter(~pl.col("decisive")))
    sized = many.join(
        others.group_by("with").agg(others=pl.col("rows").sum()), left_on="path", right_on="with", how="left"
    ).with_columns(all=pl.col("rows") + pl.col("others").fill_null(0))
    small = sized.filter(pl.col("all") < _LARGE).with_columns(
        level=pl.col("all").cast(pl.Float64).log(_OF_A_LEVEL).floor()
    )
    counted = small.with_columns(like=pl.len().over("polled_on", "level"))
    highest = pl.col("level").filter(pl.col("like") >= _OF_A_LEVEL).max().over("polled_on")
    chosen = counted.filter(pl.col("level") <= highest)
    with_them = others.filter(pl.col("with").is_in(chosen["path"].implode()))
    return pl.concat([chosen.select("polled_on", "path"), with_them.select("polled_on", "path")]).unique()


def _others_of(decisive: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Find the files of other polls that lie ``with`` each decisive one: within its stores and its time.

    Those that it came with are among them. One more does no harm: what it came with overlaps the merged file then, and
    where files overlap every poll is read.
    """
    ends = [f"{end}.{name}" for end in ("min", "max") for name in POLLS.ranged]
    both = others.join(decisive.select("polled_on", "path", *ends), on="polled_on", suffix=".of")
    return both.filter(
        pl.col(f"min.{name}.of").le(pl.col(f"min.{name}")) & pl.col(f"max.{name}.of").ge(pl.col(f"max.{name}"))
        for name in POLLS.ranged
    ).rename({"path.of": "with"})
