"""What the pages of a report show, in texts and shares: plain values, for the template."""

from datetime import timedelta
from importlib.metadata import version

from storemon.units.zones import EDITION
from storemon.views.paper import charts, lists
from storemon.views.paper.charts import Shown
from storemon.views.paper.parts import Paper, Row
from storemon.views.paper.wording import (
    NONE,
    change,
    count,
    length,
    more_or_less,
    percent,
    points,
    several,
    shortened,
    spoken,
)

_BELIEVED = {
    "carry": "The latest poll is believed until the next one, for {} at the most; after that the state is unknown.",
    "nearest": "The nearest poll is believed, before or after, if it is at most {} away; else the state is unknown.",
}


def pages(paper: Paper) -> Shown:
    """Lay out a report: what it is of, and the totals; where, when and how long; and what to think of it."""
    now, totals = paper.as_of, paper.totals
    at = {name: getattr(now, name) for name in ("year", "month", "day", "hour", "minute", "second")}
    shown: Shown = {
        "pdf_title": f"Uptime, {shortened(paper.title)}: {paper.stretch}",
        "date": at,
        "kind": "Uptime report",
        "as_of": f"as of {now:%a} {now.day} {now:%b %Y, %H:%M} UTC",
        "title": shortened(paper.title),
        "stretch": paper.stretch,
        "which": paper.which,
        "footer": f"{shortened(paper.title)} · as of {now:%Y-%m-%d %H:%M:%S} UTC · storemon {version('storemon')}",
        "lead": " ".join(_lead(paper)),
        "known": _known(paper),
        "method": _method(paper),
        "totals": None,
    }
    if totals is None or not totals["service"]:
        return shown
    return shown | {
        "totals": {"figures": _figures(totals), "note": _compared(paper), "bar": charts.bar(totals)},
        "target": None if paper.target is None else _target(paper, paper.target, totals),
        "groups": lists.groups(paper),
        "stores": lists.stores(paper),
        "spread": charts.spread(paper.spread) if paper.store_count > 1 else [],
        "parts": charts.parts(paper) if len(paper.parts) > 1 else None,
        "hours": charts.hours(paper.hours),
        "outages": lists.outages(paper),
    }


def _lead(paper: Paper) -> list[str]:
    totals, spread = paper.totals, paper.spread
    if totals is None:
        return ["No such store had been polled by then, so there is nothing to tell."]
    if not totals["service"]:
        return ["By their hours no store was open in this time, so there is nothing to tell."]
    if totals["availability"] is None:
        return ["Nothing is known of this time: no poll is recent enough to be believed."]
    stores = "The store was" if paper.store_count == 1 else "The stores were"
    said = [f"{stores} up for {percent(totals['availability'])} of the open time that is known{_since(paper, totals)}."]
    if not totals["downtime"]:
        said.append("There was no downtime.")
    elif paper.store_count > 1:
        never_down = f"{_of(spread.up_throughout)} {'was' if spread.up_throughout == 1 else 'were'} never down"
        said.append(
            f"Of {several(paper.store_count, 'store')} {never_down}, and {_of(spread.down_throughout)} never up."
        )
    if paper.groups is not None and len(paper.groups) and paper.group_count > 1:
        worst = paper.groups.row(0, named=True)
        which = f"{shortened(worst['name'])}, {percent(worst['availability'])}"
        said.append(f"The worst of {paper.group_count:,} groups is {which}.")
    return said


def _of(number: int) -> str:
    return count(number) if number else "none"


def _since(paper: Paper, totals: Row) -> str:
    more = totals["availability_change"]
    if more is None:
        return ""
    if not more:
        return f", as in {paper.before}"
    return f", {abs(more):.2f} points {'more' if more > 0 else 'less'} than in {paper.before}"


