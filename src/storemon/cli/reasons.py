"""Commands that tell what is behind the figures: explain one, audit the facts."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.options import ALL_FACTS, ASKED_NOTHING, Facts, Question
from storemon.cli.output import OutFile, Output, terminal


def explain(store: str, /, *, question: Question = ASKED_NOTHING, svg: Path | None = None) -> None:
    """Tell."""


def audit(
    *,
    window: Annotated[str | None, Parameter(help="How far back polls are looked at (default: 28d).")] = None,
    facts: Facts = ALL_FACTS,
    out: OutFile = None,
) -> None:
    """Find what weakens the figures: what is missing, unknown or doubtful, with examples."""
    from storemon.durations import parse_duration
    from storemon.engine.audit import audit as compute
    from storemon.views.answer import Answer
    from storemon.views.findings import draw_findings, rows_of

    output = Output(out=out)
    output.check()
    back = {} if window is None else {"window": parse_duration(window)}
    snapshot, now, asked = facts.open()
    findings = compute(snapshot, as_of=now, carry_limit=asked["carry_limit"], **back)
    if output.on_terminal:
        draw_findings(terminal(), findings)
    else:
        output.tell(Answer(rows_of(findings), {}, "findings", now))
