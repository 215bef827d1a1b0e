"""Now: the state of each store at one instant, and whether it is open then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Unpack

import polars as pl

from storemon.calendar.windows import Window
from storemon.engine.chosen import chosen_stores
from storemon.engine.facts import gather
from storemon.engine.pipeline import STATES
from storemon.engine.question import Asked, Question, ask
from storemon.engine.ranges import by_range
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.units.instants import shifted


@dataclass(frozen=True)
class _Moment:
    """The microsecond that begins at as-of: what is true then needs the schedule of that, and no later poll."""

    def bounds(self, as_of: datetime, zone: str, back: int) -> tuple[datetime, datetime]:  # noqa: ARG002
        return as_of, shifted(as_of, timedelta(microseconds=1))

    def is_short(self) -> bool:
        return True


def now(source: KeptLake | Snapshot, **asked: Unpack[Asked]) -> pl.DataFrame:
    """Tell of each store what is true of it at as-of; see "Now" in docs/semantics.md.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        **asked: see `storemon.engine.question.Asked`; ``windows`` has no meaning here.

    Returns:
        ``store_id``, ``state`` (``active``, ``inactive`` or ``unknown``) and ``is_open``, in order of ``store_id``.
        Only stores with a poll at or before as-of are told of.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: something that is asked for is not known.
        LakeError: the lake can't be read.

    """
    asked["windows"] = [Window("now", _Moment())]
    snapshot, question = ask(source, **asked)
    return pl.concat(by_range(_now, snapshot, question, chosen_stores(snapshot, question)))


def _now(snapshot: Snapshot, question: Question, stores: pl.DataFrame) -> pl.DataFrame:
    """Tell of a range of stores what is true of them."""
    with gather(snapshot, question, stores=stores) as facts:
        held = facts.run((*STATES[question.policy], "explain/states"))
        is_open = pl.col("store_key").is_in(facts.open_intervals["store_key"].implode())
    # No later poll was gathered, so what is held last of all is held now.
    last = held.group_by("store_key").agg(pl.col("active").sort_by("instant").last())
    state = pl.when("active").then(pl.lit("active")).when(~pl.col("active")).then(pl.lit("inactive"))
    told = stores.join(last, on="store_key", how="left", maintain_order="left")
    return told.select("store_id", state=state.otherwise(pl.lit("unknown")), is_open=is_open)
