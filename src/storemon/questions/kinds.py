"""The kinds of questions that are answered with rows, by what their commands are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, get_args

from storemon.calendar.windows import Rolling, Window
from storemon.engine.question import Policy, require_one_of
from storemon.engine.tags import parse_where
from storemon.errors import InputError
from storemon.lake.snapshot import Snapshot
from storemon.questions import audit, now, outages, report, stores, week
from storemon.questions.options import (
    AuditQuestion,
    Chosen,
    Facts,
    Grouped,
    Groups,
    Means,
    NowQuestion,
    Question,
    ReportQuestion,
    StoresQuestion,
    options_of,
    split,
)
from storemon.units.instants import EVER, parse_instant
from storemon.views.answer import Answer


class Kind(NamedTuple):
    """A kind of question."""

    question: type[Facts]
    answer: Callable[[Any, Snapshot, Means], Answer]
    windows: Callable[[Any], Sequence[Window]]
    """Which windows such a question is about; none where it is about as-of."""


def _none(_: NowQuestion) -> Sequence[Window]:
    return ()


def _back(question: AuditQuestion) -> Sequence[Window]:
    return [Window("audited", Rolling(audit.length(question)))]


KINDS: Mapping[str, Kind] = {
    "report": Kind(ReportQuestion, report.answer, report.windows_of),
    "outages": Kind(Question, outages.answer, outages.windows_of),
    "hour-of-week": Kind(Grouped, week.answer, week.windows_of),
    "stores": Kind(StoresQuestion, stores.answer, stores.windows_of),
    "now": Kind(NowQuestion, now.answer, _none),
    "audit": Kind(AuditQuestion, audit.rows, _back),
}


def check(kind: str, question: Facts) -> None:
    """Refuse what can't be understood, whatever the facts are.

    Raises:
        InputError: there is no such kind, an option can't be understood, or two don't go together.

    """
    require_one_of(kind, [*KINDS], "answer")
    if question.as_of is not None and not question.is_by_the_clock:
        parse_instant(question.as_of)
    question.limit(Means(EVER, 0))
    if isinstance(question, Chosen):
        require_one_of(question.policy, get_args(Policy), "policy")
        parse_where(split(question.where))
    if isinstance(question, Groups):
        question.tags()
    if isinstance(question, ReportQuestion):
        report.check(question, Means(EVER, 0))
    if isinstance(question, StoresQuestion):
        stores.check(question)
    windows = KINDS[kind].windows(question)
    names = [window.name for window in windows]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two windows are called {twice[0]!r}; name one of them yourself, like other=30d")
    if kind == "hour-of-week" and len(windows) > 1:
        raise InputError(f"the hour of week adds up one window, but these were asked for: {', '.join(names)}")


def given(question: Facts) -> dict[str, Any]:
    """Tell what a question says that it would not say by itself: `question_of` makes it of this again."""
    usual = {field.name: field.default for field in fields(question)}
    told = {option.name: getattr(question, option.field) for option in options_of(type(question))}
    known = {option.name: usual[option.field] for option in options_of(type(question))}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in told.items() if value != known[name]
    }
