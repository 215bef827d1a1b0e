"""Figures beside those of the window before."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple, Unpack

from .groups import availability, coverage
from .measured import Figures, figures, figures_between
from .questions import Asked, questions
from .service_time import Row
from .states import CARRY_LIMIT, Policy, Poll


class Comparison(NamedTuple):
    now: Figures
    before: Figures
    change: Figures
    """What is now less what was before; perhaps negative."""
    coverage_change: Fraction | None
    availability_change: Fraction | None


def less(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    return None if now is None or before is None else now - before


def comparison(now: Figures, before: Figures) -> Comparison:
    """Of one store or of a group. A share that there is not, now or before, has not changed either."""
    return Comparison(
        now,
        before,
        Figures(*(one - other for one, other in zip(now, before, strict=True))),
        less(coverage(now), coverage(before)),
        less(availability(now), availability(before)),
    )


def previous_figures(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, Figures]]:
    """Of the window before each, with the polls of the same as-of: what is known now of what was then."""
    return {
        store_id: {
            name: figures_between(*question, carry_limit=carry_limit, policy=policy, **exceptions)
            for name, (question, exceptions) in by_window.items()
        }
        for store_id, by_window in questions(polls, hours, zones, as_of, **asked, back=1).items()
    }


def compare(
    polls: Sequence[Poll],
    hours: Sequence[Row],
    zones: Mapping[str, str],
    as_of: datetime | None = None,
    carry_limit: timedelta = CARRY_LIMIT,
    *,
    policy: Policy = "carry",
    **asked: Unpack[Asked],
) -> dict[str, dict[str, Comparison]]:
    now = figures(polls, hours, zones, as_of, carry_limit, policy=policy, **asked)
    before = previous_figures(polls, hours, zones, as_of, carry_limit, policy=policy, **asked)
    return {
        store_id: {name: comparison(by_window[name], before[store_id][name]) for name in by_window}
        for store_id, by_window in now.items()
    }
