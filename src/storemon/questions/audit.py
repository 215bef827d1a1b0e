"""The audit, asked in words."""

from collections.abc import Sequence

from storemon.answers.audit import WINDOW, Finding, audit
from storemon.lake.snapshot import Snapshot
from storemon.questions.options import AuditQuestion, Means
from storemon.units.durations import parse_duration


def answer(question: AuditQuestion, snapshot: Snapshot, means: Means) -> Sequence[Finding]:
    """Find what weakens the figures, by default in the last 28 days.

    Raises:
        StoremonError: as for `storemon.answers.audit.audit`.

    """
    window = WINDOW if question.window is None else parse_duration(question.window)
    return audit(snapshot, as_of=question.now(snapshot), carry_limit=question.limit(means), window=window)
