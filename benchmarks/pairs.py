"""A subject and its references, timed in turns, so that what else the machine does hits all alike."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.rows import TIMES, Row, duration, times


class Pairs(NamedTuple):
    """Seconds that the subject took, and a reference shortly before it, for each round."""

    subject: list[float]
    reference: list[float]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(one / other for one, other in zip(self.subject, self.reference, strict=True))

    def row(self, place: int, what: str, reference: str, *, at_most: float | None = None) -> Row:
        """Write the comparison down."""
        subject_time, reference_time = duration(median(self.subject)), duration(median(self.reference))
        row = Row(place, what, subject_time, reference, reference_time, times(self.ratio))
        return row if at_most is None else replace(row, must_be=f"≤ {at_most:g} {TIMES}", met=self.ratio <= at_most)


def in_turns(
    benchmark: BenchmarkFixture, subject: Callable[[], object], *references: Callable[[], object], rounds: int
) -> list[Pairs]:
    """Time the references and then the subject, again and again, after one round that does not count."""
    passed: list[list[float]] = [[] for _ in references]

    def time_references() -> None:
        for reference, taken in zip(references, passed, strict=True):
            started = time.perf_counter()
            reference()
            taken.append(time.perf_counter() - started)

    seconds = timed(benchmark, subject, before=time_references, rounds=rounds)
    return [Pairs(seconds, taken[-rounds:]) for taken in passed]


def turns(subject: Callable[[], object], reference: Callable[[], object], rounds: int) -> Pairs:
    """Do as `in_turns` does where there is no pytest."""
    pairs = Pairs([], [])
    for _ in range(rounds + 1):
        for timed_one, taken in ((reference, pairs.reference), (subject, pairs.subject)):
            started = time.perf_counter()
            timed_one()
            taken.append(time.perf_counter() - started)
    return Pairs(pairs.subject[1:], pairs.reference[1:])


def timed(
    benchmark: BenchmarkFixture,
    subject: Callable[[], object],
    *,
    before: Callable[[], None] | None = None,
    rounds: int,
) -> list[float]:
    """Time the subject, each time ``before`` it something else; give the seconds in their order."""
    benchmark.pedantic(subject, setup=before, rounds=rounds, warmup_rounds=1)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    seconds: list[float] = benchmark.stats.stats.data
    return seconds
