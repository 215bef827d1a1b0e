"""Polled stores of which the hours, or the zones, tell nothing: what weakens their figures at any time."""

import polars as pl

from storemon.lake.schemas import HOURS, ZONES, Table
from storemon.lake.snapshot import Snapshot


def lacking(snapshot: Snapshot, table: Table) -> pl.Series:
    """List the ids of the stores that are polled but have no row in the hours or the zones, in order."""
    rows = snapshot.hours() if table is HOURS else snapshot.zones()
    return snapshot.stores().select("store_id").join(rows, on="store_id", how="anti")["store_id"].sort()


def told_lacking(snapshot: Snapshot) -> str:
    """Say in a line how many polled stores have no hours, and how many no zone; nothing where each has both."""
    counts = {what: len(lacking(snapshot, table)) for what, table in (("hours", HOURS), ("time zone", ZONES))}
    means = {"hours": "open round the clock", "time zone": "in America/Chicago"}
    parts = [f"{count:,} have no {what} (taken as {means[what]})" for what, count in counts.items() if count]
    return f"of {len(snapshot.stores()):,} polled stores {' and '.join(parts)}" if parts else ""
