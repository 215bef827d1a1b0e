"""Why a figure is what it is: one store in one window, from the schedule and the polls to the sums."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Unpack

import polars as pl

from storemon.answers.explanation.days import days, maintenance_of_window
from storemon.answers.explanation.deciding import Deciding, deciding_polls, told_polls, told_spells
from storemon.answers.explanation.parts import MICROSECOND, Explanation, Held, Piece, Sums, instant
from storemon.answers.explanation.pieces import laid_out, pieces, spells
from storemon.calendar.windows import LAST_DAY
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import Facts, gather
from storemon.engine.pipeline import STATES
from storemon.engine.question import Asked, Question, ask
from storemon.errors import InputError
from storemon.lake.duck import offer
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot

_LONGEST = timedelta(days=3660)
_FIRST, _LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def explain(source: KeptLake | Snapshot, store_id: str, **asked: Unpack[Asked]) -> Explanation:
    """Tell why a store has its figures in a window: its schedule, its polls, what is held between them, and the sums.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        store_id: the store.
        **asked: ``as_of``, ``windows`` (one, by default the last day), ``carry_limit``, ``policy`` and ``where``; see
            `storemon.engine.question.Asked`.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: a report would have no such store, more than one window is asked for, or something that is asked
            for is not known.
        LakeError: the lake can't be read.

    """
    asked.setdefault("windows", [LAST_DAY])
    snapshot, question = ask(source, **asked)
    if len(question.windows) != 1:
        raise InputError(f"one window is explained at a time, and {len(question.windows)} are asked for; choose one")
    stores = chosen_stores(snapshot, question)
    store = stores.filter(pl.col("store_id") == store_id)
    if store.is_empty():
        raise InputError(_why_not(snapshot, question, store_id, stores["store_id"].to_list()))
    with gather(snapshot, question, stores=store, every_poll=True) as facts:
        _require_readable(*facts.windows.select("starts_at", "ends_at").row(0))
        return _explained(facts, question, store["zone"][0])


def _why_not(snapshot: Snapshot, question: Question, store_id: str, known: Sequence[str]) -> str:
    """Say why a report has no such store."""
    of_store = pl.col("store_id") == store_id
    for first_polled_at in snapshot.stores().filter(of_store)["polled_at"]:
        if first_polled_at > question.as_of:
            return f"the store {store_id!r} was first polled at {first_polled_at}, after as-of, {question.as_of}"
        tags = ", ".join(f"{tag}={value}" for tag, value in question.where.items())
        return f"the store {store_id!r} is not among those with {tags}; leave that condition out"
    if not snapshot.hours().filter(of_store).is_empty():
        return f"the store {store_id!r} has hours but was never polled, so there are no figures to explain"
    begun = [each for each in known if store_id and each.startswith(store_id)]  # ids are long, and get cut off
    near = begun[:3] or get_close_matches(store_id, known, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}?" if near else f"there are {len(known)} stores; a report lists them"
    return f"there is no store {store_id!r}; {meant}"


def _require_readable(starts: int, ends: int) -> None:
    """Refuse a window with more local dates than anybody reads, or at the ends of the calendar."""
    if ends - starts > _LONGEST // MICROSECOND or not _FIRST < instant(starts) <= instant(ends) < _LAST:
        raise InputError(
            f"the window from {instant(starts):%Y-%m-%d} to {instant(ends):%Y-%m-%d} cannot be told date by date; "
            f"ask for {_LONGEST.days} days at most, between the years {_FIRST.year} and {_LAST.year}"
        )


def _explained(facts: Facts, question: Question, zone: str) -> Explanation:
    snapshot, (window,), store_id = facts.snapshot, question.windows, facts.stores["store_id"][0]
    starts, ends = facts.windows.select("starts_at", "ends_at").row(0)
    polls = facts.run(("explain/polls",))
    # The steps to the states then read these few instead of the polls of all stores, which tell them nothing.
    offer(facts.con, "polls", polls)
    for name in ("polls_before", "polls_within"):
        facts.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM polls")
    held = spells(facts.run((*STATES[question.policy], "explain/states")), starts, ends)
    schedule = days(facts, zone, instant(starts), instant(ends))
    scheduled = [interval for day in schedule for interval in day.open]
    told = pieces(laid_out(held, facts.open_intervals, facts.excluded_intervals), starts, ends, scheduled)
    polls = deciding_polls(polls, starts, ends, facts.params["carry_us"], facts.params["until"])
    deciding = Deciding(
        question.policy, polls["polled_at"].unique().sort().to_list(), facts.stores["first_polled_at"][0]
    )
    return Explanation(
        store_id=store_id,
        zone=zone,
        zone_is_default=store_id not in snapshot.zones()["store_id"],
        window=window.name,
        starts_at=instant(starts),
        ends_at=instant(ends),
        as_of=question.as_of.astimezone(UTC),
        unit="minutes" if window.span.is_short() else "hours",
        policy=question.policy,
        carry_limit=question.carry_limit,
        schedule=schedule,
        maintenance=maintenance_of_window(snapshot.maintenance(), store_id, instant(starts), instant(ends)),
        polls=told_polls(polls, deciding, starts, ends, scheduled),
        spells=told_spells(held, told, deciding),
        pieces=told,
        figures=_sums(told),
    )


def _sums(told: Sequence[Piece]) -> Sums:
    sums: dict[Held, timedelta] = dict.fromkeys(("active", "inactive", "unknown", "excluded"), timedelta())
    for piece in told:
        sums[piece.held] += piece.ends_at - piece.starts_at
    uptime, downtime, unknown, excluded = sums.values()
    return Sums(uptime + downtime + unknown, uptime, downtime, unknown, excluded)
