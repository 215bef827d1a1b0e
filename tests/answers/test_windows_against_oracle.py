"""Windows of every kind in every zone, and their parts, against the oracle."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.calendar.windows import realise
from storemon.units.instants import microseconds
from tests.engine.asking import windows_as_asked
from tests.examples import examples
from tests.oracle.cases import NUDGES, Case
from tests.oracle.clocks import ZONES, clock_changes
from tests.oracle.exceptional_cases import written_windows
from tests.oracle.truth import Every, Window, bucket, parts, window_of

Asked = tuple[datetime, str, dict[str, Window]]
CHANGES = [(zone, change) for zone in ZONES for change in clock_changes(zone)]
SINCE = st.integers(0, 45 * 24 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))
HOUR = timedelta(hours=1)


@st.composite
def windows(draw: st.DrawFn) -> Asked:
    """As-of, mostly within days or weeks of a change of some zone's clocks; that zone; and windows near it."""
    zone, change = draw(st.sampled_from(CHANGES))
    as_of = change + draw(st.just(timedelta(0)) | SINCE) + draw(NUDGES) - draw(st.sampled_from((0, 2))) * HOUR
    case = Case([], [], {"a": zone}, as_of, HOUR)
    return as_of, zone, draw(written_windows(case))


def rows(found: pl.DataFrame) -> list[tuple[Any, ...]]:
    return found.select("window", "zone_key", "starts_at", "ends_at", "bucket").rows()


@settings(max_examples=examples(100), deadline=None)
@given(windows(), st.integers(0, 2), st.lists(st.sampled_from(ZONES), max_size=3))
def test_windows_are_the_oracle_s(asked: Asked, back: int, more_zones: list[str]) -> None:
    as_of, zone, chosen = asked
    zones = [zone, *more_zones]
    found = []
    for window in windows_as_asked(chosen):
        realised = [window.span.bounds(as_of, each, back) for each in zones]
        assert realised == [window_of(chosen[window.name], as_of, each, back) for each in zones]
        found.append(realised)
    if back == 0:
        assert rows(realise(windows_as_asked(chosen), as_of, zones)) == [
            (place, key, microseconds(starts_at), microseconds(ends_at), None)
            for place, realised in enumerate(found)
            for key, (starts_at, ends_at) in enumerate(realised)
        ]


def parts_of_oracle(asked: Asked, zones: list[str], every: Every) -> list[tuple[Any, ...]]:
    as_of, _, chosen = asked
    return [
        (place, key, microseconds(starts_at), microseconds(ends_at), bucket(starts_at, every, zone))
        for place, window in enumerate(chosen.values())
        for key, zone in enumerate(zones)
        for starts_at, ends_at in parts(window_of(window, as_of, zone), every, zone)
    ]


@settings(max_examples=examples(60), deadline=None)
@given(windows(), st.sampled_from(("day", "week", "month")), st.lists(st.sampled_from(ZONES), max_size=2))
def test_parts_are_the_oracle_s(asked: Asked, every: Every, more_zones: list[str]) -> None:
    as_of, zone, chosen = asked
    zones = [zone, *more_zones]
    assert rows(realise(windows_as_asked(chosen), as_of, zones, every)) == parts_of_oracle(asked, zones, every)


@settings(max_examples=examples(25), deadline=None)
@given(windows(), st.sampled_from(ZONES))
def test_hours_are_the_oracle_s(asked: Asked, other: str) -> None:
    as_of, zone, chosen = asked
    short: dict[str, Window] = {
        "today": "today",
        "3h": "3h",
        **{name: window for name, window in chosen.items() if window == "24h"},
    }
    asked, zones = (as_of, zone, short), [zone, other]
    assert rows(realise(windows_as_asked(short), as_of, zones, "hour")) == parts_of_oracle(asked, zones, "hour")
