"""The outages, asked in words."""

from collections.abc import Sequence

from storemon.answers.outages import outages
from storemon.calendar.windows import LAST_DAY, Window
from storemon.lake.snapshot import Snapshot
from storemon.questions.about import facts
from storemon.questions.options import Means, Question
from storemon.views.answer import Answer, Worst, legend_of_outages

_FIRST = ("downtime", "ongoing", "starts_at", "ends_at", "elapsed", "whole_downtime", "started_after", "ended_before")


def windows_of(question: Question) -> Sequence[Window]:
    """Tell which windows it is about, by default the last day.

    Raises:
        InputError: one can't be understood.

    """
    return question.windows(LAST_DAY)


def answer(question: Question, snapshot: Snapshot, means: Means) -> Answer:
    """List the outages, by default of the last day.

    Raises:
        StoremonError: as for `storemon.answers.outages.outages`.

    """
    windows = windows_of(question)
    now = question.now(snapshot)
    asked = question.asked(now, windows, means)
    frame = outages(snapshot, **asked)
    columns = ("store_id", *(["window"] if len(windows) > 1 else []), *_FIRST)
    worst = Worst("downtime", "most", ("whole_downtime", "elapsed"))
    said = facts(question, now, means, windows)
    return Answer([frame], legend_of_outages(windows), "outages", now, worst, columns=columns, facts=said)
