"""Commands that tell what is behind the figures: explain one, audit the facts."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.options import THIS_LAKE, Place
from storemon.cli.output import OutFile, Output, terminal
from storemon.questions.options import AuditQuestion, Question

_EXPLAIN, _AUDIT = Question(), AuditQuestion()


def explain(
    store: str,
    /,
    *,
    svg: Annotated[Path | None, Parameter(help="File to draw it into, as a picture.")] = None,
    question: Question = _EXPLAIN,
    place: Place = THIS_LAKE,
) -> None:
    """Explain the figures of a store in a window (default: last_day): schedule, polls, what is held between them, sums.

    Parameters
    ----------
    store
        The store's id.

    """
    from storemon.questions.explain import answer
    from storemon.views.export import write
    from storemon.views.svg import draw
    from storemon.views.table import printable
    from storemon.views.timeline import lines

    told = answer(question, store, *place.open(question))
    if svg is not None:
        write(svg, draw(told).encode(), what="picture")
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines(told))


def audit(*, question: AuditQuestion = _AUDIT, place: Place = THIS_LAKE, out: OutFile = None) -> None:
    """Find what weakens the figures: what is missing, unknown or doubtful, with examples."""
    from storemon.questions.audit import answer, rows
    from storemon.views.findings import draw_findings

    output = Output(out=out)
    output.check()
    snapshot, means = place.open(question)
    if output.on_terminal:
        draw_findings(terminal(), answer(question, snapshot, means))
    else:
        output.tell(rows(question, snapshot, means))
