"""What weakens the figures now, as an ingestion can tell: stores without hours or a zone, ids that were spoiled."""

from collections.abc import Collection, Iterator, Sequence

import polars as pl

from storemon.intake.load import Loaded
from storemon.lake.lacking import lacking
from storemon.lake.schemas import HOURS, ZONES, Table
from storemon.lake.snapshot import LakeSnapshot

_EXAMPLES = 3
_MEANING = {
    HOURS: ("hours", "open round the clock", "menu_hours.csv"),
    ZONES: ("time zone", "in America/Chicago", "timezones.csv"),
}
_SPOILED = r"^\d\.\d+[eE]\+?\d+$|^\d[eE]\+\d+$|^\d+\.0+$"
_ROUNDED = r"^\d{15}0+$"
_NUMBER = r"^\d+(\.\d+)?(e\+?\d+)?$"


def weaknesses(snapshot: LakeSnapshot, loaded: Sequence[Loaded], unused: Collection[str]) -> tuple[str, ...]:
    """Tell in a sentence each what makes the figures of the lake doubtful, the gravest first.

    Args:
        snapshot: the lake after the ingestion.
        loaded: what the ingestion has read.
        unused: the names of files that it did not use.

    """
    polled = snapshot.stores()["store_id"]
    kept = {HOURS: snapshot.hours()["store_id"].unique(), ZONES: snapshot.zones()["store_id"].unique()}
    found = [*_spoiled({"polls": polled, "hours": kept[HOURS], "time zones": kept[ZONES]})]
    for table, ids in kept.items():
        rejected = {id_ for each in loaded if each.form.table is table for id_ in each.rejected_ids}
        found += _only_rejected(table, rejected.difference(ids))
        missing = lacking(snapshot, table)
        if len(missing):
            why = _why_none(table, unused) if ids.is_empty() else _why(table, missing, _others(ids, polled), rejected)
            found.append(_without(table, missing, len(polled), why))
    return tuple(found)


def _spoiled(ids: dict[str, pl.Series]) -> Iterator[str]:
    found = {name: each.filter(_looks_spoiled(each)) for name, each in ids.items()}
    if where := [f"{name} ({_named(each.to_list())})" for name, each in found.items() if len(each)]:
        yield (
            f"ids look like numbers that a spreadsheet rounded, in {', '.join(where)}: such ids do not tell stores "
            "apart, and match no others; export the files anew, with the ids as text"
        )


def _looks_spoiled(ids: pl.Series) -> pl.Series:
    rounded = ids.str.contains(_ROUNDED)  # by chance every tenth of 16 digits is
    return ids.str.contains(_SPOILED) | (rounded & bool(2 * rounded.sum() > len(ids)))


def _only_rejected(table: Table, ids: Collection[str]) -> Iterator[str]:
    what, meaning, _ = _MEANING[table]
    if ids:
        one = len(ids) == 1
        yield (
            f"the only rows with the {what} of {_named(ids)} were rejected, so {'it counts' if one else 'they count'} "
            f"as {meaning}: storemon rejected"
        )


def _without(table: Table, missing: pl.Series, polled: int, why: str) -> str:
    what, meaning, _ = _MEANING[table]
    verb, counts = ("has", "counts") if len(missing) == 1 else ("have", "count")
    return (
        f"{len(missing):,} of {polled:,} polled stores {verb} no {what} and {counts} as {meaning} "
        f"({_named(missing.to_list())}): {why}"
    )


def _why_none(table: Table, unused: Collection[str]) -> str:
    """Give the likeliest reason where no store has any."""
    *_, file_name = _MEANING[table]
    were = "was" if len(unused) == 1 else "were"
    return f"the lake has none at all; is {file_name} missing?" + (
        f" {', '.join(unused)} {were} not used" if unused else ""
    )


def _why(table: Table, missing: pl.Series, others: pl.Series, rejected: Collection[str]) -> str:
    """Give the likeliest reason where other stores have some; ``others`` are those that are not polled."""
    *_, file_name = _MEANING[table]
    if all(id_ in rejected for id_ in missing):
        return "all their rows were rejected"
    if pairs := _spelled_otherwise(missing, others):
        examples = ", ".join(f"{there!r} for {here!r}" for here, there in pairs[:_EXAMPLES])
        return f"{len(pairs):,} may be spelled otherwise there, {examples}"
    return f"{file_name} has no row for them"


def _others(ids: pl.Series, polled: pl.Series) -> pl.Series:
    return ids.to_frame("id").join(polled.to_frame("id"), on="id", how="anti")["id"]


def _spelled_otherwise(these: pl.Series, those: pl.Series) -> list[tuple[str, str]]:
    """Pair ids that differ by no more than case, marks, leading zeros, or how a number is written."""
    here = pl.DataFrame({"here": these}).with_columns(_essence("here"))
    there = pl.DataFrame({"there": those}).with_columns(_essence("there"))
    return here.join(there, on="essence").select("here", "there").sort("here").rows()


def _essence(name: str) -> pl.Expr:
    plain = pl.col(name).str.to_lowercase().str.replace_all(r"[\s{}()'\"_#-]", "")
    as_number = plain.str.replace_all("^0+(.)", "$1").cast(pl.Float64, strict=False).cast(pl.String)
    return pl.when(plain.str.contains(_NUMBER)).then(as_number).otherwise(plain).alias("essence")


def _named(ids: Collection[str]) -> str:
    some = ", ".join(sorted(ids)[:_EXAMPLES])
    return f"{some} and {len(ids) - _EXAMPLES:,} more" if len(ids) > _EXAMPLES else some
