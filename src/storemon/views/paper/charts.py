"""What is drawn on the pages of a report, in shares and labels."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from storemon.views.paper.parts import Paper, Row, Spread
from storemon.views.paper.wording import count, length, percent, share

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_NAMED = 16  # columns that have room for a date below, and a share above
_MOST_NUMBERED = 62
_LEAST_RANGE = 10.0  # points from the lightest to the darkest shade, at the least: little is not to look like much

Shown = dict[str, Any]


def shares(row: Mapping[str, Any]) -> Shown:
    """Tell which share of open time was up, down and unknown."""
    return {
        "up": share(row["uptime"], row["service"]),
        "down": share(row["downtime"], row["service"]),
        "unknown": share(row["unknown"], row["service"]),
    }


def bar(totals: Row) -> Shown:
    """Show the open time of all stores."""
    return shares(totals) | {
        "up_text": f"up {length(totals['uptime'])}",
        "down_text": f"down {length(totals['downtime'])}",
        "unknown_text": f"unknown {length(totals['unknown'])}",
        "whole_text": f"of {length(totals['service'])} in which stores were open",
    }


def spread(stores: Spread) -> list[Shown]:
    """Show how many stores have which availability."""
    names = ("never up", "under 50 %", "50 to 95 %", "95 % or more", "never down", "nothing known")
    shades = (1.0, 0.75, 0.5, 0.2, 0.0, None)
    most = max(stores)
    return [
        {"name": name, "count": count(number), "share": round(number / most, 5), "shade": shade}
        for name, number, shade in zip(names, stores, shades, strict=True)
    ]


def parts(paper: Paper) -> Shown:
    """Show the days, weeks or months of the window: which share of each was down, and unknown."""
    begins: list[date] = paper.parts[paper.unit].to_list()
    drawn = [shares(row) for row in paper.parts.iter_rows(named=True)]
    tallest = max(each["down"] + each["unknown"] for each in drawn) or 1.0
    named = len(drawn) <= _MOST_NAMED
    bars = [
        {
            "label": _label(at, paper, named=named),
            "value": percent(available) if named else "",
            "down": each["down"] / tallest,
            "unknown": each["unknown"] / tallest,
        }
        for at, each, available in zip(begins, drawn, paper.parts["availability"], strict=True)
    ]
    worst = paper.parts.drop_nulls("availability").sort("availability", maintain_order=True).head(1).to_dicts()
    least = (
        f"{percent(worst[0]['availability'])}, {_label(worst[0][paper.unit], paper, named=True)}" if worst else "none"
    )
    above = "; above: availability" if named else ""
    return {
        "title": f"By {paper.unit}",
        "alt": f"For each {paper.unit}, which share of open time was down, and unknown. Least available: {least}.",
        "bars": bars,
        "down_text": f"down, as a share of open time{above}",
        "unknown_text": f"unknown (the tallest column is {int(tallest * 100)} %). Least available: {least}",
    }


def _label(begins: date, paper: Paper, *, named: bool) -> str:
    """Name a column; where there is little room, by what tells it from the one before it."""
    if paper.unit == "month":
        return f"{begins:%b %Y}" if named else f"{begins:%b}\n{begins.year if begins.month == 1 else ''}"
    if named:
        return f"{begins:%a} {begins.day} {begins:%b}" if paper.unit == "day" else f"{begins.day} {begins:%b}"
    if len(paper.parts) > _MOST_NUMBERED:
        return ""
    is_new = begins.day <= (1 if paper.unit == "day" else 7) or begins == paper.parts[paper.unit][0]
    return f"{begins.day}\n{begins:%b}" if is_new else f"{begins.day}"


def hours(week: pl.DataFrame) -> Shown | None:
    """Show the availability of each hour of the week on which a store is open; None if nothing is known of any."""
    cells = week.to_dicts()
    known = [cell for cell in cells if cell["availability"] is not None]
    if not known:
        return None
    worst, best = (choose(known, key=lambda cell: cell["availability"]) for choose in (min, max))
    lightest = float(best["availability"])
    range_of_shades = max(lightest - float(worst["availability"]), _LEAST_RANGE)

    def cell(row: Row) -> Shown:
        if row["availability"] is None:
            return {"text": "", "shade": None, "open": bool(row["service"])}
        value = row["availability"]
        return {"text": f"{int(value)}", "shade": round((lightest - float(value)) / range_of_shades, 4), "open": True}

    days = [
        {"name": name[:3], "cells": [cell(each) for each in cells[day * 24 : day * 24 + 24]]}
        for day, name in enumerate(WEEKDAYS)
        if any(each["service"] for each in cells[day * 24 : day * 24 + 24])
    ]
    return {"title": "When in the week", "days": days, "note": _told(worst, best)}


def _told(worst: Row, best: Row) -> str:
    when = f"{WEEKDAYS[worst['weekday']]} {worst['hour']:02d}:00 to {worst['hour'] + 1:02d}:00"
    differ = f"Worst: {when}, {percent(worst['availability'])}; best: {percent(best['availability'])}. "
    return (
        "Availability of each hour of the week by the stores' own clocks, in whole percent, rounded down; the darker, "
        f"the worse. {differ if worst['availability'] < best['availability'] else ''}"
        "Blank: no store was open. Hatched: nothing is known."
    )
