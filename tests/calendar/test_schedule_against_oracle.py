"""The open intervals against a second implementation that goes row by row and local date by local date."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon.calendar.schedule import with_clock
from tests.calendar.schedules import intervals, joined, split, utc
from tests.examples import examples
from tests.oracle import truth
from tests.oracle.cases import Case, cases
from tests.oracle.exceptional_cases import exceptional_cases
from tests.oracle.exceptions import meant_for, service_and_excluded
from tests.oracle.service_time import Stretch, instant, union

MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(parent=MANY, max_examples=examples(50))
LENGTHS = st.sampled_from((timedelta(hours=1), timedelta(days=7), timedelta(days=30))) | st.timedeltas(
    timedelta(microseconds=1), timedelta(days=40)
)
LEADS = st.timedeltas(timedelta(0), timedelta(days=8))


def stretch_of(case: Case, length: timedelta, lead: timedelta) -> truth.Interval:
    ends_at = (case.as_of or truth.newest(case.polls) or utc("2024-11-04 06:00")) + lead - timedelta(days=4)
    return ends_at - length, ends_at


def stores_of(case: Case) -> list[str]:
    return sorted(
        {row[0] for row in case.hours} | {*case.zones} | {poll[0] for poll in case.polls} | {"never heard of"}
    )


def merged(stretches: list[Stretch]) -> list[truth.Interval]:
    return [(instant(opens), instant(closes)) for opens, closes in union(stretches)]


@MANY
@given(case=cases(), length=LENGTHS, lead=LEADS)
def test_every_open_interval_is_the_oracle_s(case: Case, length: timedelta, lead: timedelta) -> None:
    starts_at, ends_at = stretch_of(case, length, lead)
    store_ids = stores_of(case)
    found = with_clock(intervals(store_ids, case.hours, case.zones, starts_at, ends_at))
    assert found["store_key"].is_sorted()
    for key, store_id in enumerate(store_ids):
        hours = [row for row in case.hours if row[0] == store_id]
        expected = truth.open_intervals(hours, case.zones.get(store_id), starts_at, ends_at)
        of_store = found.filter(store_key=key)
        assert joined(of_store) == expected
        lasted = (of_store["closes_at"] - of_store["opens_at"]).to_list()
        assert of_store["clock_us"].to_list() == [sum(lasted[:n]) for n in range(len(lasted))]


@MANY
@given(case=exceptional_cases(), length=LENGTHS, lead=LEADS)
def test_with_exceptions_too_and_what_they_exclude(case: Case, length: timedelta, lead: timedelta) -> None:
    window = stretch_of(case, length, lead)
    store_ids = stores_of(case)
    scheduled = intervals(store_ids, case.hours, case.zones, *window, special_hours=case.special_hours)
    left, excluded = split(store_ids, scheduled, case.maintenance)
    for part in (left, excluded):
        assert part.equals(part.sort("store_key", "opens_at"))
    for key, store_id in enumerate(store_ids):
        service, taken_out = service_and_excluded(
            [row for row in case.hours if row[0] == store_id],
            case.zones.get(store_id),
            window,
            None,
            special_hours=[row for row in case.special_hours if meant_for(row[0], store_id)],
            maintenance=[row for row in case.maintenance if meant_for(row[0], store_id)],
        )
        assert joined(left.filter(store_key=key)) == merged(service)
        assert joined(excluded.filter(store_key=key)) == merged(taken_out)


@FEW
@given(case=cases(max_stores=1), days=st.integers(600, 2000), lead=LEADS)
def test_through_many_changes_of_the_clocks(case: Case, days: int, lead: timedelta) -> None:
    starts_at, ends_at = stretch_of(case, timedelta(days=days), lead)
    store_ids = stores_of(case)
    found = intervals(store_ids, case.hours, case.zones, starts_at, ends_at)
    for key, store_id in enumerate(store_ids):
        hours = [row for row in case.hours if row[0] == store_id]
        expected = truth.open_intervals(hours, case.zones.get(store_id), starts_at, ends_at)
        assert joined(found.filter(store_key=key)) == expected


@FEW
@given(case=exceptional_cases(max_stores=1), cut=st.integers(1, 10 * 86_400_000_000 - 1))
def test_a_stretch_may_be_asked_for_in_two(case: Case, cut: int) -> None:
    store_ids = stores_of(case)

    def service_us(starts_at: datetime, ends_at: datetime) -> int:
        found = intervals(store_ids, case.hours, case.zones, starts_at, ends_at, special_hours=case.special_hours)
        return int((found["closes_at"] - found["opens_at"]).sum())

    ends_at = case.as_of or utc("2024-11-04 06:00")
    starts_at = ends_at - timedelta(days=10)
    middle = starts_at + timedelta(microseconds=cut)
    assert service_us(starts_at, ends_at) == service_us(starts_at, middle) + service_us(middle, ends_at)
