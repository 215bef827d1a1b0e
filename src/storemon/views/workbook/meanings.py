"""What each column is called and means, in plain words; docs/semantics.md has the full rules."""

from collections.abc import Collection, Mapping

import polars as pl

from storemon.views.answer import About, Column, Legend

_MEASURES = {
    "uptime": ("Uptime", "Open time in which a store is held to be up."),
    "downtime": ("Downtime", "Open time in which a store is held to be down."),
    "unknown": ("Unknown", "Open time of which nobody can tell: no poll is recent enough to be believed."),
    "service": ("Service time", "Open time in the window: uptime + downtime + unknown, exactly."),
    "excluded": ("Excluded", "Open time taken out by maintenance: neither up, nor down, nor unknown."),
    "uptime_min": (
        "Uptime at least",
        "What the polls prove: open time between two active polls that follow each other.",
    ),
    "uptime_max": ("Uptime at most", "Open time but for that between two inactive polls that follow each other."),
    "coverage": ("Coverage", "How much of the service time is known: (uptime + downtime) / service time."),
    "availability": ("Availability", "Uptime / (uptime + downtime). Unknown time counts neither way."),
    "outages": ("Outages", "How many times a store was down in open time; closing time does not end an outage."),
    "longest_outage": ("Longest outage", "The open time of the longest outage, as much of it as lies in the window."),
    "mttr": ("Mean time to repair", "The mean downtime of the window's outages that have ended."),
    "mtbf": ("Mean time between outages", "Uptime / number of outages."),
    "budget": ("Budget", "Downtime that the target allows: (1 - target) * (uptime + downtime)."),
    "spent": ("Spent", "Downtime, set against the budget."),
    "left": ("Left", "Budget - spent. Below zero, the target is missed."),
    "burn_rate": (
        "Burn rate",
        "How many times faster than the target allows the budget is spent. Above 1, it is missed.",
    ),
    "whole_downtime": ("Whole downtime", "All open time of the outage, also what lies outside the window."),
    "elapsed": ("Elapsed", "From the outage's start to its end by the clock, closing time included."),
    "open_time": ("Open time since", "The store's open time since it has been in this state."),
}
_COLUMNS = {
    "store_id": ("Store", "The store's id."),
    "stores": ("Stores", "How many stores there are in the group."),
    "window": ("Window", "Which of the windows the row is of."),
    "starts_at": ("Starts at", "The first open instant at which the store is held to be down."),
    "ends_at": ("Ends at", "The end of the last open time in which it was down; of one that goes on: so far."),
    "ongoing": ("Ongoing", "Whether the outage reaches the answer's now."),
    "started_after": ("Started after", "The last poll before it that found the store up: it began after this."),
    "ended_before": ("Ended before", "The first poll after it that found the store up: it ended before this."),
    "weekday": ("Weekday", "0 is Monday, 6 is Sunday, by the store's own calendar."),
    "hour": ("Hour", "By the store's own clocks."),
    "day": ("Day", "By the store's own calendar."),
    "week": ("Week", "The Monday on which it begins, by the store's own calendar."),
    "month": ("Month", "Its first day, by the store's own calendar."),
    "state": ("State", "What is held true: active, inactive or unknown."),
    "is_open": ("Is open", "Whether the store is open by its hours."),
    "since": ("Since", "Where the state began, however long ago."),
    "last_polled_at": ("Last polled at", "The newest poll."),
    "last_active_at": ("Last active at", "The newest poll that found the store up."),
    "next_change_at": ("Next change at", "The next opening or closing."),
    "open": ("Open", "How many of the stores are open by their hours."),
    "open_active": ("Open and active", "How many of the open ones are held to be up."),
    "open_inactive": ("Open and inactive", "How many of the open ones are held to be down."),
    "open_unknown": ("Open and unknown", "Of how many of the open ones nobody can tell."),
    "closed": ("Closed", "How many of the stores are closed by their hours."),
    "finding": ("Finding", "What was looked for."),
    "count": ("Count", "How often it was found."),
    "meaning": ("Meaning", "What that does to the figures."),
    "examples": ("Examples", "The first of them, in JSON."),
    "file": ("File", "Where the row was."),
    "line": ("Line", "Which line of the file it was, the header being the first."),
    "row": ("Row", "The row as it stood there."),
    "reason": ("Reason", "Why it could not be read."),
    "rejected_at": ("Rejected at", "When it was set aside."),
}
_ALERTS: dict[str, str] = {
    "rule": "The rule, by its name.",
    "subject": "The store, or the tags of the group, that it is about.",
    "kind": "What sort of rule it is.",
    "severity": "How urgent the rule calls it.",
    "fired_at": "The first instant at which the rule held, even before the window.",
    "resolved_at": "The first instant from which on it was clear; empty while the alert goes on.",
    "stale": "Whether nobody can tell any more if it goes on.",
    "notices": "How many notices would have told of it, to all channels together.",
}
"""What the columns of alerts mean. Tags may be called so too: only all of them together are alerts."""
_SIDES = {"previous": "The same, of the window before.", "change": "How much more that is than in the window before."}
_SIDE_HEADINGS = {"previous": "before", "change": "change"}


