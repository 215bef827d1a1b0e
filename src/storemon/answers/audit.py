"""What weakens the figures: queries that return no rows when all is well.

What each finds, and what to do about it, is told in docs/audit.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import polars as pl

from storemon.calendar.schedule import maintenance_of, open_intervals, with_clock, with_zones, without
from storemon.engine.pipeline import step
from storemon.engine.question import CARRY_LIMIT, resolve_as_of
from storemon.errors import InputError
from storemon.lake.duck import connect, offer, reading_polls, rows_of
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EVER, microseconds, shifted

WINDOW = timedelta(days=28)
EXAMPLES = 10


@dataclass(frozen=True)
class Check:
    """A query of ``sql/audit`` by its name, and why its rows weaken the figures and what to do."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Finding:
    """What a check found: how many rows, and the worst of them.

    Instants are ``Datetime(us, UTC)``, lengths whole microseconds in columns that end in ``_us``.
    """

    name: str
    meaning: str
    count: int
    examples: pl.DataFrame


CHECKS = (
    Check(
        "stores_without_hours",
        "They count as open round the clock, so that a night off is downtime. Add their rows to menu_hours.csv.",
    ),
    Check(
        "stores_without_zone",
        "Their hours are read in America/Chicago, which may be hours off. Add their rows to timezones.csv.",
    ),
    Check(
        "hours_without_polls",
        "No report has a row for them, so nobody sees that they are missing. Poll them, see whether their ids are "
        "written as in the polls, or remove their rows.",
    ),
    Check(
        "silent_stores",
        "Their latest poll is believed no more, so that all is unknown since. Find out why the polls stopped.",
    ),
    Check(
        "late_first_polls",
        "What was before their first poll is unknown, but for one carry limit. Load older polls, or ask for windows "
        "that start later.",
    ),
    Check(
        "gaps",
        "Part of the time between the two polls is unknown. Load the polls that are missing, or poll more often.",
    ),
    Check(
        "polls_only_outside_hours",
        "Their figures rest on what was seen while they were closed. See whether their hours and time zones are right.",
    ),
    Check(
        "one_minute_schedules",
        "People often write that for a day on which a store is closed, or for one they know nothing of, yet it counts "
        "as service time. Write the true hours, or leave the weekday out.",
    ),
    Check(
        "overlapping_shifts",
        "They count once, but often the one is what the other should have replaced, and the service time too long. "
        "Remove the one that does not hold.",
    ),
    Check(
        "disagreeing_duplicates",
        "They count as inactive, so downtime may be too long. Find out which of the sources of the polls is wrong.",
    ),
    Check(
        "rejected_rows",
        "What they say is in no figure. Mend and load them. All of them, also those mended since: storemon rejected",
    ),
)
"""In this order they are told: what is missing, what is unknown, what is doubtful."""

_SHARED = ("shifts", "unknown_stretches")
"""What several checks read, computed once."""


def audit(
    source: KeptLake | Snapshot,
    *,
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    window: timedelta = WINDOW,
    examples: int = EXAMPLES,
) -> tuple[Finding, ...]:
    """Find what weakens the figures of a report.

    Args:
        source: a lake, audited at its newest version; or a snapshot of one; or frames in its place.
        as_of: the report's now; a naive one is UTC. By default the instant of the newest poll.
        carry_limit: how long a poll is believed.
        window: how far back from ``as_of`` polls are looked at; those of one carry limit before it are read too.
        examples: how many of the worst rows to give of each finding.

    Returns:
        A finding for each of ``CHECKS``, in their order; those that found nothing have a count of 0.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: the carry limit or the window is not longer than zero, or ``examples`` is negative.
        LakeError: the lake can't be read.

    """
    for what, length in (("carry limit", carry_limit), ("window", window)):
        if length <= timedelta():
            raise InputError(f"the {what} is {length}; it must be longer than zero")
    if examples < 0:
        raise InputError(f"{examples} examples were asked for; ask for 0 or more")
    snapshot = source.snapshot() if isinstance(source, KeptLake) else source
    now = resolve_as_of(snapshot, as_of)
    # Longer ones mean the same, and their sums might not fit into 64 bits.
    carry_limit, window = min(carry_limit, EVER), min(window, EVER)
    starts_at = shifted(now, -window)
    params = {
        "starts_at": microseconds(starts_at),
        "as_of": microseconds(now),
        "carry_us": carry_limit // timedelta(microseconds=1),
    }
    with reading_polls(snapshot), connect() as con:
        for name, frame in _facts(snapshot, starts_at, now).items():
            offer(con, name, frame)
        snapshot.offer_polls(con, "polls", shifted(starts_at, -carry_limit), now)
        for name in _SHARED:
            offer(con, name, _rows(con, name, params))
        return tuple(_finding(check, _rows(con, check.name, params), examples) for check in CHECKS)


def _facts(snapshot: Snapshot, starts_at: datetime, as_of: datetime) -> dict[str, pl.DataFrame]:
    """Gather all that the checks read but the polls; instants are microseconds since 1970 in UTC."""
    stores = snapshot.stores().select(
        "store_key", "store_id", pl.col("polled_at").to_physical().alias("first_polled_at")
    )
    hours, zones = snapshot.hours(), snapshot.zones()
    stores = with_zones(stores.filter(pl.col("first_polled_at") <= microseconds(as_of)), zones)
    until = shifted(as_of, timedelta(microseconds=1))  # so that one can tell whether a poll at as-of was while open
    intervals = open_intervals(stores, hours, snapshot.special_hours(), starts_at, until)
    left, _ = without(intervals, maintenance_of(stores, snapshot.maintenance()))
    return {
        "stores": stores,
        "hours": hours,
        "zones": zones,
        "rejected": snapshot.rejected(),
        "open_intervals": with_clock(left),
    }


def _rows(con: duckdb.DuckDBPyConnection, name: str, params: Mapping[str, int]) -> pl.DataFrame:
    query = step(f"audit/{name}")
    bound = {param: value for param, value in params.items() if f"${param}" in query}
    return rows_of(con, query, bound)


def _finding(check: Check, rows: pl.DataFrame, examples: int) -> Finding:
    instants = pl.col("^.*_at$").cast(pl.Datetime("us", "UTC"))
    return Finding(check.name, check.meaning, len(rows), rows.head(examples).with_columns(instants))
