"""What is told of one alert, in words: what, where, since when, how sure, and how many others.

An alert is the mapping that a message carries. Any of its facts can be missing: then nothing is told of it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from storemon.units.instants import parse_instant
from storemon.units.zones import zone_info, zone_names
from storemon.views.words import brief

Alert = Mapping[str, Any]
MOST_LISTED = 20


def name_of(alert: Alert) -> str:
    """Name the subject: a store by its name and id, a group by its tags."""
    subject, name = str(alert.get("subject") or ""), (alert.get("tags") or {}).get("name")
    if name and name != subject:
        return f"{name} ({subject})"
    if not subject:
        return "all stores"
    if alert.get("kind") == "group" or "=" in subject:
        return ", ".join(" ".join(part.strip().split("=", 1)) for part in subject.split(","))
    return f"store {subject}"


def headline(alert: Alert) -> str:
    """Tell in one line what it is, or that it is over."""
    if alert.get("dropped"):
        return f"{name_of(alert)} is not watched any more by {alert.get('rule')}"
    return _known(alert)


def _known(alert: Alert) -> str:
    name, facts, over = name_of(alert), _facts(alert), alert.get("resolved_at") is not None
    match alert.get("kind"):
        case "down":
            return f"{name} is up again" if over else f"{name} is down"
        case "silent":
            return f"{name} is heard of again" if over else f"{name} is silent"
        case "below":
            return f"{name}: availability has recovered" if over else f"{name}: availability {_below(facts)}"
        case "burn":
            return f"{name} burns its budget no longer too fast" if over else f"{name} burns its budget too fast"
        case "group":
            return f"{name}: enough stores are up again" if over else f"{name}: {_of_stores(facts)} down"
        case _:
            return f"{name}: {alert.get('rule')} is over" if over else f"{name}: {alert.get('rule')}"


def rows(alert: Alert) -> list[tuple[str, str]]:
    """Tell what is known, a line each: what it is about, and the words."""
    tags = [f"{tag} {value}" for tag, value in (alert.get("tags") or {}).items() if tag != "name" and value]
    told = [
        ("Where", " · ".join(tags)),
        ("Since", since(alert)),
        ("Until", until(alert)),
        ("Figures", figures(alert)),
        ("How sure", sure(alert)),
        ("Others", share(alert)),
        ("Members", members(alert)),
        ("Rule", f"{alert.get('rule')}, {alert.get('severity')}"),
    ]
    return [(label, text) for label, text in told if text]


def described(alert: Alert) -> str:
    """Tell all of it in a paragraph."""
    return ". ".join(f"{label}: {text.rstrip('.')}" for label, text in rows(alert)) + "."


def since(alert: Alert) -> str:
    """Tell when it began by the store's own clocks, and how much open time that was when it was found."""
    began = _facts(alert).get("since") or alert.get("fired_at")
    open_time_s = _facts(alert).get("open_time_s")
    so_far = (
        f", for {brief(timedelta(seconds=float(open_time_s)))} of open time when it was found" if open_time_s else ""
    )
    return moment(began, alert, with_zone=True) + so_far


def until(alert: Alert) -> str:
    """Tell when it was over, and after how long; nothing as long as it is not."""
    began, ended = _instant(_facts(alert).get("since") or alert.get("fired_at")), _instant(alert.get("resolved_at"))
    if ended is None:
        return ""
    lasted = f", after {brief(ended - began)}" if began and ended >= began else ""
    return moment(ended, alert, with_zone=True) + lasted