def _figures(totals: Row) -> list[Shown]:
    """List the totals, each with its change, and whether that is for the worse."""

    def figure(name: str, value: str, said: str, *, worse: bool) -> Shown:
        is_told = totals[f"{name}_change"] is not None
        return {
            "name": name.capitalize(),
            "value": value,
            "change": said if is_told else NONE,
            "worse": is_told and worse,
        }

    nothing = timedelta()
    more = {name: totals[f"{name}_change"] for name in ("availability", "downtime", "outages", "unknown", "coverage")}
    shares = {
        name: figure(name, percent(totals[name]), f"{points(more[name])} points", worse=(more[name] or 0) < 0)
        for name in ("availability", "coverage")
    }
    lengths = {
        name: figure(name, length(totals[name]), change(more[name]), worse=(more[name] or nothing) > nothing)
        for name in ("downtime", "unknown")
    }
    outages = figure(
        "outages", count(totals["outages"]), more_or_less(more["outages"] or 0), worse=(more["outages"] or 0) > 0
    )
    return [shares["availability"], lengths["downtime"], outages, lengths["unknown"], shares["coverage"]]


def _compared(paper: Paper) -> str:
    whole = "; as that one is whole, lengths of time and numbers compare badly" if paper.so_far else ""
    return f"Below each figure: the change since {paper.before}{whole}."


def _target(paper: Paper, target: str, totals: Row) -> Shown:
    wanted = target.strip().removesuffix("%").rstrip()
    met = "met" if totals["left"] >= timedelta() else "missed"
    stores = (
        f" Of {several(paper.store_count, 'store')}, {count(paper.missed)} missed it." if paper.store_count > 1 else ""
    )
    allowed = f"{length(totals['budget'])} of downtime were allowed, and there were {length(totals['spent'])}"
    burn_rate = totals["burn_rate"]
    return {
        "title": f"The target of {wanted} %",
        "said": f"The target was {met}: {allowed}.{stores}",
        "figures": [
            ("Budget", length(totals["budget"])),
            ("Spent", length(totals["spent"])),
            ("Left", length(totals["left"])),
            ("Burn rate", NONE if burn_rate is None else f"{burn_rate:,.2f}"),
        ],
    }


def _known(paper: Paper) -> list[str]:
    totals = paper.totals
    if totals is None:
        return []
    said = []
    if totals["service"]:
        share = f"{percent(totals['coverage'])} of the open time is known."
        unknown = f" Of {length(totals['unknown'])} nobody can tell, as no poll is recent enough to be believed."
        nothing = paper.spread.nothing_known
        stores = f" Of {several(nothing, 'store')} nothing at all is known." if nothing else ""
        said.append(f"{share}{unknown if totals['unknown'] else ''}{stores} Unknown time is neither up nor down.")
    if paper.weak:
        said.append(f"{paper.weak[0].upper()}{paper.weak[1:]}.")
    return said


def _method(paper: Paper) -> list[tuple[str, str]]:
    taken = paper.totals["excluded"] if paper.totals else None
    out = f" Maintenance took out {length(taken)}." if taken else ""
    believed = _BELIEVED[paper.policy].format(spoken(paper.carry_limit))
    rounded = "Percentages are rounded down, so that an outage never shows as 100 %; lengths of time to the minute"
    as_of = f"Nothing that was observed after {paper.as_of:%Y-%m-%d %H:%M:%S} UTC counts."
    return [
        ("Opening hours.", f"Only time in which a store is open counts, by its own hours and clocks.{out}"),
        ("Polls.", believed),
        (
            "Availability",
            "is uptime / (uptime + downtime); unknown time counts neither way. Coverage is what is known.",
        ),
        ("Rounding.", f"{rounded}, and from 100 hours on to the hour, half up."),
        ("Groups.", "A group's percentage is of the sums of its stores' times, never a mean of percentages."),
        ("Facts.", f"{as_of} Time zones: edition {EDITION} of the IANA database. All rules: docs/semantics.md."),
    ]
