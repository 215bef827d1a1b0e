"""Alerts: which there would have been in a window, had these rules been watched."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Unpack

import polars as pl

from storemon.calendar.windows import LAST_WEEK, realise
from storemon.engine.chosen import chosen_stores
from storemon.engine.question import Asked, ask
from storemon.errors import InputError
from storemon.lake.kept import KeptLake
from storemon.lake.snapshot import Snapshot
from storemon.rules.file import read_file, read_text
from storemon.rules.replaying import replayed
from storemon.rules.rule import Rule
from storemon.units.instants import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_INSTANT = pl.Datetime("us", "UTC")
_NONE = pl.DataFrame(
    schema={
        **dict.fromkeys(("rule", "subject", "kind", "severity"), pl.String),
        **dict.fromkeys(("fired_at", "resolved_at"), _INSTANT),
        "stale": pl.Boolean,
    }
)


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
    asked.setdefault("windows", [LAST_WEEK])
    snapshot, question = ask(source, **asked)
    if len(question.windows) > 1:
        raise InputError("alerts are told in one window; leave the others out")
    stores = chosen_stores(snapshot, question)
    edges = realise(question.windows, question.as_of, stores["zone"].unique().to_list())
    if edges.is_empty():
        return _NONE
    read = _read(rules)
    since, until = edges.select(pl.col("starts_at").min(), pl.col("ends_at").max()).row(0)
    looked = replace(question, as_of=EPOCH + until * _MICROSECOND)
    known = stores.filter(pl.col("first_polled_at") <= until)
    found = replayed(snapshot, looked, known, read, since)
    told = [
        each.select(
            pl.lit(rule.name).alias("rule"),
            "subject",
            pl.lit(rule.kind).alias("kind"),
            pl.lit(rule.severity).alias("severity"),
            pl.col("fired_at", "resolved_at").cast(_INSTANT),
            "stale",
        )
        for rule, each in zip(read, found, strict=True)
    ]
    return pl.concat([_NONE, *told]).sort("fired_at", "rule", "subject", maintain_order=True)


def _read(rules: Sequence[Rule] | Path | str) -> Sequence[Rule]:
    if isinstance(rules, Path):
        return read_file(rules).rules
    return read_text(rules).rules if isinstance(rules, str) else rules
