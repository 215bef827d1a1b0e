"""Outages: each spell in state inactive that has open time in a window, whole, with the polls that bound its edges."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from typing import Unpack

import polars as pl

from storemon.calendar.windows import LAST_DAY
from storemon.engine.begun import beginnings, since_before, with_beginnings
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import Facts, gather
from storemon.engine.outages import bounded, downtimes, spells
from storemon.engine.pipeline import CHANGES, LOOK_BACK, POLLS, name_of
from storemon.engine.question import Asked, Question, ask
from storemon.engine.ranges import by_range
from storemon.lake.duck import offer
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import EPOCH, FIRST, microseconds

_MICROSECOND = timedelta(microseconds=1)
_INSTANT, _LENGTH = pl.Datetime("us", "UTC"), pl.Duration("us")
_LOOK_BACK_US = timedelta(days=90) // _MICROSECOND
"""How far before the windows is looked at first: the most that are not whole are of stores that are down for good."""
_FURTHER = 8
"""How many times as far is looked each time after that."""


def outages(source: KeptLake | Snapshot, **asked: Unpack[Asked]) -> pl.DataFrame:
    """List the outages of each store in windows, by default in the last day.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        **asked: ``as_of``, ``windows``, ``carry_limit``, ``policy`` and ``where``; see
            `storemon.engine.question.Asked`.

    Returns:
        A row for each outage and window in which it has open time, in order of window, ``store_id`` and ``starts_at``:
        ``store_id``; ``window``, its name; ``starts_at`` and ``ends_at``, the first and the last open instant;
        ``downtime``, its open time in the window; ``whole_downtime``, all of it; ``elapsed`` from start to end;
        ``ongoing``: it reaches as-of; ``started_after``, the last active poll before it, and ``ended_before``, the
        first one after it, null where there is none. Instants are in UTC; lengths of time are exact, in whole
        microseconds.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known.
        LakeError: the lake can't be read.

    """
    asked.setdefault("windows", [LAST_DAY])
    snapshot, question = ask(source, **asked)
    names = dict(enumerate(window.name for window in question.windows))
    ranges = by_range(_found, snapshot, question, chosen_stores(snapshot, question))
    found = pl.concat(ranges).sort("window", "store_id", "starts_at")
    return found.select(
        "store_id",
        pl.col("window").replace_strict(names, return_dtype=pl.String),
        pl.col("starts_at", "ends_at").cast(_INSTANT),
        pl.col("downtime_us").cast(_LENGTH).alias("downtime"),
        pl.col("whole_downtime_us").cast(_LENGTH).alias("whole_downtime"),
        (pl.col("ends_at") - pl.col("starts_at")).cast(_LENGTH).alias("elapsed"),
        pl.col("spell_ends_at").is_null().alias("ongoing"),
        pl.col("started_after", "ended_before").cast(_INSTANT),
    )


def _found(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Look at the windows, and find meanwhile when those began that were down before; then look at the others again.

    Whose end is not seen there is looked at up to as-of, and further and further back.
    """
    with gather(snapshot, question, stores=stores) as facts, ThreadPoolExecutor(1) as aside:
        horizon_us = facts.params["starts_at"]
        polls = _polls(facts, question)
        down = _not_active(stores, polls, horizon_us)
        before = aside.submit(copy_context().run, since_before, snapshot, question, down, horizon_us)
        found = spells(facts.run(CHANGES[question.policy]))
        begun = aside.submit(
            copy_context().run,
            lambda: beginnings(snapshot, question, stores, before.result(), found, horizon_us=horizon_us),
        )
        rows = with_beginnings(_rows(facts, question, polls, found), before.result(), begun.result())
    is_torn = ~pl.col("is_end_seen").all().over("store_key")
    torn, told = rows.filter(is_torn), [rows.filter(~is_torn)]
    look_back_us = _LOOK_BACK_US
    while not torn.is_empty():
        stores = stores.join(torn, on="store_key", how="semi", maintain_order="left")
        begins_at: int = stores.select(_begins_at(question)).to_series().min()  # type: ignore[assignment]
        since = max(horizon_us - look_back_us, begins_at)
        with gather(snapshot, question, since=EPOCH + since * _MICROSECOND, stores=stores) as facts:
            polls = _polls(facts, question, LOOK_BACK)
            rows = _rows(facts, question, polls, spells(facts.run(CHANGES[question.policy])))
        is_torn = ~(pl.col("is_begin_seen") & pl.col("is_end_seen")).all().over("store_key")
        torn = rows.filter(is_torn)
        told.append(rows.filter(~is_torn))
        look_back_us *= _FURTHER
    return pl.concat(told)


def _polls(facts: Facts, question: Question, before: tuple[str, ...] = ()) -> pl.DataFrame:
    """Read the polls that decide the states, after some steps ``before``, and offer them to the steps to come."""
    steps = (*before, *POLLS[question.policy])
    polls = facts.run(steps)
    offer(facts.con, name_of(steps[-1]), polls)
    return polls


def _not_active(stores: pl.DataFrame, polls: pl.DataFrame, horizon_us: int) -> pl.DataFrame:
    """Pick the stores that can have an outage of whose beginning no poll up to the horizon tells that is gathered."""
    up_before = polls.filter("active", pl.col("polled_at") <= horizon_us)
    others = stores.join(up_before, on="store_key", how="anti", maintain_order="left")
    return others.join(polls.filter(~pl.col("active")), on="store_key", how="semi", maintain_order="left")


def _rows(facts: Facts, question: Question, polls: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Tell of the outages of the spells that are found, and of each whether its begin and its end are seen.

    They are if the schedule is known there, and the polls that bound it are known or there are none.
    """
    stores = facts.stores.select("store_key", "store_id", "first_polled_at", begins_at=_begins_at(question))
    starts_at, ends_at, until = (facts.params[name] for name in ("starts_at", "ends_at", "until"))
    as_of = microseconds(question.as_of)
    all_before = pl.col("first_polled_at") >= starts_at
    is_begin_seen = (pl.col("spell_starts_at") > starts_at) & (pl.col("started_after").is_not_null() | all_before)
    all_after = pl.lit(until == as_of)
    is_end_seen = (pl.col("spell_ends_at") <= ends_at) & (pl.col("ended_before").is_not_null() | all_after)
    down = downtimes(found, facts.stores, facts.windows, facts.open_intervals)
    # The reach back is among the polls, but the first poll itself lies between it and whatever comes after.
    rows = bounded(down, facts.open_intervals, polls, until)
    return (
        rows.join(facts.windows.select("part", "window"), on="part")
        .join(stores, on="store_key")
        .with_columns(
            is_begin_seen=((pl.col("begins_at") >= starts_at) | is_begin_seen).fill_null(value=False),
            is_end_seen=(pl.lit(ends_at == as_of) | is_end_seen).fill_null(value=False),
        )
        .drop("part", "begins_at", "first_polled_at")
    )


def _begins_at(question: Question) -> pl.Expr:
    """Tell before which instant nothing is held true of a store."""
    carry_us = question.carry_limit // _MICROSECOND
    return pl.max_horizontal(pl.col("first_polled_at") - carry_us, microseconds(FIRST))
