"""The texts of notices: a title, what a person reads, the same as a mail shows it, and what a program reads."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args
from uuid import NAMESPACE_URL, uuid5

import structlog
from jinja2 import PackageLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from storemon.errors import InputError
from storemon.rules.rule import Severity
from storemon.watch import phrases
from storemon.watch.messages import Message
from storemon.watch.phrases import MOST_LISTED, Alert
from storemon.watch.templating import rendered, require_template

ACKNOWLEDGE = "storemon alerts acknowledge"
"""The command that acknowledges; an alert's id follows."""
MOST_ALERTS = 10_000
"""So many alerts a message carries for programs; ``count`` tells how many there are."""
NAMES = ("alert", "alerts", "count", "kind", "link", "rule", "severity", "text", "title")
"""The names that templates know."""

_MANY = {
    "down": ("stores are down", "stores are up again"),
    "silent": ("stores are silent", "stores are heard of again"),
    "below": ("{} are below their availability", "{} have recovered"),
    "burn": ("{} burn their budget too fast", "{} burn their budget no longer too fast"),
    "group": ("groups have too many stores down", "groups have enough stores up again"),
}
_WHY = {
    "repeated": "This was told before. It goes on, and nobody has acknowledged it.",
    "escalated": "Others were told before you. It goes on, and nobody has acknowledged it.",
    "flapping": "It comes and goes. It is told again only after a quiet time.",
    "digest": "This came together outside of your hours.",
}
_log = structlog.stdlib.get_logger("storemon.notices")


def require_templates(templates: Mapping[str, str]) -> None:
    """Refuse templates of a rule that could not be used.

    Raises:
        InputError: one can't be read, or has in it what it may not.

    """
    for name, template in templates.items():
        try:
            require_template(template, NAMES)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error


def message_of(
    notice_id: str,
    kind: str,
    rule: str,
    alerts: Sequence[Alert],
    *,
    templates: Mapping[str, str] | None = None,
    link: str = "",
) -> Message:
    """Write a notice. It never fails: in the place of a template that does, the usual text is written, and why.

    Args:
        notice_id: what it goes by.
        kind: fired, repeated, escalated, flapping, resolved or digest.
        rule: whose alerts these are.
        alerts: what it tells of, at least one; see `storemon.watch.messages.Message`.
        templates: those of the rule, ``title`` and ``text``; empty ones are as if they were not there.
        link: where more is to be seen.

    """
    severity = max((alert["severity"] for alert in alerts), key=get_args(Severity).index)
    names = {"kind": kind, "rule": rule, "severity": severity, "count": len(alerts), "link": link}
    usual = _usual(kind, rule, alerts, link, severity)
    names |= {"title": usual["title"], "text": _text(usual), "alert": _named(alerts[0])}
    names |= {"alerts": [_named(alert) for alert in alerts[:MOST_LISTED]]}
    wanted = {name: text for name, text in (templates or {}).items() if text}
    title = _filled("title", wanted, names)
    text = _filled("text", wanted, names)
    shown = usual | {"title": title, "own": text if "text" in wanted else ""}
    return Message(
        id=notice_id,
        title=" ".join(title.split()),
        text=text,
        html=_templates("notice.html").render(shown),
        severity="info" if kind == "resolved" else severity,
        data={
            "kind": kind,
            "rule": rule,
            "count": len(alerts),
            "alerts": [dict(alert) for alert in alerts[:MOST_ALERTS]],
            **({"link": link} if link else {}),
        },
    )


def digest_of(messages: Sequence[Message], link: str = "") -> Message:
    """Write one message of many notices of alerts, the oldest first: each alert as it was told last."""
    latest: dict[str, Alert] = {}
    for message in messages:
        latest |= {alert["id"]: alert for alert in message.data["alerts"]}
    rules = sorted({alert["rule"] for alert in latest.values()})
    # The same notices make the same digest: if it comes twice, that can be told.
    notice_id = str(uuid5(NAMESPACE_URL, "storemon digest " + " ".join(message.id for message in messages)))
    told = message_of(notice_id, "digest", ", ".join(rules), list(latest.values()), link=link)
    told.data["notices"] = [message.id for message in messages]
    return told


def trial_message(notice_id: str, channel: str) -> Message:
    """Write a notice that only tries a channel."""
    title = f"A test of the channel {channel}"
    text = "This is a test by storemon. Nothing is wrong: who reads it will be told of alerts here."
    usual = {"title": title, "own": text, "severity": "info", "mark": "test", "rows": [], "alerts": []}
    html = _templates("notice.html").render(usual | {"why": "", "more": 0, "link": "", "commands": []})
    return Message(id=notice_id, title=title, text=text, html=html, data={"kind": "test", "rule": "", "alerts": []})


