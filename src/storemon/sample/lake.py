"""A sample straight into a lake: what ingesting its CSVs, and compacting, would have left there.

Stores come in the order of their ids, which is that of their keys too, so that only a few are sorted at a time.
"""

from collections.abc import Iterable
from itertools import chain

import polars as pl

from storemon.errors import InputError
from storemon.intake.forms.known import HOURS_FORM, STORES_FORM, ZONES_FORM
from storemon.intake.given import read_whole
from storemon.lake.polls import as_roster
from storemon.lake.runs import keep_runs
from storemon.lake.schemas import FACTS, HOURS, POLLS, TAGS, ZONES, Table
from storemon.lake.tables import Tables
from storemon.sample.days import day_of_polls, days_of, first_polls
from storemon.sample.draws import upto
from storemon.sample.hours import hours_of, keeping
from storemon.sample.ids import STORES_A_CHUNK, never_polled, require, store_ids
from storemon.sample.lives import DAY_SLOTS, lives
from storemon.sample.stores import tagged
from storemon.sample.write import SampleSummary
from storemon.sample.zones import zoned, zones_of

STORES_A_FILE = 1 << 18


def write_lake(
    tables: Tables, *, stores: int = 3678, days: int = 60, seed: int = 1, hourly: bool = False
) -> SampleSummary:
    """Write into a new lake the tags, zones, hours and polls that `write_sample` writes into CSVs.

    The summary counts the rows that the CSVs would have, but a doubled poll once. Cut off, it leaves a lake without
    polls. Raises ValueError if `stores` or `days` is below 1, InputError if the lake has a table already, and LakeError
    if it cannot be written.
    """
    require(stores=stores, days=days)
    if there := [table.name for table in FACTS if tables.open(table).version >= 0]:
        raise InputError(
            f"{tables.place}: the lake has {', '.join(there)} already, and a sample needs a new one; "
            "choose another folder"
        )
    store = upto(stores + never_polled(stores)).alias("store")
    by_id = pl.DataFrame([store, store_ids(store, seed)]).sort("store_id").select("store")
    placed = by_id.join(zoned(stores, seed), on="store", how="left", maintain_order="left")
    open_at = by_id.join(keeping(stores, seed), on="store", maintain_order="left")
    for table, form, some, rows_of in (
        (TAGS, STORES_FORM, placed, tagged),
        (ZONES, ZONES_FORM, placed.drop_nulls(), zones_of),
        (HOURS, HOURS_FORM, open_at, hours_of),
    ):
        files = (
            pl.concat(
                read_whole(rows_of(part, seed), form.file_name, form) for part in of_file.iter_slices(STORES_A_CHUNK)
            )
            for of_file in some.iter_slices(STORES_A_FILE)
        )
        _commit(tables, table, files)
    _commit_polls(tables, by_id["store"].filter(by_id["store"] < stores), days * DAY_SLOTS, seed, hourly=hourly)
    keep_runs(tables)
    polls, hours, zones = (sum(tables.open(table).files["rows"]) for table in (POLLS, HOURS, ZONES))
    return SampleSummary(polls - stores, hours, zones, len(by_id))  # a poll of each store is in the roster too


def _commit_polls(tables: Tables, by_id: pl.Series, slots: int, seed: int, *, hourly: bool) -> None:
    """Append the roster and the polls; `by_id` are the stores in the order of keys."""
    keyed = lives(len(by_id), slots, seed)[by_id].with_columns(store_key=pl.int_range(len(by_id), dtype=pl.Int32))
    roster = first_polls(keyed, seed, hourly=hourly).with_columns(store_ids(by_id, seed))
    polls = (part for day in days_of(slots) for part in day_of_polls(keyed, slots, day, seed, hourly=hourly))
    _commit(tables, POLLS, chain([as_roster(roster)], polls))


def _commit(tables: Tables, table: Table, parts: Iterable[pl.DataFrame]) -> None:
    read = tables.open(table)
    tables.commit(read, tables.write(read, parts))
