"""What the CSV of a report is to be: the frame, printed in one piece."""

import polars as pl
import polars.selectors as cs

from storemon.answers.report import DEFAULT_MEASURES
from storemon.calendar.windows import DEFAULT_WINDOWS
from storemon.engine.measures import MEASURES
from storemon.views.answer import legend_of_report
from storemon.views.forms import to_csv

_LEGEND = legend_of_report({name: MEASURES[name] for name in DEFAULT_MEASURES}, DEFAULT_WINDOWS)


def report_csv(frame: pl.DataFrame, *, wide: bool = False) -> bytes:
    """Print a report of the default measures: the seven columns, with ``wide`` the ``unknown_*`` too."""
    return to_csv(frame if wide else frame.select(~cs.starts_with("unknown_")), _LEGEND)
