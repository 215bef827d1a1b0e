"""The oracle: what a report means, slowly and from the page alone.

Shares nothing with the product but the meaning of the words.
"""

from .measured import (
    WINDOWS,
    Bounds,
    Figures,
    bounds,
    bounds_between,
    figures,
    figures_between,
    newest,
    stores_of_report,
)
from .printed import report_csv
from .service_time import DEFAULT_ZONE, Interval, Row, instant, micros, open_intervals
from .states import CARRY_LIMIT, Policy, Poll, state_at

__all__ = [
    "CARRY_LIMIT",
    "DEFAULT_ZONE",
    "WINDOWS",
    "Bounds",
    "Figures",
    "Interval",
    "Policy",
    "Poll",
    "Row",
    "bounds",
    "bounds_between",
    "figures",
    "figures_between",
    "instant",
    "micros",
    "newest",
    "open_intervals",
    "report_csv",
    "state_at",
    "stores_of_report",
]
