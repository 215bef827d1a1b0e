"""What an audit finds: as rows for a file, and on a terminal with examples in tables."""

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs
from rich.console import Console
from rich.text import Text

from storemon.answers.audit import Finding
from storemon.views.answer import Column
from storemon.views.forms import to_json
from storemon.views.table import draw_note, draw_table

EXAMPLES = 3
"""So many are drawn of each finding."""


def rows_of(findings: Sequence[Finding]) -> pl.DataFrame:
    """Put findings into rows: ``finding, count, meaning``, and ``examples``, a JSON array of objects as text."""
    rows = [(each.name, each.count, each.meaning, to_json(each.examples).decode()) for each in findings]
    schema = {"finding": pl.String, "count": pl.Int64, "meaning": pl.String, "examples": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def draw_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Draw each finding with its count, its meaning and the first examples, and name the checks that found nothing."""
    for finding in findings:
        if not finding.count:
            continue
        console.print(Text(f"{finding.name}: {finding.count:,}", style="bold"))
        console.print(Text(finding.meaning))
        lengths = {name: name.removesuffix("_us") for name in finding.examples.select(cs.ends_with("_us")).columns}
        examples = finding.examples.head(EXAMPLES).with_columns(pl.col(list(lengths)).cast(pl.Duration("us")))
        legend = {name: Column(name, "minutes") for name in lengths.values()}
        draw_table(console, examples.rename(lengths), legend, whole=True)
        console.print()
    if nothing := [finding.name for finding in findings if not finding.count]:
        draw_note(console, f"nothing found by: {', '.join(nothing)}")
