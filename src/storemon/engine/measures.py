"""Measures: what can be told of a store or a group in a window, each derived from sums of microseconds.

Sums add up over stores and over parts of windows; a share or a mean is divided once, from the sums.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import polars as pl

from storemon.engine.question import require_one_of
from storemon.errors import InputError

Unit = Literal["minutes", "hours", "window", "percent", "number"]
"""What a measure is printed in; ``window`` is minutes for a window shorter than a day, else hours."""
Need = Literal["figures", "exclusions", "bounds", "outages"]
"""Which sums it takes."""


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        value: an expression over the columns of sums. Lengths of time are ``Duration("us")``, percentages and rates are
            decimals with two places, null where they would be divided by zero.
        unit: what it is printed in.
        need: which sums it takes.

    """

    value: pl.Expr
    unit: Unit = "window"
    need: Need = "figures"


def _time(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Int64).cast(pl.Duration("us"))


def _mean(total: str, count: str) -> pl.Expr:
    """Divide microseconds; what is lost below one is less than any rounding to a printed unit can see."""
    return _time(pl.when(pl.col(count) > 0).then(pl.col(total) // pl.col(count)))


def _hundredths(numerator: pl.Expr, denominator: pl.Expr, scale: int) -> pl.Expr:
    """Divide exactly, and round down to hundredths of the quotient times ``scale``."""
    hundredths = numerator.cast(pl.Int128) * (100 * scale) // denominator.cast(pl.Int128)
    return pl.when(denominator > 0).then(hundredths).cast(pl.Decimal(38, 2)) / 100


_known = pl.col("uptime_us") + pl.col("downtime_us")

MEASURES = {
    "uptime": Measure(_time(pl.col("uptime_us"))),
    "downtime": Measure(_time(pl.col("downtime_us"))),
    "unknown": Measure(_time(pl.col("unknown_us"))),
    "service": Measure(_time(pl.col("service_us"))),
    "excluded": Measure(_time(pl.col("excluded_us")), need="exclusions"),
    "uptime_min": Measure(_time(pl.col("uptime_min_us")), need="bounds"),
    "uptime_max": Measure(_time(pl.col("uptime_max_us")), need="bounds"),
    "coverage": Measure(_hundredths(_known, pl.col("service_us"), 100), "percent"),
    "availability": Measure(_hundredths(pl.col("uptime_us"), _known, 100), "percent"),
    "outages": Measure(pl.col("outages").cast(pl.Int64), "number", "outages"),
    "longest_outage": Measure(_time(pl.col("longest_us")), "minutes", "outages"),
    "mttr": Measure(_mean("ended_downtime_us", "ended_outages"), "minutes", "outages"),
    "mtbf": Measure(_mean("uptime_us", "outages"), "hours", "outages"),
}
"""Every measure but those of an objective, in the order in which they are told."""

SEVEN_COLUMNS = ("uptime", "downtime")
_FINEST = 10**9


def objective(target: Fraction) -> dict[str, Measure]:
    """Make the measures of an objective: budget, spent, left and burn rate.

    The budget is rounded down to whole microseconds, which changes neither whether it is overspent nor what is printed.

    Raises:
        InputError: the target is not above 0 and up to 1, or has a denominator beyond a thousand million.

    """
    if not 0 < target <= 1 or target.denominator > _FINEST:
        raise InputError(f"{target} is not a target; it must be a share above 0 and up to 1, like 199/200")
    allowed = 1 - target
    known, downtime = _known.cast(pl.Int128), pl.col("downtime_us").cast(pl.Int128)
    budget = known * allowed.numerator // allowed.denominator
    return {
        "budget": Measure(_time(budget), "minutes"),
        "spent": Measure(_time(downtime), "minutes"),
        "left": Measure(_time(budget - downtime), "minutes"),
        "burn_rate": Measure(_hundredths(downtime * allowed.denominator, known * allowed.numerator, 1), "number"),
    }


def parse_target(text: str) -> Fraction:
    """Read a target in percent: ``99.5`` is 199/200.

    Raises:
        InputError: it is not a number above 0 and up to 100, with at most seven decimals.

    """
    written = text.strip().removesuffix("%").rstrip()
    target = Fraction(written) / 100 if re.fullmatch(r"\d{1,3}(\.\d{1,7})?", written, re.ASCII) else Fraction(0)
    if not 0 < target <= 1:
        raise InputError(f"{text!r} is not a target; write a percentage above 0 and up to 100, like 99.5")
    return target


def chosen(names: Sequence[str], target: Fraction | None) -> dict[str, Measure]:
    """Look measures up by their names, and add those of an objective if there is a target.

    Raises:
        InputError: there is no such measure; the text gives the nearest names.

    """
    for name in names:
        require_one_of(name, list(MEASURES), "measure")
    return {name: MEASURES[name] for name in names} | ({} if target is None else objective(target))
