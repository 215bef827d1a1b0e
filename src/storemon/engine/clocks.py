"""The clocks of each store, and the time between two instants by them: a subtraction.

The business clock shows the open time before an instant; the active and the inactive clock show how much of that was
spent in the state. A state's clock goes along with the business clock from where the state begins, and stands still
from where it ends: a beginning at ``c`` on the business clock adds the business clock less ``c`` to all that comes, an
end takes that away again. So two running sums over the changes of state give its clock at any instant.
"""

import polars as pl

from storemon.engine.line import Line

_STATES = {"active": True, "inactive": False}


def open_time(parts: pl.DataFrame, intervals: pl.DataFrame) -> pl.Series:
    """Tell how much of each part lies in the intervals; both as for `time_in_states`. Microseconds, part by part."""
    edges = _edges(parts)
    line = Line.through(edges, intervals.select("store_key", instant="opens_at"))
    marks = edges.with_row_index("edge").with_columns(line.place("instant")).sort("at")
    clock = _with_business_clock(marks, intervals, line).sort("edge")["clock_us"]
    return clock.tail(len(parts)) - clock.head(len(parts))


def reached(marks: pl.DataFrame, intervals: pl.DataFrame) -> pl.Series:
    """Tell when a store will have been open for so long: the first such instant, null where the intervals end before.

    Args:
        marks: ``store_key, since, lasts_us``: from an instant on, and for how long, which is not zero.
        intervals: as for `time_in_states`.

    Returns:
        Instants, mark by mark.

    """
    line = Line.through(marks.select("store_key", instant="since"), intervals.select("store_key", instant="opens_at"))
    numbered = marks.with_row_index("mark").with_columns(instant="since").with_columns(line.place("instant")).sort("at")
    shown = _with_business_clock(numbered, intervals, line).select(
        "mark", "store_key", instant=pl.col("clock_us") + pl.col("lasts_us")
    )
    # The clocks of all stores, each after the one before, are a line as the instants are. An interval reaches a reading
    # of the clock if it had not been reached when the store opened.
    readings = intervals.select("store_key", "opens_at", "closes_at", "clock_us", instant="clock_us")
    line = Line.through(shown, readings)
    readings = readings.with_columns(line.place("instant")).select(
        "at", "opens_at", "closes_at", "clock_us", key="store_key"
    )
    found = (
        shown.with_columns(line.place("instant"))
        .sort("at")
        .join_asof(readings, on="at", allow_exact_matches=False, check_sortedness=False)
    )
    reached_at = pl.col("opens_at") + pl.col("instant") - pl.col("clock_us")
    is_own = (pl.col("store_key") == pl.col("key")) & (reached_at <= pl.col("closes_at"))
    return found.select("mark", reached_at=pl.when(is_own).then(reached_at)).sort("mark")["reached_at"]


def time_in_states(parts: pl.DataFrame, intervals: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Tell how much of each part is open, and for how long of that the state is active, inactive and unknown.

    Args:
        parts: ``store_key, starts_at, ends_at``: from one instant to another. A store may have any number.
        intervals: ``store_key, opens_at, closes_at, clock_us``: open intervals with the business clock at their start,
            as `storemon.calendar.schedule.with_clock` gives them.
        changes: ``store_key, instant, was, becomes``: where a state ends and another begins, in any order: active, or
            null for unknown, as it is before a store's first change.

    Returns:
        ``service_us, uptime_us, downtime_us, unknown_us``, part by part in their order.

    """
    edges = _edges(parts)
    line = Line.through(edges, changes, intervals.select("store_key", instant="opens_at"))
    turns = (_is(state, "becomes") - _is(state, "was") for state in _STATES)
    marks = [
        changes.select("store_key", "instant", **dict(zip(_STATES, turns, strict=True))),
        edges.with_row_index("edge"),
    ]
    # A change and an edge at one instant may come in any order: between them no time passes.
    in_order = pl.concat(marks, how="diagonal").with_columns(line.place("instant")).sort("at")
    clocks = _with_state_clocks(_with_business_clock(in_order, intervals, line)).drop_nulls("edge").sort("edge")
    starts, ends = clocks.head(len(parts)), clocks.tail(len(parts))
    service, uptime, downtime = (ends[name] - starts[name] for name in ("clock_us", *_STATES))
    unknown = service - uptime - downtime
    return pl.DataFrame({"service_us": service, "uptime_us": uptime, "downtime_us": downtime, "unknown_us": unknown})


def _edges(parts: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([parts.select("store_key", instant=edge) for edge in ("starts_at", "ends_at")])


def _is(state: str, name: str) -> pl.Expr:
    return pl.col(name).eq_missing(_STATES[state]).cast(pl.Int64)


def _with_business_clock(marks: pl.DataFrame, intervals: pl.DataFrame, line: Line) -> pl.DataFrame:
    """Add ``clock_us`` to marks in order: what the clock showed when the store last opened, and the open time since."""
    opened = intervals.with_columns(line.place("opens_at"))
    found = marks.join_asof(opened, on="at", suffix="_opened", check_sortedness=False)
    clock_us = pl.col("clock_us") + pl.min_horizontal("instant", "closes_at") - pl.col("opens_at")
    is_own = pl.col("store_key") == pl.col("store_key_opened")
    return found.with_columns(clock_us=pl.when(is_own).then(clock_us).otherwise(0))


def _with_state_clocks(marks: pl.DataFrame) -> pl.DataFrame:
    """Put the clock of each state in the place of its turns: 1 where it begins, -1 where it ends, else null or 0.

    Clocks of different stores have nothing to do with each other, and may go round in 64 bits; differences come back.
    """
    is_next_store = pl.col("store_key").ne_missing(pl.col("store_key").shift())
    marks = marks.with_columns(pl.col(list(_STATES)).fill_null(0))
    running = {state: pl.col(state).cum_sum() for state in _STATES}
    at_first = {state: pl.when(is_next_store).then(running[state] - pl.col(state)).forward_fill() for state in _STATES}
    return marks.with_columns(
        (
            (running[state] - at_first[state]) * pl.col("clock_us") - (pl.col(state) * pl.col("clock_us")).cum_sum()
        ).alias(state)
        for state in _STATES
    )
