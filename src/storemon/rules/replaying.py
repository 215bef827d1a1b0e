"""Rules asked of the past: the alerts that there would have been, as if they had been watched ever since."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl

from storemon.engine.question import Question
from storemon.lake.snapshot import Snapshot
from storemon.rules.conditions import Down, Silent
from storemon.rules.holding import Asked, stretches
from storemon.rules.lifecycle import alerts_of
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects, subjects_of
from storemon.rules.values import CLEAR, HOLDS
from storemon.units.instants import EPOCH, FIRST, microseconds

_MICROSECOND = timedelta(microseconds=1)
_BACK_US, _FURTHER = timedelta(days=1) // _MICROSECOND, 8
"""How far before the time in question is looked back first for how it began, and how many times as far then."""
_NONE = pl.Series("row", [], pl.Int64)
_NO_STRETCHES = pl.DataFrame(
    schema={"row": pl.Int64, "starts_at": pl.Int64, "ends_at": pl.Int64, "value": pl.Int8, "open_us": pl.Int64}
)


def replayed(
    snapshot: Snapshot, question: Question, stores: pl.DataFrame, rules: Sequence[Rule], since: int
) -> list[pl.DataFrame]:
    """Tell of the alerts of rules that fire, or still fire, from an instant up to as-of.

    Args:
        snapshot: where the facts are from.
        question: as of when, how long a poll is believed, and in how much memory.
        stores: as `storemon.engine.chosen.chosen_stores` gives them.
        rules: the rules.
        since: the instant, in microseconds.

    Returns:
        Of each rule as `storemon.rules.lifecycle.alerts_of` tells them, with their ``subject``. When an alert fired is
        true, however long ago.

    Raises:
        InputError: a rule names a tag, or the value of one, that no store has.
        LakeError: the lake can't be read.

    """
    subjects = [subjects_of(snapshot, stores, rule) for rule in rules]
    asked = [Asked(rule, each, _NONE) for rule, each in zip(rules, subjects, strict=True)]
    found: list[list[pl.DataFrame]] = [[] for _ in rules]
    places, until, back = (
        [place for place, each in enumerate(asked) if len(each.subjects.stores)],
        question.as_of,
        _BACK_US,
    )
    while places:
        begins = max(since - back, microseconds(FIRST))
        told = stretches(snapshot, replace(question, as_of=until), [asked[place] for place in places], begins)
        torn = []
        for place, each in zip(places, told, strict=True):
            found[place].append(each)
            rows = _torn(asked[place], each, begins)
            if len(rows):
                asked[place] = Asked(rules[place], _of(asked[place].subjects, rows), _NONE)
                torn.append(place)
        # What was before follows from the polls until then: of a state no later poll tells anything.
        places, until, back = torn, EPOCH + begins * _MICROSECOND, back * _FURTHER
    return [_alerts(rule, each, told, since) for rule, each, told in zip(rules, subjects, found, strict=True)]


def _alerts(rule: Rule, subjects: Subjects, told: Sequence[pl.DataFrame], since: int) -> pl.DataFrame:
    all_of_them = pl.concat([*told, _NO_STRETCHES])
    alerts = alerts_of(all_of_them, rule.recovery // _MICROSECOND).join(subjects.names, on="row", maintain_order="left")
    return alerts.filter(pl.col("resolved_at").is_null() | (pl.col("resolved_at") > since))


def _torn(asked: Asked, told: pl.DataFrame, begins: int) -> pl.Series:
    """Find the subjects of which nobody can tell yet whether an alert was open when the look began.

    None was if the rule was clear for its recovery time before it first held; nor if that was before all polls.
    """
    rule, first = asked.rule, asked.subjects.stores.group_by("row").agg(pl.col("first_polled_at").min())
    lasts = rule.condition.lasts if isinstance(rule.condition, Down | Silent) else timedelta()
    is_before = (pl.col("value") == HOLDS).cum_sum().over("row") == 0
    is_clear = is_before & (pl.col("value") == CLEAR)
    rows = (
        told.with_columns(is_clear=is_clear)
        .group_by("row")
        .agg(
            is_quiet=pl.col("is_clear").any()
            & (pl.col("open_us").filter("is_clear").sum() >= rule.recovery // _MICROSECOND),
            holds_first=pl.col("value").first() == HOLDS,
        )
    )
    # What lasted for long enough before it held at first was clear meanwhile.
    settled = pl.col("is_quiet") | (pl.col("holds_first") & pl.lit(timedelta() < lasts >= rule.recovery))
    return rows.join(first, on="row").filter(~settled, pl.col("first_polled_at") < begins)["row"]


def _of(subjects: Subjects, rows: pl.Series) -> Subjects:
    return Subjects(*(each.filter(pl.col("row").is_in(rows.implode())) for each in (subjects.stores, subjects.names)))
