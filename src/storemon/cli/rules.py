"""The command of rules: check a file of them, replay them over the past, list those in force."""

import sys
from typing import TYPE_CHECKING, Literal

from storemon.cli.channels import RulesFile
from storemon.cli.options import ANY_WORK, Work
from storemon.cli.output import ANYWHERE, Output
from storemon.cli.records import RecordsFolder
from storemon.errors import InputError, StoremonError
from storemon.questions.options import ReplayQuestion
from storemon.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from storemon.lake.snapshot import Snapshot
    from storemon.rules.rule import Rule

_QUESTION = ReplayQuestion()


def rules(
    action: Literal["check", "replay", "list"],
    /,
    *,
    rules: RulesFile = None,
    question: ReplayQuestion = _QUESTION,
    work: Work = ANY_WORK,
    output: Output = ANYWHERE,
    reports: RecordsFolder = None,
) -> None:
    """Check the rules of a file, replay them over the past, or list those in force.

    Parameters
    ----------
    action
        check tells each mistake in the file, and what each rule asks about; replay tells the alerts that there would
        have been in a window (default: last_week), and how often they would have been told; list those in force.

    """
    if action != "replay" and (question != _QUESTION or output != ANYWHERE):
        raise InputError(f"a question and --out go with replay only; leave them out of: storemon rules {action}")
    settings = Settings.load(rules=rules, lake=work.lake, reports=reports)
    if action == "check":
        _check(settings)
    elif action == "list":
        _list(settings)
    else:
        _replay(settings, question, work, output)


def _check(settings: Settings) -> None:
    from storemon.rules.file import channels_of
    from storemon.watch.book import read_whole

    file, channels = read_whole(settings.rules)
    told = {name for rule in file.rules for name in channels_of(rule)}
    for channel in channels.named.values():
        unused = "" if channel.name in told else "; no rule tells it"
        sys.stdout.write(f"channel {channel.name}: {channel.kind}, {channel.where}{unused}\n")
    subjects = _Subjects(settings.lake)
    for rule in file.rules:
        sys.stdout.write(f"rule {rule.name}: {_words(rule)}{subjects.count(rule)}\n")
    if not file.rules:
        sys.stderr.write(f"storemon: {settings.rules}: there are no rules\n")
    for warning in subjects.warnings:
        sys.stderr.write(f"storemon: {warning}\n")


class _Subjects:
    """Counts what rules ask about, if there is a lake."""

    def __init__(self, lake: str) -> None:
        from storemon.lake.kept import KeptLake

        self.warnings: list[str] = []
        self._known: tuple[Snapshot, pl.DataFrame] | None = None
        try:
            snapshot = KeptLake(lake).snapshot()
            if (now := snapshot.newest_poll()) is not None:
                from storemon.engine.chosen import chosen_stores
                from storemon.engine.question import Question

                self._known = snapshot, chosen_stores(snapshot, Question(now))
        except StoremonError as error:
            self.warnings.append(f"nobody can tell what the rules ask about: {error}")

    def count(self, rule: "Rule") -> str:
        from storemon.rules.subjects import subjects_of

        if self._known is None:
            return ""
        snapshot, stores = self._known
        try:
            count = len(subjects_of(snapshot, stores, rule).names)
        except InputError as error:
            self.warnings.append(f"the rule {rule.name!r} asks about nothing for now: {error}")
            return "; asks about nothing"
        if not count:
            self.warnings.append(f"the rule {rule.name!r} asks about nothing for now: no store has all of its tags")
        what = "group" if rule.of_groups else "store"
        return f"; asks about {count:,} {what}{'' if count == 1 else 's'}"


def _list(settings: Settings) -> None:
    from storemon.records.opening import opened_records
    from storemon.watch.book import Book

    records = opened_records(settings)
    try:
        in_force = Book(settings, records).in_force()
    finally:
        records.dispose()
    if not in_force.rules:
        sys.stderr.write(f"storemon: there are no rules, neither in {settings.rules} nor sent\n")
    for rule in in_force.rules:
        source = str(settings.rules) if rule.name in in_force.of_file else "sent"
        sys.stdout.write(f"{rule.name}: {_words(rule)}; {source}\n")


def _replay(settings: Settings, question: ReplayQuestion, work: Work, output: Output) -> None:
    from storemon.questions.alerts import answer
    from storemon.watch.book import read_whole

    output.check()
    file, _ = read_whole(settings.rules)
    snapshot, means = work.open(question)
    told = answer(question, file.rules, snapshot, means)
    output.tell(told.answer)
    _sum_up(told.summary, is_quiet=output.out is None and not output.on_terminal)


def _sum_up(summary: "pl.DataFrame", *, is_quiet: bool) -> None:
    """Draw what it comes to, where it is not among the rows."""
    from rich.console import Console

    from storemon.views.table import draw_table

    console = Console(file=sys.stderr if is_quiet else sys.stdout, highlight=False, markup=False, emoji=False)
    if len(summary):
        draw_table(console, summary, {}, whole=True)
    else:
        console.print("there are no rules in the file")


def _words(rule: "Rule") -> str:
    from storemon.units.durations import format_duration

    where = "".join(f", {tag}={value}" for tag, value in rule.where.items())
    by = f" by {', '.join(rule.by)}" if rule.by else ""
    channels: Sequence[str] = [
        *rule.channels,
        *(f"{channel} after {format_duration(step.after)}" for step in rule.escalate for channel in step.channels),
    ]
    return f"{rule.condition}{by}{where}; {rule.severity}; tells {', '.join(channels) or 'nobody'}"
