"""The audit, asked in words."""

from collections.abc import Sequence
from datetime import timedelta

from storemon.answers.audit import WINDOW, Finding, audit
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import AuditQuestion, Means
from storemon.units.durations import parse_duration
from storemon.views.answer import Answer, Worst
from storemon.views.findings import rows_of


def length(question: AuditQuestion) -> timedelta:
    """Tell how far back polls are looked at, by default 28 days.

    Raises:
        InputError: it can't be understood.

    """
    return WINDOW if question.window is None else parse_duration(question.window)


def answer(question: AuditQuestion, snapshot: Snapshot, means: Means) -> Sequence[Finding]:
    """Find what weakens the figures.

    Raises:
        StoremonError: as for `storemon.answers.audit.audit`.

    """
    at, back = question.now(snapshot), length(question)
    return audit(snapshot, as_of=at, carry_limit=question.limit(means), window=back)


def rows(question: AuditQuestion, snapshot: Snapshot, means: Means) -> Answer:
    """Tell the same in rows.

    Raises:
        StoremonError: as for `storemon.answers.audit.audit`.

    """
    findings = rows_of(answer(question, snapshot, means))
    often = Worst("count", "most")
    return Answer([findings], {}, "findings", question.now(snapshot), often, columns=("finding", "count", "meaning"))
