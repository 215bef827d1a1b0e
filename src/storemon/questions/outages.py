"""The outages, asked in words."""

from collections.abc import Sequence

from storemon.answers.outages import outages
from storemon.calendar.windows import LAST_DAY, Window
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import Means, Question
from storemon.views.answer import Answer, Worst, legend_of_outages

_FIRST = ("downtime", "ongoing", "starts_at", "ends_at", "elapsed", "whole_downtime", "started_after", "ended_before")


def windows(question: Question) -> Sequence[Window]:
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
    among = windows(question)
    now = question.now(snapshot)
    asked = question.asked(now, among, means)
    frame = outages(snapshot, **asked)
    columns = ("store_id", *(["window"] if len(among) > 1 else []), *_FIRST)
    worst = Worst("downtime", "most", ("whole_downtime", "elapsed"))
    return Answer([frame], legend_of_outages(among), "outages", now, worst, columns=columns)
