"""The report, asked in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast, get_args

from storemon.answers.report import report_by_range
from storemon.calendar.periods import Unit
from storemon.calendar.schedule import DEFAULT_ZONE
from storemon.calendar.windows import DEFAULT_WINDOWS, LAST_WEEK, Window
from storemon.engine.measures import SEVEN_COLUMNS, Measure, chosen, parse_target
from storemon.engine.question import Policy, require_one_of
from storemon.engine.tags import parse_where
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.questions.about import facts
from storemon.questions.options import Means, ReportQuestion, split
from storemon.units.instants import EVER, parse_instant
from storemon.views.answer import About, Answer, Column, legend_of_report, worst_of

_LENGTHS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}


def check(question: ReportQuestion, means: Means) -> None:
    """Refuse what can't be understood, whatever the facts are.

    Raises:
        InputError: an option can't be understood, or two don't go together.

    """
    if question.every is not None:
        require_one_of(question.every, get_args(Unit), "unit")
    require_one_of(question.policy, get_args(Policy), "policy")
    if question.as_of is not None:
        parse_instant(question.as_of)
    question.limit(means)
    question.tags()
    parse_where(split(question.where))
    if question.every is not None and (len(windows_of(question)) > 1 or question.versus is not None):
        raise InputError("a series cuts one window, and compares it with none; leave one window, or the series out")
    legend(question)


def legend(question: ReportQuestion) -> Mapping[str, Column]:
    """Tell what the columns of figures are.

    Raises:
        InputError: a measure or a window can't be understood.

    """
    versus = question.versus is not None
    return legend_of_report(_told(question), windows_of(question), every=_unit(question), versus=versus)


def answer(question: ReportQuestion, snapshot: Snapshot, means: Means) -> Answer:
    """Compute measures of each store or group, by default in the last hour, day and week.

    Raises:
        StoremonError: as for `storemon.answers.report.report`, here and while the rows are read.

    """
    now = question.now(snapshot)
    frames = report_by_range(
        snapshot,
        measures=_names(question),
        every=_unit(question),
        group_by=question.tags(),
        target=question.target,
        versus_previous=question.versus is not None,
        **question.asked(now, windows_of(question), means),
    )
    told = legend(question)
    rows = "rows" if question.every or question.overall else "groups" if question.group_by else "stores"
    in_time, said = question.every is not None, about(question, now, means)
    return Answer(frames, told, rows, now, worst_of(told), in_time=in_time, facts=said.facts)


def about(question: ReportQuestion, now: datetime, means: Means) -> About:
    """Say what an answer of some now rests on.

    Raises:
        InputError: a window can't be understood.

    """
    return About(now, facts(question, now, means, windows_of(question), question.target))


def parts(question: ReportQuestion, snapshot: Snapshot) -> int:
    """Estimate how many parts of windows are computed for each store, no less than there are, without making them.

    Raises:
        StoremonError: the question can't be understood, or there is no now.

    """
    check(question, Means(EVER, 0))
    now, windows = question.now(snapshot), windows_of(question)
    count = len(windows)
    if question.every:
        starts_at, ends_at = windows[0].span.bounds(now, DEFAULT_ZONE, windows[0].back)
        count = (ends_at - starts_at) // _LENGTHS[question.every] + 2
    return count if question.versus is None else 2 * count


def _names(question: ReportQuestion) -> list[str]:
    return [*(split(question.measures) or SEVEN_COLUMNS), *(["unknown"] if question.wide else [])]


def _told(question: ReportQuestion) -> dict[str, Measure]:
    return chosen(_names(question), None if question.target is None else parse_target(question.target))


def _unit(question: ReportQuestion) -> Unit | None:
    return cast("Unit | None", question.every)


def windows_of(question: ReportQuestion) -> Sequence[Window]:
    """Tell which windows it is about.

    Raises:
        InputError: one can't be understood.

    """
    return question.windows(*([LAST_WEEK] if question.every else DEFAULT_WINDOWS))
