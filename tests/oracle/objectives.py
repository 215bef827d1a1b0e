"""Objectives: what a target leaves to spend of downtime, and how fast it is spent."""

from fractions import Fraction
from typing import NamedTuple

from .measured import Figures


class Objective(NamedTuple):
    budget_us: Fraction
    spent_us: int
    left_us: Fraction
    burn_rate: Fraction | None


def target_of(percent: str) -> Fraction:
    """`99.5` is 199/200."""
    return Fraction(percent) / 100


def objective(figures: Figures, target: Fraction) -> Objective:
    """Of one store or of a group. Nothing known burns at no rate, nor does a target that allows for nothing."""
    known = figures.uptime_us + figures.downtime_us
    budget = (1 - target) * known
    burn_rate = Fraction(figures.downtime_us, known) / (1 - target) if known and target != 1 else None
    return Objective(budget, figures.downtime_us, budget - figures.downtime_us, burn_rate)


def breaches(figures: Figures, target: Fraction) -> bool:
    """More is spent than there was: the availability is below the target. Nothing known breaches nothing."""
    return objective(figures, target).left_us < 0
