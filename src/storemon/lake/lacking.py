"""Polled stores of which the hours, or the zones, tell nothing: what weakens their figures at any time."""

import polars as pl

from storemon.lake.schemas import HOURS, Table
from storemon.lake.snapshot import Snapshot


def lacking(snapshot: Snapshot, table: Table) -> pl.Series:
    """List the ids of the stores that are polled but have no row in the hours or the zones, in order."""
    rows = snapshot.hours() if table is HOURS else snapshot.zones()
    return snapshot.stores().select("store_id").join(rows, on="store_id", how="anti")["store_id"].sort()
