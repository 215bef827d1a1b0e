"""What is known of alerts when they are found: of whom they are, since when, how sure it is, and how others fare."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from storemon.answers.now import now_of
from storemon.calendar.windows import Rolling, Window
from storemon.engine.facts import gather
from storemon.engine.figures import figures
from storemon.engine.question import Question
from storemon.engine.tags import with_tags
from storemon.lake.snapshot import Snapshot
from storemon.rules.conditions import Below, Burn, Group, decimal, percent
from storemon.rules.rule import Rule
from storemon.rules.subjects import Subjects
from storemon.units.durations import format_duration

Facts = dict[str, Any]
"""``zone``, ``tags``, ``share`` and ``facts``, as a message tells them of an alert."""

MOST_MEMBERS = 100
_HUNDREDTH = 10_000


def facts_of(
    snapshot: Snapshot, question: Question, rule: Rule, subjects: Subjects, rows: pl.Series
) -> dict[int, Facts]:
    """Tell what is known at as-of of subjects, by their rows.

    Raises:
        LakeError: the lake can't be read.

    """
    if rows.is_empty():
        return {}
    asked = replace(question, windows=(), policy="carry")
    stores = subjects.stores.filter(pl.col("row").is_in(rows.implode())).sort("store_id")
    names = dict(subjects.names.filter(pl.col("row").is_in(rows.implode())).iter_rows())
    told: dict[int, Facts] = {}
    if rule.of_groups:
        told = {
            row: {"zone": None, "tags": _tags_of_group(rule, names[row]), "share": None, "facts": {}} for row in rows
        }
    else:
        tags, shares = _tags(snapshot, stores), _shares(snapshot, asked, rule, subjects, stores)
        for row, store_id, zone in stores.select("row", "store_id", "zone").iter_rows():
            told[row] = {"zone": zone, "tags": tags.get(store_id, {}), "share": shares.get(store_id), "facts": {}}
    for row, some in _figures(snapshot, asked, rule, stores):
        told[row]["facts"] = some
    return told


def _figures(snapshot: Snapshot, question: Question, rule: Rule, stores: pl.DataFrame) -> Iterator[tuple[int, Facts]]:
    condition = rule.condition
    if isinstance(condition, Below | Burn):
        yield from _in_windows(snapshot, question, condition, stores)
        return
    now = now_of(snapshot, question, stores).with_columns(stores.select("row", "first_polled_at"))
    if isinstance(condition, Group):
        for (row,), some in now.group_by("row"):
            opened = some.filter("is_open")
            down = opened.filter(pl.col("state") == "inactive")["store_id"].sort()
            yield int(str(row)), {"open": len(opened), "down": len(down), "members": down.head(MOST_MEMBERS).to_list()}
        return
    for one in now.iter_rows(named=True):
        known = {
            "last_polled_at": _said(one["last_polled_at"]),
            "since": _said(one["since"]) if rule.kind == "down" else None,
            "open_time_s": _seconds(one["open_time"]) if rule.kind == "down" else None,
            "started_after": _said(one["last_active_at"]) if rule.kind == "down" else None,
            "first_inactive_at": _said(one["since"]) if rule.kind == "down" else None,
        }
        yield one["row"], {name: value for name, value in known.items() if value is not None}


def _in_windows(
    snapshot: Snapshot, question: Question, condition: Below | Burn, stores: pl.DataFrame
) -> Iterator[tuple[int, Facts]]:
    lengths = (condition.over,) if isinstance(condition, Below) else (condition.long, condition.short)
    windows = tuple(Window(str(place), Rolling(length)) for place, length in enumerate(lengths))
    with gather(snapshot, replace(question, windows=windows), stores=stores) as facts:
        times = (
            figures(facts, "carry")
            .group_by("row", "window")
            .agg(pl.col("service_us", "uptime_us", "downtime_us").sum())
        )
    by_row: dict[int, dict[int, tuple[int, int, int]]] = {}
    for row, window, *sums in times.iter_rows():
        by_row.setdefault(row, {})[window] = (sums[0], sums[1], sums[2])
    for row, some in by_row.items():
        if isinstance(condition, Below):
            service, up, down = some[0]
            yield (
                row,
                {
                    "availability": _share(up, up + down),
                    "coverage": _share(up + down, service),
                    "threshold": percent(condition.threshold),
                    "window": format_duration(condition.over),
                },
            )
            continue
        rates = [_rate(condition, up, down) for _, up, down in (some[place] for place in range(len(windows)))]
        yield (
            row,
            {
                "long": f"{rates[0]} over {format_duration(condition.long)}",
                "short": f"{rates[1]} over {format_duration(condition.short)}",
                "factor": decimal(condition.factor),
                "target": percent(condition.target),
            },
        )


def _tags_of_group(rule: Rule, subject: str) -> Mapping[str, str]:
    """Read the tags of a group from its name, which holds them in the order of the rule."""
    tags, rest = {}, subject
    for place, tag in enumerate(rule.by):
        rest = rest.removeprefix(f"{tag}=")
        following = f", {rule.by[place + 1]}=" if place + 1 < len(rule.by) else None
        tags[tag], rest = rest.split(following, 1) if following else (rest, "")
    return tags


def _tags(snapshot: Snapshot, stores: pl.DataFrame) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for store_id, tag, value in snapshot.tags().join(stores, on="store_id", how="semi").iter_rows():
        found.setdefault(store_id, {})[tag] = value
    return found


def _shares(
    snapshot: Snapshot, question: Question, rule: Rule, subjects: Subjects, stores: pl.DataFrame
) -> dict[str, Facts]:
    """Tell of each store how many of its group are open, and how many of these are down."""
    if not rule.by:
        return {}
    placed = with_tags(subjects.stores, snapshot.tags(), rule.by)
    groups = placed.join(stores, on="store_id", how="semi").select(rule.by).unique()
    members = placed.join(groups, on=rule.by, how="semi", maintain_order="left")
    now = members.select("store_id", *rule.by).hstack(now_of(snapshot, question, members).select("is_open", "state"))
    is_down = pl.col("is_open") & (pl.col("state") == "inactive")
    counts = now.group_by(rule.by).agg(open=pl.col("is_open").sum(), down=is_down.sum())
    told = placed.join(stores, on="store_id", how="semi").join(counts, on=rule.by, nulls_equal=True)
    return {
        one["store_id"]: {
            "group": ", ".join(f"{tag}={one[tag]}" for tag in rule.by),
            "open": one["open"],
            "down": one["down"],
        }
        for one in told.iter_rows(named=True)
    }


def _said(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else length // timedelta(seconds=1)


def _share(part: int, whole: int) -> str | None:
    """Write a share in percent, rounded down, so that an outage never shows as 100 %."""
    return None if whole == 0 else f"{part * _HUNDREDTH // whole / 100:.2f}%"


def _rate(condition: Burn, up: int, down: int) -> str:
    allowed = (1 - condition.target) * (up + down)
    return "unknown" if not allowed else f"{int(down / allowed * 100) / 100:.2f}"