def figures(alert: Alert) -> str:
    """Tell what was measured, of a rule that measures."""
    facts = _facts(alert)
    match alert.get("kind"):
        case "below":
            window, coverage = facts.get("window"), facts.get("coverage")
            return _sentence(
                f"availability {percent(facts.get('availability'))}" if facts.get("availability") is not None else "",
                f"over {window}" if window else "",
                f"with {percent(coverage)} of the open time known" if coverage is not None else "",
            )
        case "burn":
            rates = [f"{number(facts[name])} ({name})" for name in ("long", "short") if facts.get(name) is not None]
            return _sentence(
                f"burn rate {' and '.join(rates)}" if rates else "",
                f"of a target of {percent(facts['target'])}" if facts.get("target") is not None else "",
                f"where {number(facts['factor'])} is too much" if facts.get("factor") is not None else "",
            )
        case _:
            return ""


def sure(alert: Alert) -> str:
    """Tell which polls the beginning lies between."""
    facts = _facts(alert)
    if alert.get("kind") == "silent":
        heard = facts.get("last_polled_at")
        return f"The last poll came at {moment(heard, alert)}" if heard else ""
    if alert.get("kind") != "down":
        return ""
    up, down = facts.get("started_after"), facts.get("first_inactive_at")
    return (
        _sentence(
            f"The last active poll was at {moment(up, alert)}" if up else "No active poll is known before it",
            f"the first inactive one at {moment(down, alert, after=up)}" if down else "",
            joint=", ",
        )
        if up or down
        else ""
    )


def share(alert: Alert) -> str:
    """Tell how much of its group is down, as long as that may still be so."""
    found = alert.get("share") or {}
    if alert.get("resolved_at") is not None or not found.get("open") or found.get("down") is None:
        return ""
    group = " ".join(str(found.get("group") or "all").split("=", 1))
    part = f" ({percent(found['down'] / found['open'])})"
    return f"{found['down']:,} of {found['open']:,} open stores of {group} are down{part}"


def members(alert: Alert) -> str:
    """List who is down in a group."""
    found: Sequence[Any] = _facts(alert).get("members") or ()
    more = f" and {len(found) - MOST_LISTED:,} more" if len(found) > MOST_LISTED else ""
    return ", ".join(str(each) for each in found[:MOST_LISTED]) + more


def moment(at: Any, alert: Alert, *, with_zone: bool = False, after: Any = None) -> str:
    """Write an instant, or its text, as the store's clocks show it; in UTC where nobody knows its zone.

    Of one on the same day as another that it is told ``after``, only the time is written.
    """
    instant, other = _instant(at), _instant(after)
    if instant is None:
        return ""
    zone = alert.get("zone")
    clocks = zone_info(zone) if zone in zone_names() else UTC
    local = instant.astimezone(clocks)
    same_day = other is not None and other.astimezone(clocks).date() == local.date()
    place = f" ({zone})" if with_zone and clocks is not UTC else ""
    return f"{local:%H:%M %Z}{place}" if same_day else f"{local:%a %d %b %Y, %H:%M %Z}{place}"


def percent(share_of: Any) -> str:
    """Write a share in percent, rounded down, so that a lack never shows as all; text is taken as it is."""
    if isinstance(share_of, str):
        return share_of
    hundredths = (Decimal(str(share_of)) * 100).quantize(Decimal("0.01"), ROUND_DOWN)
    return f"{hundredths.normalize():f}%"


def number(value: Any) -> str:
    """Write a number with two decimals at the most; text is taken as it is."""
    return value if isinstance(value, str) else f"{round(float(value), 2):g}"


def _below(facts: Alert) -> str:
    threshold = facts.get("threshold")
    return f"is below {percent(threshold)}" if threshold is not None else "is too low"


def _of_stores(facts: Alert) -> str:
    down, open_now = facts.get("down"), facts.get("open")
    if down is None:
        return "too many stores are"
    return f"{down:,} of {open_now:,} open stores are" if open_now else f"{down:,} stores are"


def _sentence(*parts: str, joint: str = " ") -> str:
    return joint.join(part for part in parts if part)


def _facts(alert: Alert) -> Alert:
    return alert.get("facts") or {}


def _instant(at: Any) -> datetime | None:
    if not at:
        return None
    return at if isinstance(at, datetime) else parse_instant(str(at))