def is_signed(column: Column) -> bool:
    """Tell whether a figure may be below zero."""
    return column.side == "change" or column.measure == "left"


def heading(name: str, kind: pl.DataType, legend: Legend) -> str:
    """Write what stands over a column: the measure, the window and the unit; of an instant by whose clocks it is."""
    if name in legend:
        column = legend[name]
        word = _MEASURES.get(column.measure, (column.measure, ""))[0]
        told = ", ".join(filter(None, (word, column.window, _SIDE_HEADINGS.get(column.side))))
        if column.unit == "percent" and column.side == "change":
            return f"{told} (points)"
        return f"{told} ({column.unit})" if kind == pl.Duration and is_signed(column) else told
    word = _COLUMNS.get(name, (name, ""))[0]
    if not isinstance(kind, pl.Datetime):
        return word
    return f"{word} (UTC)" if kind.time_zone else f"{word} (local time)"


def meaning(name: str, legend: Legend, others: Collection[str] = ()) -> str:
    """Tell what a column means, among ``others``, in a sentence or two."""
    if name in _ALERTS and set(_ALERTS).issubset(others):
        return _ALERTS[name]
    if name not in legend:
        return _COLUMNS.get(name, ("", "A tag of the stores."))[1]
    column = legend[name]
    return _SIDES[column.side] if column.side else _MEASURES.get(column.measure, ("", ""))[1]


def sections(headings: Mapping[str, str], legend: Legend, about: About) -> dict[str, Mapping[str, str]]:
    """Say what a file is of, what its columns mean, by their headings, and how the figures are made."""
    told = {
        "What it is of": about.facts,
        "What the columns mean": {shown: meaning(name, legend, headings) for name, shown in headings.items()},
        "How the figures are made": _made(legend),
    }
    return {title: lines for title, lines in told.items() if lines}


def _made(legend: Legend) -> dict[str, str]:
    measures = {column.measure for column in legend.values()}
    if not measures:
        return {}
    shaded = {"Colours": "The darker an availability, the worse; white is 100 %. A shade is the same in every file."}
    return {
        "Opening hours": "Only time in which a store is open by its hours counts, by its own clocks.",
        "Sums": "Uptime + downtime + unknown is the service time, to the microsecond.",
        "Lengths of time": "They are numbers, shown as hours:minutes:seconds, so that they can be added up. Those that "
        "may be below zero are in the unit that their heading names.",
        "Percentages": "They are rounded down, so that an outage never shows as 100 %. Those of a group are of its "
        "stores' sums, never a mean of percentages. They are empty where nothing is known.",
    } | (shaded if "availability" in measures else {})
