"""Measures: exact values from literal sums of microseconds, and what is no measure and no target."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from storemon import InputError
from storemon.engine.measures import MEASURES, Measure, chosen, objective, parse_target

HOUR = 3_600_000_000
YEAR = 365 * 24 * HOUR
LONG = 80_000 * YEAR
"""Near the longest of which 64 bits can count the microseconds, a few times over."""


def us(count: int) -> timedelta:
    return timedelta(microseconds=count)


def told(measure: Measure, **sums: int) -> Any:
    """Work out one measure of one row of sums; those of a group are 128 bits long."""
    values = {
        pl.DataFrame(
            {f"{name}_us": value for name, value in sums.items()},
            schema_overrides=dict.fromkeys((f"{name}_us" for name in sums), dtype),
        )
        .select(measure.value)
        .item()
        for dtype in (pl.Int64, pl.Int128)
    }
    (value,) = values
    return value


@pytest.mark.parametrize("name", ["uptime", "downtime", "unknown", "service", "excluded", "uptime_min", "uptime_max"])
def test_lengths_of_time(name: str) -> None:
    assert told(MEASURES[name], **{name: 1}) == us(1)
    assert told(MEASURES[name], **{name: 0}) == timedelta()
    assert told(MEASURES[name], **{name: LONG}) == us(LONG)


@pytest.mark.parametrize(
    ("uptime", "downtime", "availability"),
    [
        (1, 0, "100.00"),
        (0, 1, "0.00"),
        (0, 0, None),
        (1, 1, "50.00"),
        (1, 2, "33.33"),
        (2, 1, "66.66"),
        # Rounded down: an outage never shows as 100 %.
        (10**15, 1, "99.99"),
        (LONG, 1, "99.99"),
        (1, LONG, "0.00"),
        (9_999, 1, "99.99"),
        (99_989, 11, "99.98"),
        (LONG, LONG, "50.00"),
        (1, 9_999, "0.01"),
        (1, 10_000, "0.00"),
    ],
)
def test_availability(uptime: int, downtime: int, availability: str | None) -> None:
    found = told(MEASURES["availability"], uptime=uptime, downtime=downtime)
    assert found == (availability and Decimal(availability))


@pytest.mark.parametrize(
    ("uptime", "downtime", "service", "coverage"),
    [(1, 1, 2, "100.00"), (1, 1, 3, "66.66"), (0, 0, 5, "0.00"), (0, 0, 0, None), (LONG, LONG, 2 * LONG + 1, "99.99")],
)
def test_coverage(uptime: int, downtime: int, service: int, coverage: str | None) -> None:
    found = told(MEASURES["coverage"], uptime=uptime, downtime=downtime, service=service)
    assert found == (coverage and Decimal(coverage))


@pytest.mark.parametrize(
    ("target", "uptime", "downtime", "budget", "burn_rate"),
    [
        # Half a percent of 200 hours is one hour.
        ("99.5", 199 * HOUR, HOUR, HOUR, "1.00"),
        ("99.5", 199 * HOUR + 1, HOUR - 1, HOUR, "0.99"),
        ("99.5", 200 * HOUR, 0, HOUR, "0.00"),
        ("99.5", 195 * HOUR, 5 * HOUR, HOUR, "5.00"),
        # The budget is rounded down.
        ("99.5", 199, 0, 0, "0.00"),
        ("99.5", 200, 0, 1, "0.00"),
        ("99.5", 399, 1, 2, "0.50"),
        ("66.6", 2, 1, 1, "0.99"),
        # Nothing is allowed for, or nothing known.
        ("100", 5, 0, 0, None),
        ("100", 5, 1, 0, None),
        ("99.5", 0, 0, 0, None),
        # Fine targets over long times.
        ("99.9999999", LONG, 0, LONG // 10**9, "0.00"),
        ("99.9999999", 0, LONG, LONG // 10**9, "1000000000.00"),
        ("0.0000001", LONG, LONG, 2 * LONG * (10**9 - 1) // 10**9, "0.50"),
    ],
)
def test_objectives(target: str, uptime: int, downtime: int, budget: int, burn_rate: str | None) -> None:
    measures = objective(parse_target(target))
    assert list(measures) == ["budget", "spent", "left", "burn_rate"]
    sums = {"uptime": uptime, "downtime": downtime}
    assert [told(measures[name], **sums) for name in ("budget", "spent", "left")] == [
        us(budget),
        us(downtime),
        us(budget - downtime),
    ]
    assert told(measures["burn_rate"], **sums) == (burn_rate and Decimal(burn_rate))


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("99.5", Fraction(199, 200)),
        (" 99.5 % ", Fraction(199, 200)),
        ("100", Fraction(1)),
        ("100.000", Fraction(1)),
        ("0.0000001", Fraction(1, 10**9)),
        ("99.9999999", 1 - Fraction(1, 10**9)),
        ("050", Fraction(1, 2)),
    ],
)
def test_a_target_as_people_write_it(written: str, target: Fraction) -> None:
    assert parse_target(written) == target


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "%",
            "high",
            "0",
            "0.0",
            "-1",
            "+99",
            "100.0000001",
            "101",
            "199/200",
            "1e2",
            "1e999999999",
            "nan",
            "inf",
        ),
        *("99.", ".5", "99,5", "9_9", "99.99999999", "\u0669\u0669", "99.5%%", "9" * 5000),
    ],
)
def test_what_is_no_target(written: str) -> None:
    with pytest.raises(InputError, match=r"is not a target; write a percentage above 0 and up to 100, like 99\.5$"):
        parse_target(written)


@pytest.mark.parametrize("target", [Fraction(0), Fraction(-1), Fraction(199, 2), Fraction(10**9, 10**9 + 1)])
def test_a_fraction_that_is_no_target(target: Fraction) -> None:
    with pytest.raises(
        InputError, match=rf"^{target} is not a target; it must be a share above 0 and up to 1, like 199/200$"
    ):
        objective(target)


def test_measures_are_told_in_the_order_asked_for() -> None:
    assert list(chosen(["downtime", "uptime"], None)) == ["downtime", "uptime"]
    assert list(chosen([], Fraction(1, 2))) == ["budget", "spent", "left", "burn_rate"]
    assert chosen([], None) == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("uptme", r"there is no measure 'uptme'; did you mean uptime( or \w+)?\?"),
        ("availabilty", r"did you mean availability\?"),
        ("xyz", "there is no measure 'xyz'; choose from: uptime, downtime, unknown, service, "),
        ("budget", "there is no measure 'budget'"),
    ],
)
def test_what_is_no_measure(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        chosen(["uptime", name], None)
