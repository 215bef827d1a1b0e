"""Commands about alerts: list, show, acknowledge; and about silences."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from storemon.cli.channels import RulesFile
from storemon.cli.options import LakePlace
from storemon.cli.records import RecordsFolder
from storemon.cli.telling import moment, require_only, this_user, whole_id, write_labelled
from storemon.errors import InputError
from storemon.questions.options import Texts, split
from storemon.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Engine

    from storemon.watch.alerts.kept import Alerts, Kept
    from storemon.watch.alerts.silences import Silence, Silences

Reason = Annotated[str | None, Parameter(help="Why, for others.")]
Author = Annotated[str | None, Parameter(help="Who wants it (default: the user who runs the command).")]


def alerts(
    action: Literal["list", "show", "acknowledge"] = "list",
    alert: str | None = None,
    /,
    *,
    state: Literal["open", "acknowledged", "closed"] | None = None,
    rule: str | None = None,
    subject: str | None = None,
    top: int = 50,
    reason: Reason = None,
    author: Author = None,
    reports: RecordsFolder = None,
) -> None:
    """List alerts, show one with all that happened to it, or acknowledge one, so that it is not told again.

    Parameters
    ----------
    action
        list them, those first that fired last; show one; acknowledge one, with a --reason.
    alert
        The alert, by its id, or the first 8 characters of it.
    state
        List only those that are open, acknowledged or closed.
    rule
        List only those of this rule.
    subject
        List only those of this store, or of this group, like region=West.
    top
        List so many.

    """
    from storemon.watch.alerts.kept import Alerts

    if action == "list" and alert is not None:
        raise InputError(f"{alert!r} is too much; say: storemon alerts show {alert}")
    given = {"--state": state, "--rule": rule, "--subject": subject, "--reason": reason, "--author": author}
    allowed = {"list": ("--state", "--rule", "--subject"), "show": (), "acknowledge": ("--reason", "--author")}
    require_only(given, allowed[action], action)
    with _opened(Settings.load(reports=reports)) as records:
        known = Alerts(records)
        if action == "list":
            _list(known.newest(max(1, top), state=state, rule=rule, subject=subject), max(1, top))
            return
        found = whole_id(alert, "alert", known.beginning)
        if action == "show":
            _show(known, found)
        elif reason is None:
            raise InputError("say why, for others: --reason 'the provider works on it'")
        else:
            known.acknowledge(found, author or this_user(), reason)
            sys.stdout.write(f"{found}: acknowledged\n")


def silences(
    action: Literal["list", "add", "end"] = "list",
    silence: str | None = None,
    /,
    *,
    where: Annotated[Texts, Parameter(show_default=False)] = (),
    for_: Annotated[str | None, Parameter(name="--for", help="How long, like 2h.")] = None,
    until: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from", help="An instant when it begins (default: now).")] = None,
    reason: Reason = None,
    author: Author = None,
    ended: Annotated[bool, Parameter(help="List those that have ended.")] = False,
    lake: LakePlace = None,
    reports: RecordsFolder = None,
    rules: RulesFile = None,
) -> None:
    """List silences, add one, or end one: as long as it lasts, nothing is told of alerts that match.

    Parameters
    ----------
    action
        list those that last or are to come; add one; end one now.
    silence
        The silence to end, by its id, or the first 8 characters of it.
    where
        What is silent: rule=down, severity=info, subject=4711, or a tag like region=West; all of them must match.
    until
        An instant when it ends, in place of --for.

    """
    from storemon.watch.alerts.silences import Silences

    if action != "end" and silence is not None:
        raise InputError(f"{silence!r} is too much; say: storemon silences end {silence}")
    given = {"--where": where, "--for": for_, "--until": until, "--from": from_, "--reason": reason, "--author": author}
    require_only(given | {"--ended": ended}, {"list": ("--ended",), "add": tuple(given), "end": ()}[action], action)
    settings = Settings.load(lake=lake, reports=reports, rules=rules)
    with _opened(settings) as records:
        known = Silences(records)
        if action == "list":
            _list_silences(known, ended=ended)
        elif action == "end":
            _end(known, whole_id(silence, "silence", known.beginning))
        else:
            matching = _matching(settings, records, where)
            if reason is None:
                raise InputError("say why, for others: --reason 'new tills'")
            starts_at, ends_at = _times(from_, until, for_)
            added = known.add(matching, starts_at, ends_at, author or this_user(), reason)
            sys.stdout.write(f"{_line(added)}\n")


@contextmanager
def _opened(settings: Settings) -> "Iterator[Engine]":
    from storemon.records.opening import opened_records

    records = opened_records(settings)
    try:
        yield records
    finally:
        records.dispose()


def _list(found: "list[Kept]", top: int) -> None:
    from storemon.views.table import printable
    from storemon.watch.alerts.kept import state_of

    if not found:
        sys.stderr.write("storemon: there are no such alerts\n")
    for each in found:
        over = f" to {moment(each.resolved_at)}" if each.resolved_at is not None else ""
        state = f"{state_of(each)}{', stale' if each.stale else ''}"
        sys.stdout.write(
            f"{each.id}  {state:<12}  {each.severity:<8}  {printable(each.rule)}  {printable(each.subject)}  "
            f"{moment(each.fired_at)}{over}\n"
        )
    if len(found) == top:
        sys.stderr.write(f"storemon: these are the last {top:,}; there may be more: --top\n")


def _show(known: "Alerts", alert_id: str) -> None:
    from storemon.views.table import printable
    from storemon.watch.alerts.kept import state_of

    one = known.get(alert_id)
    if one is None:
        raise InputError(f"there is no alert {alert_id!r}; see: storemon alerts list")
    stale = ", nobody knows whether it goes on" if one.stale else ""
    told = {
        "id": one.id,
        "rule": one.rule,
        "subject": one.subject,
        "tags": ", ".join(f"{tag}={value}" for tag, value in (one.facts.get("tags") or {}).items()) or "none",
        "severity": one.severity,
        "state": f"{state_of(one)}{stale}",
        "fired": moment(one.fired_at),
        "over": "not yet" if one.resolved_at is None else moment(one.resolved_at),
        **{name.replace("_", " "): _fact(value) for name, value in (one.facts.get("facts") or {}).items()},
    }
    write_labelled(told)
    sys.stdout.write("\n")
    for event in known.events(alert_id):
        why = ", ".join(filter(None, (event.author, event.reason)))
        sys.stdout.write(f"{moment(event.happened_at)}  {event.what}{printable(f': {why}') if why else ''}\n")


def _fact(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _matching(settings: Settings, records: "Engine", where: Texts) -> dict[str, str]:
    """Read what is to be silent, and refuse what matches nothing."""
    from storemon.engine.tags import parse_where
    from storemon.lake.kept import KeptLake
    from storemon.watch.alerts.kept import Alerts
    from storemon.watch.alerts.matching import require_matching
    from storemon.watch.book import Book

    if not where:
        raise InputError("say what is silent: --where region=West, or rule=down, severity=info, subject=4711")
    matching = parse_where(split(where))
    rules = Book(settings, records).in_force().rules
    require_matching(matching, KeptLake(settings.lake).snapshot(), rules, Alerts(records))
    return matching


def _times(from_: str | None, until: str | None, for_: str | None) -> "tuple[datetime | None, datetime]":
    from datetime import UTC, datetime

    from storemon.units.durations import parse_duration
    from storemon.units.instants import parse_instant, shifted

    if (until is None) == (for_ is None):
        raise InputError("say how long: --for 2h, or --until 2024-10-14T12:00Z; one of them")
    starts_at = None if from_ is None else parse_instant(from_)
    if until is not None:
        return starts_at, parse_instant(until)
    return starts_at, shifted(starts_at or datetime.now(UTC), parse_duration(str(for_)))


def _list_silences(known: "Silences", *, ended: bool) -> None:
    found = known.all(ended=ended)
    if not found:
        sys.stderr.write("storemon: there are no silences\n")
    for each in found:
        sys.stdout.write(f"{_line(each)}\n")


def _end(known: "Silences", silence_id: str) -> None:
    if not known.end(silence_id):
        raise InputError(f"the silence {silence_id} has ended already")
    sys.stdout.write(f"{silence_id}: ended; what it kept back is told by the next look\n")


def _line(silence: "Silence") -> str:
    from storemon.views.table import printable

    matching = ",".join(f"{name}={value}" for name, value in silence.matching.items()) or "everything"
    why = printable(f"{silence.author}: {silence.reason}")
    return f"{silence.id}  {moment(silence.starts_at)} to {moment(silence.ends_at)}  {printable(matching)}  {why}"
