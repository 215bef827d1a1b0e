"""The report: a row for each store or group, measures of each window side by side; or one window as a series."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Unpack, get_args

import polars as pl

from storemon.engine.calendar import Unit
from storemon.engine.facts import Facts, gather
from storemon.engine.figures import figures
from storemon.engine.measures import Measure, chosen, parse_target
from storemon.engine.question import Asked, ask, require_one_of
from storemon.engine.tags import with_tags
from storemon.engine.windows import LAST_WEEK, Window
from storemon.errors import InputError
from storemon.lake.lake import Lake
from storemon.lake.snapshot import Snapshot

DEFAULT_MEASURES = ("uptime", "downtime", "unknown")


def report(
    source: Lake | Snapshot,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    every: Unit | None = None,
    group_by: Sequence[str] | None = None,
    target: Fraction | str | None = None,
    versus_previous: bool = False,
    **asked: Unpack[Asked],
) -> pl.DataFrame:
    """Compute measures of each store, or of groups of stores, in windows; by default those of the seven columns.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        measures: what to tell, by the names in `storemon.engine.measures.MEASURES`.
        every: cuts the one window (by default the last week) into local hours, days, weeks or months: a series.
        group_by: tags; a row for each group of stores with the same values. No tags at all: one row for all stores.
        target: an availability in percent, as text like ``99.5``, or as a fraction; adds ``budget``, ``spent``,
            ``left`` and ``burn_rate``.
        versus_previous: adds each measure of the window before, and the change since.
        **asked: ``as_of``, ``windows``, ``carry_limit``, ``policy`` and ``where``: see
            `storemon.engine.question.Asked`.

    Returns:
        In order: ``store_id``, or the tags and ``stores``, how many there are in the group; the local beginning of each
        part of a series, named by its unit; and the measures: ``uptime_last_hour`` and so on, plainly ``uptime`` in a
        series, with ``_previous`` and ``_change`` behind. Lengths of time are exact, in whole microseconds; percentages
        are rounded down to two decimals. Only stores with a poll at or before ``as_of`` are told of.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known, or does not go together.
        LakeError: the lake can't be read.

    """
    if every is not None:
        require_one_of(every, get_args(Unit), "unit")
        asked.setdefault("windows", [LAST_WEEK])
    snapshot, question = ask(source, **asked)
    if every is not None and (len(question.windows) > 1 or versus_previous):
        raise InputError(
            "a series cuts one window, and compares it with none; leave one window, or leave out the series"
        )
    told = chosen(measures, parse_target(target) if isinstance(target, str) else target)
    before = tuple(replace(window, back=window.back + 1) for window in question.windows) if versus_previous else ()
    needs = {measure.need for measure in told.values()}
    all_asked = replace(question, windows=question.windows + before, every=every)
    # Whether an outage goes on after its window, the polls up to as-of tell.
    with gather(snapshot, all_asked, to_as_of="outages" in needs) as facts:
        sums = figures(facts, question.policy, needs)
        rows = _rows(facts, group_by)
        placed = _placed(sums, facts.windows, rows, grouped=group_by is not None or every is not None)
    if every is not None:
        return _series(placed, rows, every, told)
    return _side_by_side(placed, rows, question.windows, told, versus=versus_previous)


def _rows(facts: Facts, group_by: Sequence[str] | None) -> pl.DataFrame:
    """Tell in which row of the answer each store is: ``store_key, row``, and the columns that name the row."""
    if group_by is None:
        return facts.stores.select("store_key", pl.int_range(pl.len(), dtype=pl.Int32).alias("row"), "store_id")
    tagged = with_tags(facts.stores.select("store_key", "store_id"), facts.snapshot.tags(), list(group_by))
    groups = tagged.group_by(group_by or pl.lit(0).alias("all")).agg(pl.len().alias("stores"))
    groups = groups.select(*group_by, "stores")
    groups = groups.sort(list(group_by)) if group_by else groups
    groups = groups.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int32))
    joined = tagged.join(groups, on=list(group_by)) if group_by else tagged.join(groups, how="cross")
    return joined.select("store_key", "row", *group_by, "stores")


def _placed(sums: pl.DataFrame, windows: pl.DataFrame, rows: pl.DataFrame, *, grouped: bool) -> pl.DataFrame:
    """Put sums in their row of the answer, in the order of windows, rows and buckets; and add up what meets there."""
    placed = sums.join(windows.select("part", "window", "bucket"), on="part").join(
        rows.select("store_key", "row"), on="store_key"
    )
    place = ["window", "row", "bucket"]
    if grouped:
        totals = pl.exclude("part", "store_key", "longest_us").sum()
        placed = placed.group_by(place).agg(totals, *[pl.col("longest_us").max()] * ("longest_us" in placed.columns))
    return placed.sort(place)


def _side_by_side(
    placed: pl.DataFrame, rows: pl.DataFrame, windows: Sequence[Window], told: dict[str, Measure], *, versus: bool
) -> pl.DataFrame:
    names = rows.drop("store_key").unique("row").sort("row").drop("row")
    count = len(names)
    values = [measure.value.alias(name) for name, measure in told.items()]
    places = range(len(windows) * (2 if versus else 1))
    by_window = [placed[place * count : (place + 1) * count].select(values) for place in places]
    columns = names.get_columns()
    for name in told:
        for place, window in enumerate(windows):
            now = by_window[place][name].alias(f"{name}_{window.name}")
            columns.append(now)
            if versus:
                before = by_window[len(windows) + place][name]
                columns += [before.alias(f"{now.name}_previous"), (now - before).alias(f"{now.name}_change")]
    try:
        return pl.DataFrame(columns)
    except pl.exceptions.DuplicateError as error:
        raise InputError(f"two columns have one name; give the window or the tag another: {error}") from error


def _series(placed: pl.DataFrame, rows: pl.DataFrame, every: Unit, told: dict[str, Measure]) -> pl.DataFrame:
    names = rows.drop("store_key").unique("row")
    begins = pl.col("bucket") if every == "hour" else pl.col("bucket").cast(pl.Date)
    named = placed.join(names, on="row", maintain_order="left")
    return named.select(
        *names.drop("row").columns, begins.alias(every), *(measure.value.alias(name) for name, measure in told.items())
    )
