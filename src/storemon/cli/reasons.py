"""Commands that tell what is behind the figures: explain one, audit the facts."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.options import ALL_FACTS, ASKED_NOTHING, Facts, Question
from storemon.cli.output import OutFile, Output, terminal


def explain(
    store: str,
    /,
    *,
    svg: Annotated[Path | None, Parameter(help="File to draw it into, as a picture.")] = None,
    question: Question = ASKED_NOTHING,
) -> None:
    """Explain the figures of a store in a window (default: last_day): schedule, polls, what is held between them, sums.

    Parameters
    ----------
    store
        The store's id.

    """
    from storemon.answers.explain import explain as compute
    from storemon.calendar.windows import LAST_DAY
    from storemon.views.export import write
    from storemon.views.svg import draw
    from storemon.views.table import printable
    from storemon.views.timeline import lines

    snapshot, _, _, asked = question.ask(LAST_DAY)
    told = compute(snapshot, store, **asked)
    if svg is not None:
        write(svg, draw(told).encode(), what="picture")
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines(told))


def audit(
    *,
    window: Annotated[str | None, Parameter(help="How far back polls are looked at (default: 28d).")] = None,
    facts: Facts = ALL_FACTS,
    out: OutFile = None,
) -> None:
    """Find what weakens the figures: what is missing, unknown or doubtful, with examples."""
    from storemon.answers.audit import WINDOW
    from storemon.answers.audit import audit as compute
    from storemon.units.durations import parse_duration
    from storemon.views.answer import Answer
    from storemon.views.findings import draw_findings, rows_of

    output = Output(out=out)
    output.check()
    back = WINDOW if window is None else parse_duration(window)
    snapshot, now, carry_limit = facts.open()
    findings = compute(snapshot, as_of=now, carry_limit=carry_limit, window=back)
    if output.on_terminal:
        draw_findings(terminal(), findings)
    else:
        output.tell(Answer([rows_of(findings)], {}, "findings", now))