def headline(kind: str, rule: str, alerts: Sequence[Alert]) -> str:
    """Tell in one line what a notice is about."""
    kinds, still = (
        {str(alert.get("kind")) for alert in alerts},
        sum(alert.get("resolved_at") is None for alert in alerts),
    )
    on = f"{'all' if still == len(alerts) else still or 'none'} of them still on"
    if kind == "digest":
        return f"{_counted(len(alerts), 'alert')} outside of your hours, {on}"
    if len(alerts) > 1 and all(alert.get("dropped") for alert in alerts):
        return f"{len(alerts):,} alerts of {rule} are closed: nobody watches them any more"
    if len(alerts) == 1:
        told = phrases.headline(alerts[0])
        return f"{phrases.name_of(alerts[0])} goes up and down" if kind == "flapping" else told
    dropped = any(alert.get("dropped") for alert in alerts)
    if still in {0, len(alerts)} and not dropped and len(kinds) == 1 and (many := _MANY.get(kinds.pop())):
        subjects = "stores" if any(alert.get("zone") for alert in alerts) else "groups"  # a store has clocks
        return f"{len(alerts):,} {many[not still].format(subjects)}"
    return f"{len(alerts):,} alerts of {rule}, {on}"


def _usual(kind: str, rule: str, alerts: Sequence[Alert], link: str, severity: str) -> dict[str, Any]:
    """Gather what the usual texts tell."""
    mark = "closed" if all(alert.get("dropped") for alert in alerts) else ""
    mark = mark or {"resolved": "resolved", "digest": "digest", "flapping": f"{severity}, flapping"}.get(kind, "")
    mark = mark or (severity if kind == "fired" else f"{severity}, {kind}")
    one = len(alerts) == 1 and kind != "digest"
    listed = sorted(alerts, key=lambda alert: alert.get("resolved_at") is not None)[:MOST_LISTED]
    still = [alert for alert in listed if alert.get("resolved_at") is None]
    return {
        "title": f"[{mark}] {headline(kind, rule, alerts)}",
        "mark": mark,
        "severity": "resolved" if _all_over(alerts) else severity,
        "why": _WHY.get(kind, ""),
        "rows": phrases.rows(alerts[0]) if one else [],
        "alerts": [] if one else [_named(alert) for alert in listed],
        "more": len(alerts) - MOST_LISTED if len(alerts) > MOST_LISTED else 0,
        "link": link,
        "commands": [f"{ACKNOWLEDGE} {still[0]['id']}"] if one and still else [],
    }


def _named(alert: Alert) -> dict[str, Any]:
    """Give an alert the names by which templates know what is told of it."""
    return {
        **{name: alert.get(name) for name in ("id", "rule", "kind", "subject", "severity")},
        "tags": dict(alert.get("tags") or {}),
        "facts": dict(alert.get("facts") or {}),
        "name": phrases.name_of(alert),
        "headline": phrases.headline(alert),
        "since": phrases.since(alert),
        "fired_at": phrases.moment(alert.get("fired_at"), alert),
        "resolved_at": phrases.moment(alert.get("resolved_at"), alert),
        "sure": phrases.sure(alert),
        "share": phrases.share(alert),
        "members": phrases.members(alert),
        "figures": phrases.figures(alert),
    }


def _filled(name: str, templates: Mapping[str, str], names: Mapping[str, Any]) -> str:
    """Fill in a template of the rule; the usual text if there is none, and also if it fails."""
    if name not in templates:
        return str(names[name])
    try:
        require_template(templates[name], NAMES)
        return rendered(templates[name], names)
    except InputError as error:
        _log.warning("template not used", rule=names["rule"], template=name, reason=str(error))
        return str(names[name]) + (f"\n\n(The template of this rule was not used: {error}.)" if name == "text" else "")


def _text(usual: Mapping[str, Any]) -> str:
    return _templates("notice.txt").render(usual).strip()


def _all_over(alerts: Sequence[Alert]) -> bool:
    return all(alert.get("resolved_at") is not None for alert in alerts)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


@cache
def _templates(name: str) -> Template:
    environment = SandboxedEnvironment(
        loader=PackageLoader("storemon.watch"),
        undefined=StrictUndefined,
        autoescape=lambda file: bool(file and file.endswith(".html")),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
