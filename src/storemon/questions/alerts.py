"""The alerts that rules would have made, asked in words."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from storemon.answers.alerts import MINUTE, Replay, replay
from storemon.calendar.windows import LAST_WEEK
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means, ReplayQuestion
from storemon.rules.rule import Rule
from storemon.units.durations import format_duration, parse_duration
from storemon.views.answer import Answer


class Replayed(NamedTuple):
    """The rows of an answer, and what they come to."""

    answer: Answer
    summary: pl.DataFrame
    """A row for each rule: ``rule, alerts, notices, busiest_hour, longest``, the last three in words."""


def answer(question: ReplayQuestion, rules: Sequence[Rule], snapshot: Snapshot, means: Means) -> Replayed:
    """List the alerts in a window, by default of the last week, and how often they would have been told.

    Raises:
        StoremonError: as for `storemon.answers.alerts.replay`.

    """
    if question.policy != "carry":
        raise InputError("rules go by the policy carry only; leave out --policy")
    windows, now = question.windows(LAST_WEEK), question.now(snapshot)
    asked = question.asked(now, windows, means)
    every = MINUTE if question.every is None else parse_duration(question.every)
    found = replay(snapshot, rules, every=every, **asked)
    return Replayed(Answer([found.alerts], {}, "alerts", now, in_time=True), _summary(found, rules))


def _summary(found: Replay, rules: Sequence[Rule]) -> pl.DataFrame:
    lasted = pl.col("resolved_at").fill_null(found.until) - pl.col("fired_at")
    alerts, rows = found.alerts.with_columns(lasted=lasted), []
    for rule in rules:
        of_rule = alerts.filter(rule=rule.name)
        notices = _notices(found.notices.filter(rule=rule.name), rule)
        busiest = _busiest(of_rule.filter(pl.col("fired_at") >= found.since))
        rows.append((rule.name, len(of_rule), notices, busiest, _longest(of_rule)))
    schema = {"rule": pl.String, "alerts": pl.Int64, **dict.fromkeys(("notices", "busiest_hour", "longest"), pl.String)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _notices(notices: pl.DataFrame, rule: Rule) -> str:
    if not rule.channels:
        return "tells nobody"
    counts = dict(notices.group_by("channel").len().sort("channel").iter_rows())
    return ", ".join(f"{channel} {counts.get(channel, 0):,}" for channel in dict.fromkeys([*rule.channels, *counts]))


def _busiest(alerts: pl.DataFrame) -> str | None:
    if alerts.is_empty():
        return None
    hours = alerts.group_by(pl.col("fired_at").dt.truncate("1h")).len()
    hour, count = hours.sort("len", "fired_at", descending=[True, False]).row(0)
    return f"{hour:%Y-%m-%d %H}:00 UTC: {count:,}"


def _longest(alerts: pl.DataFrame) -> str | None:
    if alerts.is_empty():
        return None
    longest = alerts.sort("lasted", descending=True, maintain_order=True).row(0, named=True)
    goes_on = "" if longest["resolved_at"] is not None else ", and goes on"
    return f"{format_duration(longest['lasted']) or '0s'} ({longest['subject']}{goes_on})"
