"""Rules asked of the past: the alerts that there would have been, as if they had been watched ever since."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import polars as pl

from storemon.engine.question import Question
from storemon.lake.snapshot import Snapshot
from storemon.rules.conditions import Down, Silent
from storemon.rules.holding import NO_STRETCHES, Asked, stretches
from storemon.rules.lifecycle import alerts_of
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects
from storemon.rules.values import CLEAR, HOLDS
from storemon.units.instants import EPOCH, FIRST, microseconds

_MICROSECOND = timedelta(microseconds=1)
_BACK_US, _FURTHER = timedelta(days=1) // _MICROSECOND, 8
"""How far before the time in question is looked back first for how it began, and how many times as far then."""
_NONE = pl.Series("row", [], pl.Int64)


def replayed(
    snapshot: Snapshot, question: Question, rules: Sequence[Rule], subjects: Sequence[Subjects], since: int
) -> list[pl.DataFrame]:
    """Tell of the alerts of rules that fire, or still fire, from an instant up to as-of.

    Args:
        snapshot: where the facts are from.
        question: as of when, how long a poll is believed, and in how much memory.
        rules: the rules.
        subjects: those of each.
        since: the instant, in microseconds.

    Returns:
        Of each rule as `storemon.rules.lifecycle.alerts_of` tells them, with their ``subject``. When an alert fired is
        true, however long ago.

    Raises:
        LakeError: the lake can't be read.

    """
    asked = [Asked(rule, each, _kept(rule, each)) for rule, each in zip(rules, subjects, strict=True)]
    found: list[pl.DataFrame] = [NO_STRETCHES for _ in rules]
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
            found[place] = pl.concat([each, found[place]])
            rows = _torn(asked[place], found[place], begins, since)
            if len(rows):
                of_these = _of(asked[place].subjects, rows)
                asked[place] = Asked(rules[place], of_these, _kept(rules[place], of_these))
                torn.append(place)
        # What was before follows from the polls until then: of a state no later poll tells anything.
        places, until, back = torn, EPOCH + begins * _MICROSECOND, back * _FURTHER
    return [_alerts(rule, each, told, since) for rule, each, told in zip(rules, subjects, found, strict=True)]


def continued(
    snapshot: Snapshot,
    question: Question,
    rules: Sequence[Rule],
    subjects: Sequence[Subjects],
    since: int,
    *,
    before: Sequence[pl.DataFrame],
) -> list[pl.DataFrame]:
    """Tell what has become of alerts since an instant at which they were known, and of the others that fired since.

    Args:
        snapshot: as for `replayed`.
        question: as for `replayed`.
        rules: as for `replayed`.
        subjects: as for `replayed`.
        since: the instant, in microseconds.
        before: the alerts of each rule that were open there, as `storemon.rules.lifecycle.alerts_of` has them.

    Returns:
        As `replayed` does. What comes to light only now of the time before counts from the instant on.

    Raises:
        LakeError: the lake can't be read.

    """
    asked = [Asked(*each) for each in zip(rules, subjects, (frame["row"] for frame in before), strict=True)]
    told = stretches(snapshot, question, asked, since)
    return [
        alerts_of(each, rule.recovery // _MICROSECOND, known).join(of_rule.names, on="row", maintain_order="left")
        for rule, of_rule, each, known in zip(rules, subjects, told, before, strict=True)
    ]


def _alerts(rule: Rule, subjects: Subjects, told: pl.DataFrame, since: int) -> pl.DataFrame:
    alerts = alerts_of(told, rule.recovery // _MICROSECOND).join(subjects.names, on="row", maintain_order="left")
    return alerts.filter(pl.col("resolved_at").is_null() | (pl.col("resolved_at") > since))


def _kept(rule: Rule, subjects: Subjects) -> pl.Series:
    """Tell which subjects must be told of: of a rule with a recovery time, also how long it was clear of those."""
    return subjects.names["row"] if rule.recovery else _NONE


def _torn(asked: Asked, told: pl.DataFrame, begins: int, since: int) -> pl.Series:
    """Find the subjects of which nobody can tell yet whether an alert goes on that was open before the look.

    None does if the rule was clear before it first held, from the instant in question on at the latest, and for its
    recovery time; nor if there were no polls before. Of those that are not told of it was clear from the first on.
    """
    rule, recovery_us = asked.rule, asked.rule.recovery // _MICROSECOND
    first = (
        asked.subjects.stores.group_by("row")
        .agg(pl.col("first_polled_at").min())
        .filter(pl.col("first_polled_at") < begins)
    )
    lasts = rule.condition.lasts if isinstance(rule.condition, Down | Silent) else timedelta()
    is_before = (pl.col("value") == HOLDS).cum_sum().over("row") == 0
    in_order = told.join(first, on="row", how="semi").sort("row", "starts_at")
    quiet = in_order.with_columns(is_clear=is_before & (pl.col("value") == CLEAR))
    rows = quiet.group_by("row").agg(
        clear_since=pl.col("starts_at").filter("is_clear").min(),
        clear_us=pl.col("open_us").filter("is_clear").sum(),
        holds_first=pl.col("value").first() == HOLDS,
    )
    is_quiet = (pl.col("clear_since") <= since).fill_null(value=False) & (pl.col("clear_us") >= recovery_us)
    # What lasted for long enough before it held at first was clear meanwhile.
    was_quiet = pl.col("holds_first") & pl.lit(timedelta() < lasts >= rule.recovery)
    return rows.filter(~(is_quiet | was_quiet))["row"]


def _of(subjects: Subjects, rows: pl.Series) -> Subjects:
    return Subjects(*(each.filter(pl.col("row").is_in(rows.implode())) for each in (subjects.stores, subjects.names)))
