"""The oracle: what a report means, slowly and from the page alone.

Shares nothing with the product but the meaning of the words.
"""

from .calendars import Every, Window, parts, previous_window_of, window_of
from .compare import Comparison, compare, comparison, previous_figures
from .exceptions import EVERY_STORE, Maintenance, SpecialRow
from .groups import (
    Group,
    availability,
    coverage,
    group_bounds,
    group_figures,
    group_hour_of_week,
    group_series,
    group_summaries,
    percentage,
)
from .measured import (
    Bounds,
    Figures,
    Piece,
    bounds,
    bounds_between,
    figures,
    figures_between,
    timeline_between,
)
from .now import Counts, Now, group_now, now, now_of
from .objectives import Objective, breaches, objective, target_of
from .outages import Outage, Summary, outages, outages_between, summaries, summary
from .printed import report_csv
from .questions import WINDOWS, Question, Tags, newest, questions, stores_of_report
from .series import Part, bucket, series
from .service_time import DEFAULT_ZONE, Interval, Row, instant, micros, open_intervals
from .states import CARRY_LIMIT, Policy, Poll, state_at
from .week import CELLS, Cell, hour_of_week, hour_of_week_between, sum_of

__all__ = [
    "CARRY_LIMIT",
    "CELLS",
    "DEFAULT_ZONE",
    "EVERY_STORE",
    "WINDOWS",
    "Bounds",
    "Cell",
    "Comparison",
    "Counts",
    "Every",
    "Figures",
    "Group",
    "Interval",
    "Maintenance",
    "Now",
    "Objective",
    "Outage",
    "Part",
    "Piece",
    "Policy",
    "Poll",
    "Question",
    "Row",
    "SpecialRow",
    "Summary",
    "Tags",
    "Window",
    "availability",
    "bounds",
    "bounds_between",
    "breaches",
    "bucket",
    "compare",
    "comparison",
    "coverage",
    "figures",
    "figures_between",
    "group_bounds",
    "group_figures",
    "group_hour_of_week",
    "group_now",
    "group_series",
    "group_summaries",
    "hour_of_week",
    "hour_of_week_between",
    "instant",
    "micros",
    "newest",
    "now",
    "now_of",
    "objective",
    "open_intervals",
    "outages",
    "outages_between",
    "parts",
    "percentage",
    "previous_figures",
    "previous_window_of",
    "questions",
    "report_csv",
    "series",
    "state_at",
    "stores_of_report",
    "sum_of",
    "summaries",
    "summary",
    "target_of",
    "timeline_between",
    "window_of",
]
