"""The report: a row for each store or group, measures of each window side by side; or one window as a series."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Unpack, get_args

import polars as pl

from storemon.calendar.periods import Unit
from storemon.calendar.windows import LAST_WEEK, Window
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import gather
from storemon.engine.figures import PLACE, figures
from storemon.engine.measures import Measure, Need, chosen, parse_target
from storemon.engine.question import Asked, Question, ask, require_one_of
from storemon.engine.ranges import by_range
from storemon.engine.rows import Rows, rows_of, side_by_side
from storemon.errors import InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot

DEFAULT_MEASURES = ("uptime", "downtime", "unknown")


def report(
    source: KeptLake | Snapshot,
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
    return pl.concat(
        report_by_range(
            source,
            measures=measures,
            every=every,
            group_by=group_by,
            target=target,
            versus_previous=versus_previous,
            **asked,
        )
    )


def report_by_range(
    source: KeptLake | Snapshot,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    every: Unit | None = None,
    group_by: Sequence[str] | None = None,
    target: Fraction | str | None = None,
    versus_previous: bool = False,
    **asked: Unpack[Asked],
) -> Iterator[pl.DataFrame]:
    """Compute a report as `report` does, and yield its rows as they come: one range of stores after the other."""
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
    all_asked = replace(question, windows=question.windows + before, every=every)
    rows = rows_of(snapshot, chosen_stores(snapshot, question), group_by)
    needs = frozenset(measure.need for measure in told.values())
    work = partial(_sums, needs=needs, grouped=group_by is not None)
    ranges = by_range(work, snapshot, all_asked, rows.stores)

    def tell(sums: pl.DataFrame) -> pl.DataFrame:
        try:
            if every is not None:
                return _series(sums, rows, every, told)
            return _wide(sums, rows, question.windows, told, versus=versus_previous)
        except pl.exceptions.InvalidOperationError as error:
            raise InputError(
                "a sum of times is longer than 292,000 years, the most that can be told; ask for fewer stores at once, "
                "or for a shorter window"
            ) from error

    return map(tell, ranges if group_by is None else [_added_up(pl.concat(ranges))])


def _sums(
    snapshot: Snapshot, question: Question, stores: pl.DataFrame, *, needs: frozenset[Need], grouped: bool
) -> pl.DataFrame:
    """Compute the sums of a range of stores in their rows of the answer: ``window, row, bucket`` and sums, in order."""
    # Whether an outage goes on after its window, the polls up to as-of tell.
    with gather(snapshot, question, stores=stores, to_as_of="outages" in needs) as facts:
        sums = figures(facts, question.policy, needs).drop("part", "store_key")
        shown_twice = facts.windows.select("window", "zone_key", "bucket").is_duplicated().any()
    return _added_up(sums) if grouped or shown_twice else sums.sort(PLACE)


def _added_up(sums: pl.DataFrame) -> pl.DataFrame:
    """Add up what meets in one row, window and bucket."""
    longest = [pl.col("longest_us").max()] * ("longest_us" in sums.columns)
    return sums.group_by(PLACE).agg(pl.exclude("longest_us").cast(pl.Int128).sum(), *longest).sort(PLACE)


def _wide(
    sums: pl.DataFrame, rows: Rows, windows: Sequence[Window], told: dict[str, Measure], *, versus: bool
) -> pl.DataFrame:
    places = len(windows) * (2 if versus else 1)
    count = len(sums) // places
    values = [measure.value.alias(name) for name, measure in told.items()]
    by_window = [sums[place * count : (place + 1) * count].select(values) for place in range(places)]
    columns = rows.named(sums["row"].head(count))
    for name in told:
        for place, window in enumerate(windows):
            now = by_window[place][name].alias(f"{name}_{window.name}")
            columns.append(now)
            if versus:
                before = by_window[len(windows) + place][name]
                columns += [before.alias(f"{now.name}_previous"), (now - before).alias(f"{now.name}_change")]
    return side_by_side(columns)


def _series(sums: pl.DataFrame, rows: Rows, every: Unit, told: dict[str, Measure]) -> pl.DataFrame:
    begins = sums["bucket"] if every == "hour" else sums["bucket"].cast(pl.Date)
    values = sums.select(measure.value.alias(name) for name, measure in told.items())
    return side_by_side([*rows.named(sums["row"]), begins.alias(every), *values])
