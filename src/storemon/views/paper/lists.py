"""The lists on the pages of a report: groups, stores, outages."""

import polars as pl

from storemon.views.paper.charts import Shown, shares
from storemon.views.paper.parts import Paper, Row
from storemon.views.paper.wording import count, length, local, percent, points, several, shortened


def groups(paper: Paper) -> Shown | None:
    """List the worst groups; None if none was down."""
    if paper.groups is None or paper.groups.is_empty():
        return None
    by = ", ".join(map(shortened, paper.by))
    more = paper.group_count - len(paper.groups)
    others = f" {several(more, 'group')} more {'is' if more == 1 else 'are'} not listed." if more else ""
    note = f"The least available first. Change: in points of availability, since {paper.before}.{others}"
    return {"title": f"By {by}", "what": by, "counted": True, "rows": _rows(paper.groups), "note": note}


def stores(paper: Paper) -> Shown | None:
    """List the worst stores; None if none was down."""
    rows = paper.stores
    if rows.is_empty():
        return None
    title = "The store" if paper.store_count == 1 else f"The worst {several(len(rows), 'store')}"
    order = "The least available first; of those alike, the ones that were down the longest. " * (len(rows) > 1)
    note = f"{order}Change: in points of availability, since {paper.before}. Longest: of one outage."
    return {"title": title, "what": "Store", "counted": False, "rows": _rows(rows), "note": note}


def outages(paper: Paper) -> Shown:
    """List the longest outages."""
    listed = len(paper.outages)
    if not listed:
        return {"title": "Outages", "rows": [], "note": "There was none."}
    rows = [
        _name(row)
        | {
            "since": local(row["starts_at"], row["zone"], paper.as_of),
            "until": "goes on" if row["ongoing"] else local(row["ends_at"], row["zone"], paper.as_of),
            "ongoing": row["ongoing"],
            "downtime": length(row["downtime"]),
            "whole": length(row["whole_downtime"]),
        }
        for row in paper.outages.iter_rows(named=True)
    ]
    of = f"{listed} of {several(paper.outage_count, 'outage')}, those" if paper.outage_count > listed else "Those"
    note = (
        f"{of} with the most open time in this window first. Times are by each store's own clocks. Closing time does "
        "not end an outage. Where it began and ended is as exact as the polls are close."
    )
    return {"title": "The longest outages" if listed > 1 else "The outage", "rows": rows, "note": note}


def _rows(listed: pl.DataFrame) -> list[Shown]:
    return [
        shares(row)
        | _name(row)
        | {
            "stores": count(row.get("stores")),
            "availability": percent(row["availability"]),
            "change": points(row["availability_change"]),
            "worse": row["availability_change"] is not None and row["availability_change"] < 0,
            "downtime": length(row["downtime"]),
            "outages": count(row["outages"]),
            "longest": length(row["longest_outage"]),
        }
        for row in listed.iter_rows(named=True)
    ]


def _name(row: Row) -> Shown:
    """Give what a store is called, and its id below; or its id alone, or what a group is called."""
    store_id = row.get("store_id")
    if not row["name"]:
        return {"name": shortened(str(store_id)), "sub": ""}
    return {"name": shortened(row["name"]), "sub": shortened(store_id or "")}
