"""When rules held: the stretches of each subject, in bulk and exact to the microsecond."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import polars as pl

from storemon.engine.question import Question
from storemon.engine.rolling import added_up, bends, rolled
from storemon.engine.timeline import SLOPES
from storemon.lake.snapshot import Snapshot
from storemon.rules.conditions import Below, Burn, Down, Group, Silent
from storemon.rules.looked import Looked, looked
from storemon.rules.rule import Rule
from storemon.rules.spells import down, silent
from storemon.rules.subjects import Subjects
from storemon.rules.thresholds import judged, windows_of
from storemon.units.instants import microseconds

_MICROSECOND = timedelta(microseconds=1)
NO_STRETCHES = pl.DataFrame(
    schema={"row": pl.Int64, "starts_at": pl.Int64, "ends_at": pl.Int64, "value": pl.Int8, "open_us": pl.Int64}
)
_STEP = ("row", "starts_at", "instant", *SLOPES)
_NO_STEP = pl.lit(0, pl.Int64)


class Asked(NamedTuple):
    """A rule, and of whom it is asked."""

    rule: Rule
    subjects: Subjects
    kept: pl.Series
    """The rows that are told of whatever the rule says of them."""


def stretches(snapshot: Snapshot, question: Question, asked: Sequence[Asked], since: int) -> list[pl.DataFrame]:
    """Tell when each rule held of its subjects, and when not.

    Args:
        snapshot: where the facts are from.
        question: as of when, which is up to when rules are judged; and how long a poll is believed.
        asked: the rules.
        since: from when on they are judged, in microseconds.

    Returns:
        Of each rule ``row, starts_at, ends_at, value, open_us``, in order: see `storemon.rules.thresholds.judged`.

    Raises:
        LakeError: the lake can't be read.

    """
    until = microseconds(question.as_of)
    known = pl.col("first_polled_at") <= until
    some = [each for each in asked if not each.subjects.stores.filter(known).is_empty()]
    found: list[list[pl.DataFrame]] = [[] for _ in some]
    if some:
        windows = max((length for each in some for length in windows_of(each.rule.condition).values()), default=0)
        polled = pl.concat([each.subjects.stores.drop("row").filter(known) for each in some])
        stores = polled.unique("store_key").sort("store_id")
        for facts in looked(snapshot, question, stores, since, windows * _MICROSECOND):
            for each, told in zip(some, found, strict=True):
                told.append(_of_range(facts, each, until))
    by_rule = {id(each): _whole(each, told, until) for each, told in zip(some, found, strict=True)}
    return [by_rule.get(id(each), NO_STRETCHES) for each in asked]


def _of_range(facts: Looked, asked: Asked, until: int) -> pl.DataFrame:
    """Tell the stretches of subjects that are stores; of groups what adds up to theirs."""
    condition = asked.rule.condition
    here = asked.subjects.stores.join(facts.stores, on="store_key", how="semi", maintain_order="left")
    if isinstance(condition, Down | Silent):
        some = facts.of(here["store_key"])
        return (down if isinstance(condition, Down) else silent)(
            some, condition.lasts, asked.kept, timed=bool(asked.rule.recovery)
        )
    rows = here.select("store_key", "row", starts_at=pl.max_horizontal("first_polled_at", facts.since))
    # From its start on something is known of each, be it that it is closed.
    starts = rows.select("row", "starts_at", pl.col("starts_at").alias("instant"), **dict.fromkeys(SLOPES, _NO_STEP))
    steps = pl.concat([facts.steps.join(rows, on="store_key").select(_STEP), starts.select(_STEP)])
    bent = bends(steps, windows_of(condition), until)
    return added_up(bent) if asked.rule.of_groups else _judged(bent, condition, until, asked.kept)


def _whole(asked: Asked, told: Sequence[pl.DataFrame], until: int) -> pl.DataFrame:
    condition = asked.rule.condition
    if asked.rule.of_groups and isinstance(condition, Below | Burn | Group):
        return _judged(added_up(pl.concat(told)), condition, until, asked.kept)
    return pl.concat(told)


def _judged(bent: pl.DataFrame, condition: Below | Burn | Group, until: int, kept: pl.Series) -> pl.DataFrame:
    return judged(rolled(bent, windows_of(condition), until), condition, kept)
