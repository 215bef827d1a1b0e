"""Alerts: which there would have been in a window, had these rules been watched, and who would have been told."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Unpack

import polars as pl

from storemon.calendar.windows import LAST_WEEK, realise
from storemon.engine.chosen import chosen_stores
from storemon.engine.question import Asked, ask
from storemon.errors import InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.rules.file import read_file, read_text
from storemon.rules.rehearsing import alerts_from, rehearsed
from storemon.rules.replaying import replayed
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects, subjects_of
from storemon.units.instants import EPOCH, microseconds

MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_INSTANT = pl.Datetime("us", "UTC")
_NONE = pl.DataFrame(
    schema={
        **dict.fromkeys(("rule", "subject", "kind", "severity"), pl.String),
        **dict.fromkeys(("fired_at", "resolved_at"), _INSTANT),
        "stale": pl.Boolean,
    }
)
_NOTICES = {
    "sent_at": pl.Int64,
    **dict.fromkeys(("rule", "kind", "channel"), pl.String),
    "alerts": pl.Int64,
}


class Replay(NamedTuple):
    """Alerts that there would have been, and what would have been told of them.

    Attributes:
        alerts: as `alerts` gives them, and ``notices``: in how many each would have been told, to all channels.
        notices: ``sent_at, rule, kind, channel, alerts``, the last how many it tells of; in order.
        since: the start of the window.
        until: its end.

    """

    alerts: pl.DataFrame
    notices: pl.DataFrame
    since: datetime
    until: datetime


class _Found(NamedTuple):
    rules: Sequence[Rule]
    subjects: Sequence[Subjects]
    alerts: Sequence[pl.DataFrame]
    since: int
    until: datetime


def alerts(source: KeptLake | Snapshot, rules: Sequence[Rule] | Path | str, **asked: Unpack[Asked]) -> pl.DataFrame:
    """List the alerts that rules make in a window, by default in the last week.

    Args:
        source: a lake, read at its newest version; or a snapshot of one; or frames in its place.
        rules: the rules, or the file or the text that they are written in; see docs/alerts.md.
        **asked: one of ``windows``; ``as_of``, ``carry_limit``, ``where`` and ``memory``; see
            `storemon.engine.question.Asked`. A calendar window goes from the first local midnight of any store to the
            last one. The policy is always ``carry``.

    Returns:
        A row for each alert that fires, or still fires, in the window, in order of ``fired_at``, ``rule`` and
        ``subject``: ``rule``, its name; ``subject``, the id of a store, or the tags of a group; ``kind``; ``severity``;
        ``fired_at``, when the rule first held, however long before the window; ``resolved_at``, null if it still fires
        at the end of the window; ``stale``: it still fires, and nobody knows whether the rule still holds.

    Raises:
        EmptyLakeError: no ``as_of`` is given and there are no polls to take it from.
        InputError: a rule can't be understood, or names a tag that no store has; or something else that is asked for.
        LakeError: the lake can't be read.

    """
    return _in_order([_told(rule, each) for rule, each in _each(_find(source, rules, **asked))])


def replay(
    source: KeptLake | Snapshot,
    rules: Sequence[Rule] | Path | str,
    *,
    every: timedelta = MINUTE,
    **asked: Unpack[Asked],
) -> Replay:
    """List the alerts as `alerts` does, and what a watcher would have told of them that looks so often.

    Of alerts that fired before the window only that is told which would have been told in it. Nobody acknowledges or
    silences anything.

    Raises:
        StoremonError: as for `alerts`.

    """
    found = _find(source, rules, **asked)
    watched = {rule.name: alerts_from(rule, each) for rule, each in _each(found) if rule.channels or rule.of_groups}
    subjects = {rule.name: each for rule, each in zip(found.rules, found.subjects, strict=True)}
    sent, counts = [], Counter[int]()
    for at, (kind, rule, channel, some) in rehearsed(found.rules, watched, subjects, every):
        if at >= found.since:
            sent.append((at, rule, kind, channel, len(some)))
            counts.update(map(id, some))
    told = [
        _told(rule, each).with_columns(
            notices=pl.Series(
                [counts[id(alert)] for alert in watched.get(rule.name, ())] or [0] * len(each), dtype=pl.Int64
            )
        )
        for rule, each in _each(found)
    ]
    notices = pl.DataFrame(sent, schema=_NOTICES, orient="row").with_columns(pl.col("sent_at").cast(_INSTANT))
    return Replay(
        _in_order([_NONE.with_columns(notices=pl.lit(0, pl.Int64)), *told]),
        notices,
        EPOCH + found.since * _MICROSECOND,
        found.until,
    )


def _find(source: KeptLake | Snapshot, rules: Sequence[Rule] | Path | str, **asked: Unpack[Asked]) -> _Found:
    """Find the alerts, rule by rule."""
    asked.setdefault("windows", [LAST_WEEK])
    read = _read(rules)
    snapshot, question = ask(source, **asked)
    if len(question.windows) > 1:
        raise InputError("alerts are told in one window; leave the others out")
    stores = chosen_stores(snapshot, question)
    edges = realise(question.windows, question.as_of, stores["zone"].unique().to_list())
    ends: tuple[int | None, int | None] = edges.select(pl.col("starts_at").min(), pl.col("ends_at").max()).row(0)
    since, until = (microseconds(question.as_of) if end is None else end for end in ends)
    known = stores.filter(pl.col("first_polled_at") <= until)
    subjects = [subjects_of(snapshot, known, rule) for rule in read]
    ends_at = EPOCH + until * _MICROSECOND
    found = replayed(snapshot, replace(question, as_of=ends_at), read, subjects, since)
    return _Found(read, subjects, found, since, ends_at)


def _read(rules: Sequence[Rule] | Path | str) -> Sequence[Rule]:
    if isinstance(rules, Path):
        return read_file(rules).rules
    return read_text(rules).rules if isinstance(rules, str) else rules


def _each(found: _Found) -> Iterator[tuple[Rule, pl.DataFrame]]:
    return zip(found.rules, found.alerts, strict=True)


def _told(rule: Rule, found: pl.DataFrame) -> pl.DataFrame:
    return found.select(
        pl.lit(rule.name).alias("rule"),
        "subject",
        pl.lit(rule.kind).alias("kind"),
        pl.lit(rule.severity).alias("severity"),
        pl.col("fired_at", "resolved_at").cast(_INSTANT),
        "stale",
    )


def _in_order(told: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([*told] or [_NONE]).sort("fired_at", "rule", "subject", maintain_order=True)
