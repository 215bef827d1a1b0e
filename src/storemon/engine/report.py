"""A snapshot in, a report frame out."""

from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from storemon.engine.pipeline import FIGURES, run
from storemon.engine.schedule import open_intervals, with_clock, with_zones
from storemon.engine.windows import EVER, ROLLING, Window, microseconds, rolling, shifted, to_frame
from storemon.errors import EmptyLakeError, InputError, LakeError
from storemon.lake.duck import connect
from storemon.lake.lake import Lake
from storemon.lake.snapshot import Snapshot

_NO_SPECIAL_HOURS = pl.DataFrame(
    schema={"store_id": pl.String, "date": pl.Date, "opens_local": pl.Int32, "closes_local": pl.Int32}
)
CARRY_LIMIT = timedelta(days=7)
MEASURES = ("uptime", "downtime", "unknown")


def report(
    source: Lake | Snapshot, *, as_of: datetime | None = None, carry_limit: timedelta = CARRY_LIMIT
) -> pl.DataFrame:
    """Compute uptime, downtime and unknown time of each store in the last hour, day and week before ``as_of``.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        as_of: the report's now; a naive one is UTC. By default the instant of the newest poll.
        carry_limit: how long a poll is believed.

    Returns:
        A row for each store with a poll at or before ``as_of``, in order of ``store_id``: ``store_id``, then
        ``uptime_*``, ``downtime_*`` and ``unknown_*``, each for ``last_hour``, ``last_day`` and ``last_week``, as exact
        durations in whole microseconds.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: the carry limit is not longer than zero.
        LakeError: the lake can't be read.

    """
    snapshot = source.snapshot() if isinstance(source, Lake) else source
    now = resolve_as_of(snapshot, as_of)
    long = figures(snapshot, rolling(now), now, carry_limit)
    names = [f"{measure}_{window}" for measure in MEASURES for window in ROLLING]
    values = [f"{measure}_us" for measure in MEASURES]
    wide = long.pivot("window_name", on_columns=list(ROLLING), index="store_id", values=values)
    renamed = {f"{measure}_us_{window}": f"{measure}_{window}" for measure in MEASURES for window in ROLLING}
    return wide.rename(renamed).select("store_id", pl.col(names).cast(pl.Duration("us"))).sort("store_id")


def resolve_as_of(snapshot: Snapshot, as_of: datetime | None = None) -> datetime:
    """Settle a report's now: the given instant, or that of the newest poll.

    Raises:
        EmptyLakeError: neither is there.

    """
    if as_of is not None:
        return as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    newest = snapshot.newest_poll()
    if newest is None:
        raise EmptyLakeError(f"{snapshot} has no polls yet; load some with: storemon ingest DATA_DIR")
    return newest


def figures(
    snapshot: Snapshot, windows: tuple[Window, ...], as_of: datetime, carry_limit: timedelta = CARRY_LIMIT
) -> pl.DataFrame:
    """Compute the figures of each store in each window.

    Returns:
        ``store_id, window_name, service_us, uptime_us, downtime_us, unknown_us``, in no order.

    Raises:
        InputError: the carry limit is not longer than zero.
        LakeError: the polls can't be read.

    """
    if carry_limit <= timedelta():
        raise InputError(f"the carry limit is {carry_limit}; it must be longer than zero")
    carry_limit = min(carry_limit, EVER)  # a longer one means the same, and its sums might not fit into 64 bits
    as_of, starts_at = as_of.astimezone(UTC), min(window.starts_at for window in windows).astimezone(UTC)
    instants = {"starts_at": microseconds(starts_at), "as_of": microseconds(as_of)}
    first = pl.col("polled_at").to_physical()
    stores = snapshot.stores().filter(first <= instants["as_of"])
    inputs = {
        "stores": stores.select("store_key", first.alias("first_polled_at"), first_active="active"),
        "windows": to_frame(windows),
        "open_intervals": with_clock(
            open_intervals(with_zones(stores, snapshot.zones()), snapshot.hours(), _NO_SPECIAL_HOURS, starts_at, as_of)
        ),
    }
    params = instants | {"carry_us": carry_limit // timedelta(microseconds=1)}
    try:
        with connect() as con:
            snapshot.offer_polls(con, "polls_before", shifted(starts_at, -carry_limit), starts_at)
            snapshot.offer_polls(con, "polls_within", starts_at, as_of)
            answer = run(con, FIGURES, inputs, params)
    except (duckdb.Error, UnicodeDecodeError) as error:  # of a damaged file DuckDB tells in many ways
        raise LakeError(f"the polls of {snapshot} cannot be read: {str(error).splitlines()[0]}") from error
    return answer.join(stores.select("store_key", "store_id"), on="store_key").drop("store_key")
