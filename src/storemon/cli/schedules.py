"""The command of schedules: answers that are sent again and again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from storemon.cli.asking import Form, asked
from storemon.cli.records import RecordsFolder
from storemon.errors import InputError
from storemon.questions.options import Texts
from storemon.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storemon.records.jobs import Job
    from storemon.watch.schedules.kept import Kept, Schedules
    from storemon.watch.schedules.schedule import Schedule

_SHOWN = 20  # runs of a history
_TICKS = 3  # that are told ahead


def schedules(
    action: Literal["add", "list", "show", "pause", "resume", "run", "history", "remove"],
    name: str | None = None,
    /,
    *words: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
    cron: str | None = None,
    zone: str | None = None,
    to: Annotated[Texts, Parameter(show_default=False)] = (),
    grace: str = "2h",
    form: Form = None,
    reports: RecordsFolder = None,
    rules: Annotated[Path | None, Parameter(help="File of the channels (default: rules.toml).")] = None,
) -> None:
    """Send an answer again and again, by a cron expression in a time zone, to people, webhooks, folders or S3.

    Parameters
    ----------
    action
        add NAME ... -- COMMAND keeps a schedule, in place of one of this name; list all; show one; pause and resume it;
        run it now; tell the history of its runs; remove it.
    name
        What the schedule is called.
    cron
        When: minute, hour, day of the month, month, day of the week, like '0 7 * * MON'.
    zone
        By whose clocks, like America/Chicago.
    to
        A channel of the rules' file, or an address: mail:ops@example.org, https://…, folder:PATH, s3://BUCKET/PATH; may
        be given several times.
    grace
        For how long the polls of the window are waited for; 0 for not at all.

    """
    from storemon.records.opening import opened_records
    from storemon.watch.schedules.kept import Schedules

    settings = Settings.load(reports=reports, rules=rules)
    if (words and action != "add") or (name and action == "list"):
        raise InputError(f"{' '.join(words) or name!r} is too much: see storemon schedules --help")
    records = opened_records(settings)
    try:
        kept = Schedules(records)
        if action == "list":
            _list(kept)
        elif name is None:
            raise InputError(f"name the schedule, like: storemon schedules {action} weekly")
        elif action == "add":
            if cron is None or zone is None:
                raise InputError("say when, and by whose clocks: --cron '0 7 * * MON' --zone America/Chicago")
            given = {"cron": cron, "zone": zone, "to": list(to), "grace": grace}
            _add(kept, name, _written(words, form, given), settings.rules)
        else:
            _do(settings, kept, action, name)
    finally:
        records.dispose()


def _written(words: Texts, form: str | None, given: dict[str, Any]) -> "Schedule":
    from storemon.questions.kinds import given as options_of
    from storemon.watch.schedules.schedule import AskedQuestion, Schedule

    kind, question, own_form = asked(words)
    if form and own_form and form != own_form:
        raise InputError(f"the form is {form} before the -- and {own_form} behind it; say it once")
    return Schedule(question=AskedQuestion(kind, options_of(question)), form=form or own_form or "csv", **given)


def _add(kept: "Schedules", name: str, schedule: "Schedule", rules: Path) -> None:
    from storemon.watch.channels.reading import Channels, read_tables

    is_new = kept.put(name, schedule, Channels(read_tables(rules)))
    if found := kept.get(name):
        sys.stdout.write(f"{name}: {'kept' if is_new else 'replaced'}; {_next(found)}\n")


def _do(settings: Settings, kept: "Schedules", action: str, name: str) -> None:
    from storemon.records.jobs import Jobs

    found = kept.get(name)
    if found is None:
        raise InputError(f"there is no schedule {name!r}; see: storemon schedules list")
    jobs = Jobs(kept.records, lease=settings.lease, max_queued=settings.max_queued)
    if action == "show":
        _show(found)
    elif action == "history":
        _history(jobs.list("schedule", _SHOWN, schedule=name), found)
    elif action == "run":
        job = kept.run(found, jobs)
        sys.stdout.write(f"{name}: job {job}; a service with this folder does it: storemon schedules history {name}\n")
    elif action == "pause":
        kept.pause(name)
        sys.stdout.write(f"{name}: paused; no tick starts it until: storemon schedules resume {name}\n")
    elif action == "resume":
        kept.resume(name)
        sys.stdout.write(f"{name}: {_next(kept.get(name) or found)}\n")
    else:
        kept.remove(name)
        sys.stdout.write(f"{name}: removed\n")


def _list(kept: "Schedules") -> None:
    found, newest = kept.list(), kept.newest()
    if not found:
        sys.stderr.write("storemon: there are no schedules; make one with: storemon schedules add --help\n")
    for each in found:
        job = newest.get(each.name)
        sys.stdout.write(f"{each.name}  {_next(each)}  {each.schedule.words()}  {_told(job, each.schedule.zone)}\n")


def _show(found: "Kept") -> None:
    from storemon.watch.channels.reading import shown
    from storemon.watch.schedules.telling import moment

    schedule, ticks = found.schedule, found.schedule.ticks()
    ahead: list[str] = []
    at = found.next_at
    while at is not None and not found.paused and len(ahead) < _TICKS:
        ahead.append(moment(at, schedule.zone))
        at = ticks.after(at)
    told = {
        "name": found.name,
        "asks": schedule.words(),
        "cron": f"{schedule.cron} ({ticks.explain()}), {schedule.zone}",
        "next": "paused" if found.paused else ", ".join(ahead),
        "to": ", ".join(map(shown, schedule.to)),
        "form": schedule.form,
        "grace": schedule.grace,
        "written": f"{moment(found.written_at, 'UTC')}{f' by {found.author}' if found.author else ''}",
    }
    width = max(map(len, told))
    sys.stdout.writelines(f"{label:<{width}}  {text}\n" for label, text in told.items())


def _history(jobs: "Sequence[Job]", found: "Kept") -> None:
    if not jobs:
        sys.stderr.write(f"storemon: {found.name} has not run yet; {_next(found)}\n")
    for job in jobs:
        sys.stdout.write(f"{job.id}  {_told(job, found.schedule.zone)}\n")


def _next(found: "Kept") -> str:
    from storemon.watch.schedules.telling import moment

    if found.paused or found.next_at is None:
        return "paused"
    return f"next {moment(found.next_at, found.schedule.zone)}"


def _told(job: "Job | None", zone: str) -> str:
    from storemon.watch.schedules.runs import run_of

    return "never run" if job is None else run_of(job).words(zone)
