"""Commands that answer with rows: reports, outages, hours of the week, stores."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal, cast

from cyclopts import Parameter

from storemon.cli.options import ASKED_NOTHING_IN_BULK, UNGROUPED, BulkQuestion, Grouping, Texts, split
from storemon.cli.output import ANYWHERE, Output, terminal
from storemon.errors import InputError

if TYPE_CHECKING:
    from storemon.calendar.periods import Unit

Target = Annotated[
    str | None, Parameter(help="An availability in percent, like 99.5: adds budget, spent, left and burn rate.")
]


def report(
    *,
    measures: Annotated[Texts, Parameter(show_default=False)] = (),
    wide: bool = False,
    every: str | None = None,
    target: Target = None,
    versus: Literal["previous"] | None = None,
    question: BulkQuestion = ASKED_NOTHING_IN_BULK,
    grouping: Grouping = UNGROUPED,
    output: Output = ANYWHERE,
) -> None:
    """Compute uptime, downtime and other measures of each store or group, by default in the last hour, day and week.

    Parameters
    ----------
    measures
        What to tell (default: uptime,downtime); there are uptime, downtime, unknown, service, excluded, uptime_min,
        uptime_max, coverage, availability, outages, longest_outage, mttr and mtbf.
    wide
        Add the unknown time of each window.
    every
        A row for each hour, day, week or month of one window (default: last_week), by local clocks.
    versus
        Add the figures of the window before, and the change since.

    """
    from storemon.answers.report import report_by_range
    from storemon.calendar.windows import DEFAULT_WINDOWS, LAST_WEEK
    from storemon.engine.measures import SEVEN_COLUMNS, chosen, parse_target
    from storemon.lake.lacking import told_lacking
    from storemon.units.zones import EDITION
    from storemon.views.answer import Answer, legend_of_report, worst_of

    output.check()
    names = [*(split(measures) or SEVEN_COLUMNS), *(["unknown"] if wide else [])]
    told = chosen(names, None if target is None else parse_target(target))
    unit, group_by, versus_previous = cast("Unit | None", every), grouping.tags(), versus is not None
    snapshot, now, windows, asked = question.ask(*([LAST_WEEK] if every else DEFAULT_WINDOWS))
    frames = report_by_range(
        snapshot,
        measures=names,
        every=unit,
        group_by=group_by,
        target=target,
        versus_previous=versus_previous,
        **asked,
    )
    legend = legend_of_report(told, windows, every=unit, versus=versus_previous)
    rows = "rows" if every or grouping.overall else "groups" if grouping.group_by else "stores"
    answer = Answer(frames, legend, rows, now, worst_of(legend), in_time=every is not None)
    count = output.tell(answer)
    if output.on_terminal:
        sys.stdout.write(f"local times by zone data {EDITION}\n")
    if sys.stdout.isatty() and (weak := told_lacking(snapshot)):
        sys.stdout.write(f"{weak}: storemon audit\n")
    if not count:
        whose = "no store with these tags" if question.where else "no store"
        sys.stderr.write(f"storemon: {whose} was polled at or before {now}; the report has no rows\n")


def outages(*, question: BulkQuestion = ASKED_NOTHING_IN_BULK, output: Output = ANYWHERE) -> None:
    """List the outages in a window (default: last_day), the longest first on a terminal."""
    from storemon.answers.outages import outages as compute
    from storemon.calendar.windows import LAST_DAY
    from storemon.views.answer import Answer, Worst, legend_of_outages

    output.check()
    snapshot, now, windows, asked = question.ask(LAST_DAY)
    frame = compute(snapshot, **asked)
    window = ("window",) if len(windows) > 1 else ()
    columns = ("store_id", *window, "downtime", "ongoing", "starts_at", "ends_at", "elapsed", "whole_downtime")
    edges = ("started_after", "ended_before")
    worst = Worst("downtime", "most", ("whole_downtime", "elapsed"))
    output.tell(Answer([frame], legend_of_outages(windows), "outages", now, worst, columns=(*columns, *edges)))


def hour_of_week(
    *, question: BulkQuestion = ASKED_NOTHING_IN_BULK, grouping: Grouping = UNGROUPED, output: Output = ANYWHERE
) -> None:
    """Tell uptime and downtime by weekday and hour, by local clocks, over a window (default: 28d).

    A terminal shows a grid for all stores together, or for each group; with --top the worst hours of all.
    """
    from storemon.answers.week import LAST_FOUR_WEEKS
    from storemon.answers.week import hour_of_week as compute
    from storemon.views.answer import Answer, Worst, legend_of_week
    from storemon.views.grid import draw_grids

    output.check()
    tags, in_grids = grouping.tags(), output.on_terminal and output.top is None
    snapshot, now, windows, asked = question.ask(LAST_FOUR_WEEKS)
    frame = compute(snapshot, group_by=tags or [] if in_grids else tags, **asked)
    rows = f"hours of {'stores' if tags is None else 'groups'}"
    answer = Answer([frame], legend_of_week(windows[0]), rows, now, Worst("availability", "least"))
    if in_grids:
        draw_grids(terminal(), answer)
    else:
        output.tell(answer)


def stores(
    *,
    target: Target = None,
    breaching: bool = False,
    question: BulkQuestion = ASKED_NOTHING_IN_BULK,
    output: Output = ANYWHERE,
) -> None:
    """List the stores with their tags and availability (default window: last_week), and how well they meet a target.

    Parameters
    ----------
    breaching
        Only those that spent more than the target allows, the worst burn first.

    """
    from storemon.answers.objectives import breaching as overspent
    from storemon.answers.stores import stores as compute
    from storemon.calendar.windows import LAST_WEEK
    from storemon.engine.measures import chosen, parse_target
    from storemon.views.answer import Answer, legend_of_report, worst_of

    output.check()
    if breaching and target is None:
        raise InputError("--breaching needs a target; say what was promised, like --target 99.5")
    told = chosen(["availability"], None if target is None else parse_target(target))
    snapshot, now, windows, asked = question.ask(LAST_WEEK)
    frame = compute(snapshot, target=target, **asked)
    legend = legend_of_report(told, windows)
    rows = f"stores over the budget of {target} %" if breaching else "stores"
    columns = ("store_id", *legend, *(name for name in frame.columns[1:] if name not in legend))
    frame = overspent(frame) if breaching else frame
    output.tell(Answer([frame], legend, rows, now, worst_of(legend), columns=columns))
