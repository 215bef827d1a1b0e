"""Commands that answer with rows: reports, outages, hours of the week, stores."""

import sys
from dataclasses import replace

from storemon.cli.options import ANY_WORK, Work
from storemon.cli.output import ANYWHERE, Output, terminal
from storemon.questions.options import Grouped, Question, ReportQuestion, StoresQuestion

_REPORT, _OUTAGES, _WEEK, _STORES = ReportQuestion(), Question(), Grouped(), StoresQuestion()


def report(*, question: ReportQuestion = _REPORT, work: Work = ANY_WORK, output: Output = ANYWHERE) -> None:
    """Compute uptime, downtime and other measures of each store or group, by default in the last hour, day and week."""
    from storemon.lake.lacking import told_lacking
    from storemon.questions.paper import document
    from storemon.questions.report import answer
    from storemon.units.zones import EDITION

    if out := output.document():
        output.keep(out, document(question, *work.open(question)))
        return
    output.check()
    snapshot, means = work.open(question)
    answered = answer(question, snapshot, means)
    count = output.tell(answered)
    if output.on_terminal:
        sys.stdout.write(f"local times by zone data {EDITION}\n")
    if sys.stdout.isatty() and (weak := told_lacking(snapshot)):
        sys.stdout.write(f"{weak}: storemon audit\n")
    if not count:
        whose = "no store with these tags" if question.where else "no store"
        sys.stderr.write(f"storemon: {whose} was polled at or before {answered.as_of}; the report has no rows\n")


def outages(*, question: Question = _OUTAGES, work: Work = ANY_WORK, output: Output = ANYWHERE) -> None:
    """List the outages in a window (default: last_day), the longest first on a terminal."""
    from storemon.questions.outages import answer

    output.check()
    output.tell(answer(question, *work.open(question)))


def hour_of_week(*, question: Grouped = _WEEK, work: Work = ANY_WORK, output: Output = ANYWHERE) -> None:
    """Tell uptime and downtime by weekday and hour, by local clocks, over a window (default: 28d).

    A terminal shows a grid for all stores together, or for each group; with --top the worst hours of all.
    """
    from storemon.questions.week import answer
    from storemon.views.grid import draw_grids

    output.check()
    if not output.on_terminal or output.top is not None:
        output.tell(answer(question, *work.open(question)))
        return
    in_grids = question if question.group_by else replace(question, overall=True)
    draw_grids(terminal(), answer(in_grids, *work.open(question)))


def stores(*, question: StoresQuestion = _STORES, work: Work = ANY_WORK, output: Output = ANYWHERE) -> None:
    """List the stores with their tags and availability (default window: last_week), and how well they meet a target."""
    from storemon.questions.stores import answer

    output.check()
    output.tell(answer(question, *work.open(question)))
