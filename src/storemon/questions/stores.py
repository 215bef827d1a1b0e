"""The list of stores, asked in words."""

from collections.abc import Mapping, Sequence

import polars as pl

from storemon.answers.objectives import breaching
from storemon.answers.stores import stores
from storemon.calendar.windows import LAST_WEEK, Window
from storemon.engine.measures import Measure, chosen, parse_target
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.questions.about import facts
from storemon.questions.options import Means, StoresQuestion
from storemon.views.answer import Answer, legend_of_report, worst_of


def check(question: StoresQuestion) -> Mapping[str, Measure]:
    """Refuse what can't be understood, whatever the facts are; tell which measures are told.

    Raises:
        InputError: the target is none, or it is missing where one is needed.

    """
    if question.breaching and question.target is None:
        raise InputError("--breaching needs a target; say what was promised, like --target 99.5")
    return chosen(["availability"], None if question.target is None else parse_target(question.target))


def windows_of(question: StoresQuestion) -> Sequence[Window]:
    """Tell which windows it is about, by default the last week.

    Raises:
        InputError: one can't be understood.

    """
    return question.windows(LAST_WEEK)


def answer(question: StoresQuestion, snapshot: Snapshot, means: Means) -> Answer:
    """List the stores with their tags and availability, by default in the last week.

    Raises:
        StoremonError: as for `storemon.answers.stores.stores`.

    """
    told, windows = check(question), windows_of(question)
    now = question.now(snapshot)
    asked = question.asked(now, windows, means)
    frame = stores(snapshot, target=question.target, **asked)
    legend = legend_of_report(told, windows)
    columns = ("store_id", *legend, *(name for name in frame.columns[1:] if name not in legend))
    rows = f"stores over the budget of {question.target} %" if question.breaching else "stores"
    frame = breaching(frame) if question.breaching else frame
    if question.search:
        sought = pl.col(pl.String).str.to_lowercase().str.contains(question.search.lower(), literal=True)
        frame = frame.filter(pl.any_horizontal(sought))
    said = facts(question, now, means, windows, question.target)
    return Answer([frame], legend, rows, now, worst_of(legend), columns=columns, facts=said)
