"""The hour of week, asked in words."""

from collections.abc import Sequence

from storemon.answers.week import LAST_FOUR_WEEKS, hour_of_week
from storemon.calendar.windows import Window
from storemon.lake.snapshot import Snapshot
from storemon.questions.about import facts
from storemon.questions.options import Grouped, Means
from storemon.views.answer import Answer, Worst, legend_of_week

_HOURS = 7 * 24


def parts(question: Grouped, _: Snapshot) -> int:
    """Count the rows for each store; for groups of them there are no more than that."""
    return 1 if question.overall or question.group_by else _HOURS


def windows_of(question: Grouped) -> Sequence[Window]:
    """Tell which windows it is about, by default the last four weeks.

    Raises:
        InputError: one can't be understood.

    """
    return question.windows(LAST_FOUR_WEEKS)


def answer(question: Grouped, snapshot: Snapshot, means: Means) -> Answer:
    """Tell uptime and downtime by weekday and hour, by default over the last four weeks.

    Raises:
        StoremonError: as for `storemon.answers.week.hour_of_week`.

    """
    tags, windows = question.tags(), windows_of(question)
    now = question.now(snapshot)
    asked = question.asked(now, windows, means)
    frame = hour_of_week(snapshot, group_by=tags, **asked)
    rows = f"hours of {'stores' if tags is None else 'groups'}"
    worst, said = Worst("availability", "least"), facts(question, now, means, windows)
    return Answer([frame], legend_of_week(windows[0]), rows, now, worst, facts=said)
