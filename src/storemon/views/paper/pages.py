"""What the pages of a report show, in texts and shares: plain values, for the template."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import polars as pl

from storemon.units.zones import EDITION
from storemon.views.paper.parts import Paper, Row, Spread
from storemon.views.paper.wording import (
    change,
    count,
    length,
    local,
    percent,
    points,
    several,
    share,
    shortened,
    spoken,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_LABELS = 16
_LEAST_RANGE = (
    10.0  # points of availability from the lightest shade to the darkest, so that little does not look like much
)

_BELIEVED = {
    "carry": "The latest poll is believed until the next one, for {} at the most; after that the state is unknown.",
    "nearest": "The nearest poll is believed, before or after, if it is at most {} away; else the state is unknown.",
}

Shown = dict[str, Any]


def pages(paper: Paper) -> Shown:
    """Lay out a report."""
    now, totals = paper.as_of, paper.totals
    known = totals is not None and bool(totals["service"])
    return {
        "pdf_title": f"Uptime, {paper.title}: {paper.stretch}",
        "date": {"year": now.year, "month": now.month, "day": now.day}
        | {"hour": now.hour, "minute": now.minute, "second": now.second},
        "kind": "Uptime report",
        "as_of": f"as of {now:%a} {now.day} {now:%b %Y, %H:%M} UTC",
        "title": paper.title,
        "stretch": paper.stretch,
        "which": paper.which,
        "footer": f"{shortened(paper.title)} · as of {now:%Y-%m-%d %H:%M:%S} UTC · storemon {version('storemon')}",
        "lead": _lead(paper),
        "kpis": _kpis(totals) if totals and known else [],
        "changed": f"Below each figure: the change since {paper.before}.",
        "bar": _bar(totals) if totals and known else None,
        "target": _target(paper) if totals and known and paper.target is not None else None,
        "groups": _groups(paper) if paper.groups is not None and known else None,
        "stores": _stores(paper) if known else None,
        "spread": _spread(paper.spread) if paper.store_count > 1 and known else [],
        "parts": _parts(paper) if known and len(paper.parts) > 1 else None,
        "hours": _hours(paper.hours) if known else None,
        "outages": _outages(paper) if known else None,
        "known": _known(paper) if totals else [],
        "method": _method(paper),
    }


def _lead(paper: Paper) -> list[str]:
    totals, spread = paper.totals, paper.spread
    if totals is None:
        return ["No store was polled up to then, so there is nothing to tell."]
    if not totals["service"]:
        return ["No store was open in this time by its hours, so there is nothing to tell."]
    if totals["availability"] is None:
        return ["Nothing is known of this time: no poll is recent enough to be believed."]
    more = totals["availability_change"]
    than = (
        ""
        if more is None
        else f", as in {paper.before}"
        if not more
        else (f", {abs(more):.2f} points {'more' if more > 0 else 'less'} than in {paper.before}")
    )
    said = [f"The stores were up for {percent(totals['availability'])} of the open time that is known{than}."]
    if not totals["downtime"]:
        said.append("No store was down.")
    elif paper.store_count > 1:
        said.append(
            f"Of {several(paper.store_count, 'store')}, {count(spread.up_throughout)} "
            f"{'was' if spread.up_throughout == 1 else 'were'} never down, and {count(spread.down_throughout)} never up."
        )
    if paper.groups is not None and len(paper.groups) and paper.group_count > 1:
        worst = paper.groups.row(0, named=True)
        said.append(
            f"The worst of {several(paper.group_count, 'group')} by {', '.join(paper.by)}: {worst['name']}, {percent(worst['availability'])}."
        )
    return said


def _kpis(totals: Row) -> list[Shown]:
    def kpi(name: str, value: str, more: str, *, is_worse: bool) -> Shown:
        return {"name": name, "value": value, "change": more, "worse": is_worse}

    def shares(name: str, label: str) -> Shown:
        more: Decimal | None = totals[f"{name}_change"]
        return kpi(
            label,
            percent(totals[name]),
            points(more) if more is None else f"{points(more)} points",
            is_worse=more is not None and more < 0,
        )

    def lengths(name: str, label: str) -> Shown:
        more: timedelta | None = totals[f"{name}_change"]
        is_worse = more is not None and (more > timedelta()) and name != "uptime"
        return kpi(label, length(totals[name]), change(more), is_worse=is_worse)

    more = totals["outages_change"]
    outages = kpi(
        "Outages",
        count(totals["outages"]),
        points(None) if more is None else _signed(more),
        is_worse=bool(more and more > 0),
    )
    return [
        shares("availability", "Availability"),
        lengths("downtime", "Downtime"),
        outages,
        lengths("unknown", "Unknown"),
        shares("coverage", "Coverage"),
    ]


def _signed(number: int) -> str:
    return f"{'+' if number > 0 else '−' if number else '±'}{abs(number):,}"


def _shares(row: Mapping[str, Any]) -> Shown:
    return {
        "up": share(row["uptime"], row["service"]),
        "down": share(row["downtime"], row["service"]),
        "unknown": share(row["unknown"], row["service"]),
    }


def _bar(totals: Row) -> Shown:
    return _shares(totals) | {
        "up_text": f"up {length(totals['uptime'])}",
        "down_text": f"down {length(totals['downtime'])}",
        "unknown_text": f"unknown {length(totals['unknown'])}",
        "whole_text": f"of {length(totals['service'])} in which stores were open",
    }


def _target(paper: Paper) -> Shown:
    totals = paper.totals or {}
    target = (paper.target or "").strip().removesuffix("%").rstrip()
    left = totals["left"]
    is_met = left >= timedelta()
    reached = "was met" if is_met else "was missed"
    stores = (
        ""
        if paper.store_count == 1
        else f" Of {several(paper.store_count, 'store')}, {count(paper.missed)} missed it on their own."
    )
    return {
        "title": f"The target of {target} %",
        "said": f"The target {reached}: downtime of {length(totals['budget'])} was allowed, and there was {length(totals['spent'])}.{stores}",
        "figures": [
            ("Budget", length(totals["budget"])),
            ("Spent", length(totals["spent"])),
            ("Left", length(left)),
            ("Burn rate", "–" if totals["burn_rate"] is None else f"{totals['burn_rate']:,.2f}"),
        ],
    }


def _listed(rows: pl.DataFrame) -> list[Shown]:
    return [
        _shares(row)
        | {
            "name": shortened(row["name"] or row["store_id"]),
            "sub": shortened(row["store_id"]) if row.get("store_id") and row["name"] else "",
            "stores": count(row.get("stores")),
            "availability": percent(row["availability"]),
            "change": points(row["availability_change"]),
            "worse": row["availability_change"] is not None and row["availability_change"] < 0,
            "downtime": length(row["downtime"]),
            "outages": count(row["outages"]),
            "longest": length(row["longest_outage"]),
        }
        for row in rows.iter_rows(named=True)
    ]


def _groups(paper: Paper) -> Shown | None:
    rows = paper.groups if paper.groups is not None else pl.DataFrame()
    by = ", ".join(paper.by)
    if rows.is_empty():
        return None
    others = paper.group_count - len(rows)
    note = f"The other {several(others, 'group')} fared no worse." if others else ""
    return {
        "title": f"By {by}",
        "what": by,
        "counted": True,
        "rows": _listed(rows),
        "note": f"Change: in points of availability, against {paper.before}. {note}",
    }


def _stores(paper: Paper) -> Shown | None:
    rows = paper.stores
    if rows.is_empty():
        return None
    title = (
        "The store"
        if paper.store_count == 1
        else f"The {len(rows)} worst stores"
        if len(rows) > 1
        else "The worst store"
    )
    note = (
        ""
        if paper.store_count == 1
        else "The least available first; of those alike, the ones that were down the longest. "
    )
    return {
        "title": title,
        "what": "Store",
        "counted": False,
        "rows": _listed(rows),
        "note": f"{note}Longest: of one outage. Change: in points of availability, against {paper.before}.",
    }


def _spread(spread: Spread) -> list[Shown]:
    names = ("never up", "under 50 %", "50 to 95 %", "95 % or more", "never down", "nothing known")
    shades = (1.0, 0.75, 0.5, 0.2, 0.0, None)
    most = max(spread)
    return [
        {"name": name, "count": count(number), "share": round(number / most, 5), "shade": shade}
        for name, number, shade in zip(names, spread, shades, strict=True)
    ]


def _parts(paper: Paper) -> Shown:
    rows = paper.parts.to_dicts()
    shares = [_shares(row) for row in rows]
    most = max((each["down"] + each["unknown"] for each in shares), default=0.0) or 1.0
    step = -(-len(rows) // _MOST_LABELS)
    bars = [
        {
            "label": _label(row[paper.unit], paper.unit) if not place % step else "",
            "value": f"{each['down']:.0%}" if len(rows) <= _MOST_LABELS else "",
            "down": each["down"] / most,
            "unknown": each["unknown"] / most,
        }
        for place, (row, each) in enumerate(zip(rows, shares, strict=True))
    ]
    downs = [each["down"] for each in shares]
    worst = downs.index(max(downs))
    told = f"{_label(rows[worst][paper.unit], paper.unit)} had the most downtime: {downs[worst]:.0%} of its open time"
    return {
        "title": f"By {paper.unit}",
        "alt": f"Columns for each {paper.unit}: the share of open time that was down, and unknown. {told}.",
        "bars": bars,
        "down_text": f"down, share of open time; {told}" if downs[worst] else "down, share of open time",
        "unknown_text": f"unknown; the tallest column is {most:.0%}",
    }


def _label(begins: Any, unit: str) -> str:
    if unit == "hour":
        return f"{begins:%a %H}"
    if unit == "month":
        return f"{begins:%b %Y}"
    return f"{begins:%a} {begins.day} {begins:%b}" if unit == "day" else f"{begins.day} {begins:%b}"


def _hours(hours: pl.DataFrame) -> Shown | None:
    cells = hours.to_dicts()
    known = [float(cell["availability"]) for cell in cells if cell["availability"] is not None]
    if not known:
        return None
    worst, best = min(known), max(known)

    def cell(row: Row) -> Shown:
        value = row["availability"]
        is_open = bool(row["service"])
        if value is None:
            return {"text": "", "shade": None, "open": is_open}
        shade = (best - float(value)) / max(best - worst, _LEAST_RANGE)
        return {"text": str(int(value)), "shade": round(shade, 4), "open": is_open}

    days = [
        {"name": name[:3], "cells": [cell(each) for each in cells[day * 24 : day * 24 + 24]]}
        for day, name in enumerate(WEEKDAYS)
        if any(each["service"] for each in cells[day * 24 : day * 24 + 24])
    ]
    least = min((each for each in cells if each["availability"] is not None), key=lambda each: each["availability"])
    when = f"{WEEKDAYS[least['weekday']]} {least['hour']:02d}:00 to {least['hour'] + 1:02d}:00"
    told = f"Worst: {when}, {percent(least['availability'])}; best: {best:.2f} %. " if best > worst else ""
    return {
        "title": "When in the week",
        "days": days,
        "note": f"Availability in % of each hour of the week, by the stores' own clocks, in whole percent, rounded down; the darker the worse. {told}"
        "Blank: no store is open. Hatched: nothing is known.",
    }


def _outages(paper: Paper) -> Shown:
    rows = [
        {
            "name": shortened(row["name"] or row["store_id"]),
            "sub": shortened(row["store_id"]) if row["name"] else "",
            "since": local(row["starts_at"], row["zone"], paper.as_of),
            "until": "goes on" if row["ongoing"] else local(row["ends_at"], row["zone"], paper.as_of),
            "ongoing": row["ongoing"],
            "downtime": length(row["downtime"]),
            "whole": length(row["whole_downtime"]),
        }
        for row in paper.outages.iter_rows(named=True)
    ]
    if not rows:
        return {"title": "Outages", "rows": [], "note": "There was none."}
    of = f"{len(rows)} of {several(paper.outage_count, 'outage')}" if paper.outage_count > len(rows) else "All of them"
    return {
        "title": "The longest outages" if len(rows) > 1 else "The outage",
        "rows": rows,
        "note": f"{of}, by their open time here. Times are by each store's own clocks. Closing time does not end an outage. "
        "It began between the last poll that found the store up and the first that did not: the poll decides.",
    }


def _known(paper: Paper) -> list[str]:
    totals = paper.totals or {}
    said = []
    if totals["service"]:
        nothing = paper.spread.nothing_known
        of = f"; nothing at all is known of {several(nothing, 'store')}" if nothing else ""
        said.append(
            f"{percent(totals['coverage'])} of the open time is known. Of {length(totals['unknown'])} nobody can tell, as no poll is recent enough{of}. "
            "That time is neither up nor down."
        )
    if paper.weak:
        said.append(f"{paper.weak[0].upper()}{paper.weak[1:]}.")
    return said


def _method(paper: Paper) -> list[tuple[str, str]]:
    totals = paper.totals or {}
    taken = totals.get("excluded")
    out = f" Maintenance took out {length(taken)}." if taken else ""
    return [
        ("Opening hours.", f"Only time in which a store is open counts, by its own hours and clocks.{out}"),
        ("Polls.", _BELIEVED[paper.policy].format(spoken(paper.carry_limit))),
        (
            "Availability",
            "is uptime / (uptime + downtime): unknown time counts neither way. Coverage is the share that is known.",
        ),
        (
            "Rounding.",
            "Percentages are rounded down, so that an outage never shows as 100 %; lengths of time to the nearest minute, or hour.",
        ),
        ("Groups.", "A group's percentage is of the sums of its stores' times, never a mean of percentages."),
        (
            "Facts.",
            f"Nothing that was observed after {paper.as_of:%Y-%m-%d %H:%M:%S} UTC counts. Time zones are those of edition {EDITION} of the IANA database. All rules: docs/semantics.md.",
        ),
    ]
