"""The audit against plain loops over stores, polls and rows."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from storemon.answers.audit import audit
from tests.answers.test_report_against_oracle import MANY
from tests.engine.asking import frames_of
from tests.oracle import truth
from tests.oracle.cases import Case, cases
from tests.oracle.service_time import length_of, realise, union

MICROSECOND, MONDAY = timedelta(microseconds=1), date(2024, 1, 1)
LENGTHS = st.sampled_from([timedelta(hours=1), timedelta(days=7), timedelta(days=28)]) | st.timedeltas(
    MICROSECOND, timedelta(days=40)
)
UNKNOWN = ("gaps", "late_first_polls", "silent_stores")
Found = dict[str, list[tuple[object, ...]]]


class Judge:
    """One case, looked at store by store and poll by poll."""

    def __init__(self, case: Case, window: timedelta) -> None:
        self.case = case
        self.now = case.as_of or max(at for _, _, at in case.polls)
        self.starts_at, self.limit = self.now - window, case.carry_limit
        self.statuses: dict[str, dict[datetime, set[str]]] = defaultdict(lambda: defaultdict(set))
        for store, status, at in case.polls:
            if at <= self.now:
                self.statuses[store][at].add(status)

    def rows_of(self, store: str) -> list[truth.Row]:
        return [row for row in self.case.hours if row[0] == store]

    def weekdays(self, store: str) -> int:
        return len({weekday for _, weekday, _, _ in self.rows_of(store)})

    def open_us(self, store: str, starts_at: datetime, ends_at: datetime) -> int:
        intervals = truth.open_intervals(self.rows_of(store), self.case.zones.get(store), starts_at, ends_at)
        return sum((closes_at - opens_at) // MICROSECOND for opens_at, closes_at in intervals)

    def told(self, at: datetime) -> datetime | None:
        """Polls that come a carry limit before the window, or earlier, are not told."""
        return at if at > self.starts_at - self.limit else None

    def unknown(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        for store, polls in self.statuses.items():
            ordered = sorted(polls)
            for last, following in pairwise(ordered):
                starts_at = max(last + self.limit, self.starts_at)
                if starts_at < following and (unknown_us := self.open_us(store, starts_at, following)):
                    yield "gaps", (store, self.told(last), following, unknown_us)
            first, newest = ordered[0], ordered[-1]
            known_from = first - self.limit
            if known_from > self.starts_at and (unknown_us := self.open_us(store, self.starts_at, known_from)):
                yield "late_first_polls", (store, first, unknown_us)
            if self.now - newest > self.limit:
                since = max(newest + self.limit, self.starts_at)
                yield "silent_stores", (store, self.told(newest), self.open_us(store, since, self.now))

    def polled(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        for store, polls in self.statuses.items():
            inside = {at: statuses for at, statuses in polls.items() if at >= self.starts_at}
            for at, statuses in inside.items():
                if len(statuses) > 1:
                    yield "disagreeing_duplicates", (store, at)
            count = sum(map(len, inside.values()))
            service_us = self.open_us(store, self.starts_at, self.now)
            while_open = [at for at in inside if self.open_us(store, at, at + MICROSECOND)]
            if inside and service_us and not while_open:
                yield "polls_only_outside_hours", (store, count, max(inside), service_us)
            if not self.rows_of(store):
                inactive = sum("inactive" in statuses for statuses in inside.values())
                yield "stores_without_hours", (store, count, inactive)
            if store not in self.case.zones:
                yield "stores_without_zone", (store, self.weekdays(store))

    def scheduled(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        for store in {*self.case.zones, *(row[0] for row in self.case.hours)} - {*self.statuses}:
            yield "hours_without_polls", (store, self.weekdays(store), self.case.zones.get(store))
        for store, weekday in {row[:2] for row in self.case.hours}:
            rows = [row for row in self.rows_of(store) if row[1] == weekday]
            shifts = {realise(row, MONDAY, "UTC") for row in rows}
            open_us = length_of(union(shifts))
            if open_us <= 60_000_000:
                yield "one_minute_schedules", (store, weekday, open_us)
            if length_of(shifts) > open_us:
                yield "overlapping_shifts", (store, weekday, length_of(shifts) - open_us)

    def found(self) -> Found:
        found: Found = defaultdict(list)
        for part in (self.unknown(), self.polled(), self.scheduled()):
            for name, row in part:
                found[name].append(row)
        return found


def found_by_audit(case: Case, window: timedelta) -> Found:
    findings = audit(frames_of(case), as_of=case.as_of, carry_limit=case.carry_limit, window=window, examples=1_000_000)
    assert all(len(finding.examples) == finding.count for finding in findings)
    frames = {finding.name: finding.examples for finding in findings if finding.count}
    return {name: frame.drop("shifts", strict=False).rows() for name, frame in frames.items()}


def as_sets(found: Found) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@MANY
@given(case=cases(), window=LENGTHS)
def test_it_finds_what_plain_loops_find(case: Case, window: timedelta) -> None:
    assume(case.polls or case.as_of)
    found, judge = found_by_audit(case, window), Judge(case, window)
    assert as_sets(found) == as_sets(judge.found())
    # All that a report of the window calls unknown has been found, and nothing else.
    unknown = [row for name in UNKNOWN for row in found.get(name, [])]
    for store in judge.statuses:
        polls = [poll for poll in case.polls if poll[0] == store]
        of_store = polls, judge.rows_of(store), case.zones.get(store)
        inside = judge.starts_at, judge.now
        figures = truth.figures_between(*of_store, inside, judge.now, carry_limit=case.carry_limit)
        assert sum(int(str(row[-1])) for row in unknown if row[0] == store) == figures.unknown_us
