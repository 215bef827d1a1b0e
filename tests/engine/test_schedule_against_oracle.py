"""The open intervals against a second implementation that goes row by row and local date by local date."""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.schedules import intervals, joined, utc
from tests.oracle import truth
from tests.oracle.cases import Case, cases

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=50)
LENGTHS = st.sampled_from((timedelta(hours=1), timedelta(days=7), timedelta(days=30))) | st.timedeltas(
    timedelta(microseconds=1), timedelta(days=40)
)
LEADS = st.timedeltas(timedelta(0), timedelta(days=8))


@MANY
@given(case=cases(), length=LENGTHS, lead=LEADS)
def test_every_open_interval_is_the_oracle_s(case: Case, length: timedelta, lead: timedelta) -> None:
    ends_at = (case.as_of or truth.newest(case.polls) or utc("2024-11-04 06:00")) + lead - timedelta(days=4)
    starts_at = ends_at - length
    store_ids = sorted({row[0] for row in case.hours} | {*case.zones} | {"never heard of"})
    found = intervals(store_ids, case.hours, case.zones, starts_at, ends_at)
    assert found["store_key"].is_sorted()
    for key, store_id in enumerate(store_ids):
        hours = [row for row in case.hours if row[0] == store_id]
        expected = truth.open_intervals(hours, case.zones.get(store_id), starts_at, ends_at)
        of_store = found.filter(pl.col("store_key") == key)
        assert joined(of_store) == expected
        lasted = (of_store["closes_at"] - of_store["opens_at"]).to_list()
        assert of_store["clock_us"].to_list() == [sum(lasted[:n]) for n in range(len(lasted))]


@FEW
@given(case=cases(max_stores=1), cut=st.integers(1, 10 * 86_400_000_000 - 1))
def test_a_stretch_may_be_asked_for_in_two(case: Case, cut: int) -> None:
    def service_us(starts_at: datetime, ends_at: datetime) -> int:
        found = intervals(["a"], [("a", *row[1:]) for row in case.hours], zones, starts_at, ends_at)
        return int((found["closes_at"] - found["opens_at"]).sum())

    zones = dict.fromkeys("a" if case.zones else "", next(iter(case.zones.values()), ""))
    ends_at = case.as_of or utc("2024-11-04 06:00")
    starts_at = ends_at - timedelta(days=10)
    middle = starts_at + timedelta(microseconds=cut)
    assert service_us(starts_at, ends_at) == service_us(starts_at, middle) + service_us(middle, ends_at)
