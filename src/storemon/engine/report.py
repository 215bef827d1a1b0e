"""The report: a row for each store or group, measures of each window side by side; or one window as a series."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Unpack, get_args

import polars as pl

from storemon.engine.calendar import Unit
from storemon.engine.facts import gather
from storemon.engine.figures import figures
from storemon.engine.measures import Measure, chosen, parse_target
from storemon.engine.question import Asked, ask, require_one_of
from storemon.engine.rows import Rows, rows_of, side_by_side
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
        target: an availability in percent, as text like ``99.5``, or as a fraction like 199/200; adds ``budget``,
            ``spent``, ``left`` and ``burn_rate``.
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
        rows = rows_of(facts, group_by)
        placed = _placed(sums, facts.windows, rows, grouped=group_by is not None)
    try:
        if every is not None:
            return _series(placed, rows, every, told)
        return _wide(placed, rows, question.windows, told, versus=versus_previous)
    except pl.exceptions.InvalidOperationError as error:
        raise InputError(
            "a sum of times is longer than 292,000 years, the most that can be told; ask for fewer stores at once, or "
            "for a shorter window"
        ) from error


def _placed(sums: pl.DataFrame, windows: pl.DataFrame, rows: Rows, *, grouped: bool) -> pl.DataFrame:
    """Put sums in their row of the answer, in the order of windows, rows and buckets; and add up what meets there."""
    placed = sums.join(windows.select("part", "window", "bucket"), on="part").join(rows.places, on="store_key")
    place = ["window", "row", "bucket"]
    shown_twice = windows.select("window", "zone_key", "bucket").is_duplicated().any()
    if grouped or shown_twice:
        totals = pl.exclude("part", "store_key", "longest_us").cast(pl.Int128).sum()
        placed = placed.group_by(place).agg(totals, *[pl.col("longest_us").max()] * ("longest_us" in placed.columns))
    return placed.sort(place)


def _wide(
    placed: pl.DataFrame, rows: Rows, windows: Sequence[Window], told: dict[str, Measure], *, versus: bool
) -> pl.DataFrame:
    count = len(rows.names[0])
    values = [measure.value.alias(name) for name, measure in told.items()]
    places = range(len(windows) * (2 if versus else 1))
    by_window = [placed[place * count : (place + 1) * count].select(values) for place in places]
    columns = [*rows.names]
    for name in told:
        for place, window in enumerate(windows):
            now = by_window[place][name].alias(f"{name}_{window.name}")
            columns.append(now)
            if versus:
                before = by_window[len(windows) + place][name]
                columns += [before.alias(f"{now.name}_previous"), (now - before).alias(f"{now.name}_change")]
    return side_by_side(columns)


def _series(placed: pl.DataFrame, rows: Rows, every: Unit, told: dict[str, Measure]) -> pl.DataFrame:
    begins = placed["bucket"] if every == "hour" else placed["bucket"].cast(pl.Date)
    values = placed.select(measure.value.alias(name) for name, measure in told.items())
    return side_by_side([*rows.named(placed["row"]), begins.alias(every), *values])
