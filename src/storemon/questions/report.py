"""The report, asked in words."""

from typing import TYPE_CHECKING, cast

from storemon.answers.report import report_by_range
from storemon.calendar.windows import DEFAULT_WINDOWS, LAST_WEEK
from storemon.engine.measures import SEVEN_COLUMNS, chosen, parse_target
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means, ReportQuestion, split
from storemon.views.answer import Answer, legend_of_report, worst_of

if TYPE_CHECKING:
    from storemon.calendar.periods import Unit


def answer(question: ReportQuestion, snapshot: Snapshot, means: Means) -> Answer:
    """Compute measures of each store or group, by default in the last hour, day and week.

    Raises:
        StoremonError: as for `storemon.answers.report.report`, here and while the rows are read.

    """
    names = [*(split(question.measures) or SEVEN_COLUMNS), *(["unknown"] if question.wide else [])]
    told = chosen(names, None if question.target is None else parse_target(question.target))
    unit, group_by, versus = cast("Unit | None", question.every), question.tags(), question.versus is not None
    windows = question.windows(*([LAST_WEEK] if unit else DEFAULT_WINDOWS))
    now = question.now(snapshot)
    asked = question.asked(now, windows, means)
    frames = report_by_range(
        snapshot,
        measures=names,
        every=unit,
        group_by=group_by,
        target=question.target,
        versus_previous=versus,
        **asked,
    )
    legend = legend_of_report(told, windows, every=unit, versus=versus)
    rows = "rows" if unit or question.overall else "groups" if question.group_by else "stores"
    return Answer(frames, legend, rows, now, worst_of(legend), in_time=unit is not None)
