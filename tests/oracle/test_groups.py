"""The oracle's groups, shares, objectives and comparisons, pinned to the page by hand."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .exceptional_cases import exceptional_cases, figures_in, now_of, written_windows
from .truth import (
    Bounds,
    Figures,
    Objective,
    Policy,
    Poll,
    Summary,
    availability,
    bounds,
    breaches,
    compare,
    comparison,
    coverage,
    figures,
    group_bounds,
    group_figures,
    group_summaries,
    newest,
    objective,
    outages,
    percentage,
    previous_figures,
    previous_window_of,
    report_csv,
    sum_of,
    target_of,
)

HOUR = 3_600_000_000
AS_OF = datetime(2024, 10, 8, tzinfo=UTC)
ONE = {"last_day": timedelta(days=1)}
POLICIES: st.SearchStrategy[Policy] = st.sampled_from(("carry", "nearest"))
TAGS = {
    "a": {"region": "West", "brand": "X"},
    "b": {"region": "West", "brand": "Y"},
    "c": {"region": "East", "brand": "X"},
    "d": {"brand": "X"},
    "e": {"region": ""},
    "not in the report": {"region": "North"},
}


def ago(hours: float) -> datetime:
    return AS_OF - timedelta(hours=hours)


# Always open. In the last day a is up for 24 hours, b for 18 and down for 6, c down for 24, d and e as a.
TOLD: list[Poll] = [
    ("a", "active", ago(24)),
    ("b", "active", ago(24)),
    ("b", "inactive", ago(6)),
    ("c", "inactive", ago(30)),
    ("d", "active", ago(25)),
    ("e", "active", AS_OF),
]


def test_a_group_s_figures_are_sums() -> None:
    by_store = figures(TOLD, [], {}, AS_OF, windows=ONE)
    by_region = group_figures(by_store, TAGS, ["region"])
    # In order; those without a region are one group, with an empty name.
    assert list(by_region.items()) == [
        (("",), {"last_day": Figures(48 * HOUR, 0, 0, 48 * HOUR)}),
        (("East",), {"last_day": Figures(0, 24 * HOUR, 0, 24 * HOUR)}),
        (("West",), {"last_day": Figures(42 * HOUR, 6 * HOUR, 0, 48 * HOUR)}),
    ]
    by_both = group_figures(by_store, TAGS, ["brand", "region"])
    assert list(by_both) == [("", ""), ("X", ""), ("X", "East"), ("X", "West"), ("Y", "West")]
    assert group_figures(by_store, TAGS, []) == {(): {"last_day": Figures(90 * HOUR, 30 * HOUR, 0, 120 * HOUR)}}
    assert list(group_figures(by_store, TAGS, ["city"])) == [("",)]
    assert group_figures({}, TAGS, ["region"]) == {}


def test_bounds_of_a_group() -> None:
    by_region = group_bounds(bounds(TOLD, [], {}, AS_OF, windows=ONE), TAGS, ["region"])
    # No two polls of one store agree: nothing is certain.
    assert by_region["West",]["last_day"] == Bounds(0, 48 * HOUR)
    assert by_region["",]["last_day"] == Bounds(0, 48 * HOUR)


def test_outages_of_a_group() -> None:
    by_window = outages(TOLD, [], {}, AS_OF, windows=ONE)
    by_group = group_summaries(by_window, figures(TOLD, [], {}, AS_OF, windows=ONE), TAGS, [])
    # Two outages, both ongoing; 90 hours of uptime between them.
    assert by_group[()]["last_day"] == Summary(2, 24 * HOUR, None, Fraction(45 * HOUR))


@pytest.mark.parametrize(
    ("where", "stores"),
    [
        ({}, ["a", "b", "c", "d", "e"]),
        ({"region": "West"}, ["a", "b"]),
        ({"region": "West", "brand": "X"}, ["a"]),
        ({"region": ""}, ["d", "e"]),
        ({"region": "west"}, []),
        ({"city": "Bonn"}, []),
    ],
)
def test_a_filter_keeps_the_stores_that_have_every_tag(where: dict[str, str], stores: list[str]) -> None:
    assert list(figures(TOLD, [], {}, AS_OF, tags=TAGS, where=where)) == stores
    # As-of is the newest poll of all stores, not of those that are kept: that of store e.
    assert newest(TOLD) == AS_OF
    whole = figures(TOLD, [], {})
    assert figures(TOLD, [], {}, tags=TAGS, where=where) == {store_id: whole[store_id] for store_id in stores}
    printed = report_csv(TOLD, [], {}, tags=TAGS, where=where).decode().splitlines()[1:]
    assert [line.split(",")[0] for line in printed] == stores


def test_shares() -> None:
    known = Figures(3, 1, 4, 8, 100)
    assert (coverage(known), availability(known)) == (Fraction(1, 2), Fraction(3, 4))
    assert (coverage(Figures(0, 0, 4, 4)), availability(Figures(0, 0, 4, 4))) == (Fraction(0), None)
    assert (coverage(Figures(0, 0, 0, 0, 9)), availability(Figures(0, 0, 0, 0, 9))) == (None, None)


@pytest.mark.parametrize(
    ("share", "printed"),
    [
        (Fraction(1), "100.00"),
        (1 - Fraction(1, 604_800_000_000), "99.99"),  # a microsecond of a week
        (Fraction(2, 3), "66.66"),
        (Fraction(29, 100), "29.00"),  # which as a binary fraction is less
        (Fraction(1, 20_000), "0.00"),
        (Fraction(1, 10_000), "0.01"),
        (Fraction(0), "0.00"),
        (None, ""),
    ],
)
def test_a_percentage_is_rounded_down(share: Fraction | None, printed: str) -> None:
    assert percentage(share) == printed


def test_objective() -> None:
    assert target_of("99.5") == Fraction(199, 200)
    # A thousand hours are known: five of them are the budget, whatever else is unknown or excluded.
    measured = Figures(998 * HOUR, 2 * HOUR, 500 * HOUR, 1500 * HOUR, 7 * HOUR)
    assert objective(measured, target_of("99.5")) == Objective(
        Fraction(5 * HOUR), 2 * HOUR, Fraction(3 * HOUR), Fraction(2, 5)
    )
    assert not breaches(measured, target_of("99.5"))
    assert not breaches(measured, target_of("99.8"))  # exactly spent
    assert objective(measured, target_of("99.9")) == Objective(Fraction(HOUR), 2 * HOUR, Fraction(-HOUR), Fraction(2))
    assert breaches(measured, target_of("99.9"))
    # A budget that is no whole microsecond.
    tiny = objective(Figures(0, 1, 0, 1), target_of("99.5"))
    assert tiny == Objective(Fraction(1, 200), 1, Fraction(-199, 200), Fraction(200))


def test_objective_where_a_divisor_is_zero() -> None:
    assert objective(Figures(0, 0, 5, 5), target_of("99.5")) == Objective(Fraction(0), 0, Fraction(0), None)
    assert not breaches(Figures(0, 0, 5, 5), target_of("99.5"))
    assert objective(Figures(9, 1, 0, 10), target_of("100")) == Objective(Fraction(0), 1, Fraction(-1), None)
    assert breaches(Figures(9, 1, 0, 10), target_of("100"))


def test_comparison() -> None:
    found = compare(TOLD, [], {}, AS_OF, windows=ONE)["b"]["last_day"]
    # The day before, its first poll reaches back.
    assert found.before == Figures(24 * HOUR, 0, 0, 24 * HOUR)
    assert found.change == Figures(-6 * HOUR, 6 * HOUR, 0, 0)
    assert (found.coverage_change, found.availability_change) == (Fraction(0), Fraction(-1, 4))
    # Nothing was known before, or there was no service time.
    nothing_known = comparison(Figures(1, 1, 0, 2), Figures(0, 0, 4, 4))
    assert (nothing_known.coverage_change, nothing_known.availability_change) == (Fraction(1), None)
    assert comparison(Figures(1, 1, 0, 2), Figures(0, 0, 0, 0, 2)).coverage_change is None


def test_a_calendar_window_is_compared_with_the_whole_one_before() -> None:
    # In Chicago as-of is 19:00 on Monday, October 7: today has 19 hours, yesterday 24.
    found = compare(TOLD, [], {}, AS_OF, windows={"today": "today", "1h": "1h"})["a"]
    assert (found["today"].now.service_us, found["today"].before.service_us) == (19 * HOUR, 24 * HOUR)
    assert found["1h"].change == Figures(0, 0, 0, 0)


@settings(max_examples=examples(40), deadline=None)
@given(st.data(), POLICIES)
def test_groups_sum_and_a_filter_is_a_group(data: st.DataObject, policy: Policy) -> None:
    case = data.draw(exceptional_cases())
    windows = data.draw(written_windows(case, max_size=2))
    by = data.draw(st.sampled_from((["region"], ["brand"], ["region", "brand"], [], ["city"])))
    by_store = figures(**vars(case), policy=policy, windows=windows)
    groups = group_figures(by_store, case.tags, by)
    for name in windows:
        assert sum_of(group[name] for group in groups.values()) == sum_of(store[name] for store in by_store.values())
    for values, by_window in groups.items():
        where = dict(zip(by, values, strict=True))
        kept = figures(**vars(case), policy=policy, windows=windows, where=where)
        assert {name: sum_of(store[name] for store in kept.values()) for name in windows} == by_window


@settings(max_examples=examples(40), deadline=None)
@given(st.data(), POLICIES)
def test_the_window_before_is_a_window(data: st.DataObject, policy: Policy) -> None:
    case = data.draw(exceptional_cases(max_stores=1))
    windows = data.draw(written_windows(case, max_size=2))
    zone, as_of = next(iter(case.zones.values()), None), now_of(case)
    for by_window in previous_figures(**vars(case), policy=policy, windows=windows).values():
        for name, found in by_window.items():
            assert found == figures_in(case, previous_window_of(windows[name], as_of, zone), policy)
