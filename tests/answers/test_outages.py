"""Outages on literal rows. Times are hours since Monday, October 7, 2024, midnight, in UTC, where the store is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from storemon import EmptyLakeError, Frames, InputError
from storemon.answers.outages import outages
from storemon.answers.report import report
from storemon.calendar.windows import Absolute, Window

MIDNIGHT = datetime(2024, 10, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYTIME = [("a", day, "09:00", "17:00") for day in range(7)]
Told = tuple[float | bool | None, ...]


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def window(starts: float, ends: float, name: str = "w") -> Window:
    return Window(name, Absolute(at(starts), at(ends)))


def frames(*told: tuple[float, str], hours: Any = DAYTIME, maintenance: Any = (), zone: str = "UTC") -> Frames:
    """Polls are ``(hours, sign)``: active ``+`` or inactive ``-``."""
    status = {"+": "active", "-": "inactive"}
    return Frames(
        polls={
            "store_id": ["a"] * len(told),
            "status": [status[sign] for _, sign in told],
            "timestamp_utc": pl.Series([at(hour) for hour, _ in told], dtype=pl.Datetime("us", "UTC")),
        },
        hours=pl.DataFrame(
            [*hours],
            schema={"store_id": str, "dayOfWeek": int, "start_time_local": str, "end_time_local": str},
            orient="row",
        ),
        zones={"store_id": ["a"], "timezone_str": [zone]},
        maintenance=pl.DataFrame(
            [("a", at(starts), at(ends), "") for starts, ends in maintenance],
            schema={"store_id": str, "starts_at_utc": pl.Datetime, "ends_at_utc": pl.Datetime, "reason": str},
            orient="row",
        ),
    )


def found(source: Frames, *windows: Window, as_of: float = 96, limit: str = "72h", **asked: Any) -> list[Told]:
    """Starts, ends, downtime, whole downtime, elapsed, started after, ended before, in hours; and ongoing."""
    rows = outages(source, windows=windows or [window(0, 96)], as_of=at(as_of), carry_limit=limit, **asked).iter_rows(
        named=True
    )
    lengths, edges = ("downtime", "whole_downtime", "elapsed"), ("started_after", "ended_before")
    return [
        (
            *((row[name] - MIDNIGHT) / HOUR for name in ("starts_at", "ends_at")),
            *(row[name] / HOUR for name in lengths),
            *(None if row[name] is None else (row[name] - MIDNIGHT) / HOUR for name in edges),
            row["ongoing"],
        )
        for row in rows
    ]


def test_the_frame() -> None:
    frame = outages(frames((10, "+"), (11, "-"), (13, "+")), as_of=at(24))
    instant, length = pl.Datetime("us", "UTC"), pl.Duration("us")
    assert frame.schema == {
        "store_id": pl.String,
        "window": pl.String,
        "starts_at": instant,
        "ends_at": instant,
        "downtime": length,
        "whole_downtime": length,
        "elapsed": length,
        "ongoing": pl.Boolean,
        "started_after": instant,
        "ended_before": instant,
    }
    assert frame.rows() == [("a", "last_day", at(11), at(13), 2 * HOUR, 2 * HOUR, 2 * HOUR, False, at(10), at(13))]


def test_without_any() -> None:
    assert found(frames((10, "+"))) == []
    # Inactive, but closed; and inactive only after as-of.
    assert found(frames((10, "+"), (18, "-"), (19, "+"))) == []
    assert found(frames((10, "+"), (11, "-")), as_of=10.5) == []
    # None had been polled.
    assert found(frames((10, "-")), as_of=9) == []
    assert outages(frames((10, "-")), as_of=at(9)).schema == outages(frames((10, "-"))).schema
    with pytest.raises(EmptyLakeError):
        outages(frames())
    with pytest.raises(InputError, match="did you mean yesterday"):
        outages(frames((10, "-")), windows=["yesterdy"])


def test_nearest_begins_and_ends_half_way() -> None:
    told = frames((10, "+"), (11, "-"), (12, "-"), (13, "+"))
    assert found(told) == [(11, 13, 2, 2, 2, 10, 13, False)]
    assert found(told, policy="nearest") == [(10.5, 12.5, 2, 2, 2, 10, 13, False)]


def test_closing_time_does_not_end_it() -> None:
    # Down from 16:00 until 11:00 the next day: one hour, then two.
    assert found(frames((15, "+"), (16, "-"), (35, "+"))) == [(16, 35, 3, 3, 19, 15, 35, False)]
    # It begins or ends while closed: at opening, and at closing. Exactly at them: no more than that.
    assert found(frames((15, "+"), (18, "-"), (35, "+"))) == [(33, 35, 2, 2, 2, 15, 35, False)]
    assert found(frames((15, "+"), (16, "-"), (20, "+"))) == [(16, 17, 1, 1, 1, 15, 20, False)]
    assert found(frames((15, "+"), (17, "-"), (35, "+"))) == [(33, 35, 2, 2, 2, 15, 35, False)]
    assert found(frames((15, "+"), (16, "-"), (33, "+"))) == [(16, 17, 1, 1, 1, 15, 33, False)]
    assert found(frames((15, "+"), (17, "-"), (33, "+"))) == []


def test_maintenance_does_not_end_it_nor_is_it_part_of_it() -> None:
    told = (10, "+"), (11, "-"), (15, "+")
    assert found(frames(*told, maintenance=[(12, 13)])) == [(11, 15, 3, 3, 4, 10, 15, False)]
    assert found(frames(*told, maintenance=[(10, 12), (14, 16)])) == [(12, 14, 2, 2, 2, 10, 15, False)]
    assert found(frames(*told, maintenance=[(9, 17)])) == []


def test_a_window_clips_its_downtime_alone() -> None:
    told = frames((15, "+"), (16, "-"), (35, "+"))
    assert found(told, window(24, 96)) == [(16, 35, 2, 3, 19, 15, 35, False)]
    assert found(told, window(16.5, 34)) == [(16, 35, 1.5, 3, 19, 15, 35, False)]
    # It counts only with open time inside: not in the night, not beside it.
    assert found(told, window(17, 33)) == found(told, window(35, 96)) == []


def test_each_window_tells_of_its_own() -> None:
    told = frames((15, "+"), (16, "-"), (35, "+"), (36, "-"), (37, "+"))
    windows = [window(34, 48, "z"), window(0, 34.5, "a")]
    frame = outages(told, windows=windows, as_of=at(96), carry_limit="72h")
    listed = frame.select("window", "starts_at", pl.col("downtime") / HOUR).rows()
    assert listed == [("z", at(16), 1), ("z", at(36), 1), ("a", at(16), 2.5)]


def test_it_is_ongoing_if_its_spell_contains_as_of() -> None:
    told = (15, "+"), (16, "-")
    assert found(frames(*told), as_of=34) == [(16, 34, 2, 2, 18, 15, None, True)]
    # While the store is closed it ends, as far as is known, at closing; a window long before tells of it too.
    assert found(frames(*told), as_of=20) == [(16, 17, 1, 1, 1, 15, None, True)]
    assert found(frames(*told), window(16, 16.5), as_of=34) == [(16, 34, 0.5, 2, 18, 15, None, True)]
    # An active poll at as-of ends it; one after as-of doesn't count.
    later = frames(*told, (34, "+"))
    assert found(later, as_of=34) == [(16, 34, 2, 2, 18, 15, 34, False)]
    assert found(later, as_of=33.5) == [(16, 33.5, 1.5, 1.5, 17.5, 15, None, True)]


@pytest.mark.parametrize("policy", ["carry", "nearest"])
def test_unknown_time_ends_it_even_at_as_of(policy: str) -> None:
    told = frames((14, "-"), (16, "-"), hours=[])
    for as_of in (34, 40):
        assert found(told, as_of=as_of, limit="18h", policy=policy) == [(-4, 34, 34, 38, 38, None, None, False)]
    assert found(told, as_of=33, limit="18h", policy=policy) == [(-4, 33, 33, 37, 37, None, None, True)]


def test_started_after_looks_past_unknown_time() -> None:
    told = frames((10, "+"), (11, "-"), (14, "-"), (16, "+"))
    assert found(told, limit="1h") == [(11, 12, 1, 1, 1, 10, 16, False), (14, 15, 1, 1, 1, 10, 16, False)]
    assert found(told, limit="1h", policy="nearest") == [
        (10.5, 12, 1.5, 1.5, 1.5, 10, 16, False),
        (13, 15, 2, 2, 2, 10, 16, False),
    ]
    # The poll that bounds an edge may lie long before the window, and long after.
    far = frames((-900, "+"), (11, "-"), (900, "+"), hours=[])
    assert found(far, window(10, 12), as_of=1000, limit="1h") == [(11, 12, 1, 1, 1, -900, 900, False)]
    assert found(far, window(10, 12), as_of=899, limit="1h") == [(11, 12, 1, 1, 1, -900, None, False)]


def test_the_first_poll_reaches_back() -> None:
    told = frames((10, "-"), (11, "+"), hours=[])
    assert found(told, limit="2h") == [(8, 11, 3, 3, 3, None, 11, False)]
    assert found(told, limit="2h", policy="nearest") == [(8, 10.5, 2.5, 2.5, 2.5, None, 11, False)]
    # Before the window, too.
    assert found(told, window(9, 10), limit="2h") == [(8, 11, 1, 3, 3, None, 11, False)]


@pytest.mark.parametrize("policy", ["carry", "nearest"])
def test_polls_that_disagree_are_inactive_and_bound_nothing(policy: str) -> None:
    told = frames((10, "+"), (12, "+"), (12, "-"), (14, "+"))
    expected = {"carry": (12, 14, 2, 2, 2, 10, 14, False), "nearest": (11, 13, 2, 2, 2, 10, 14, False)}
    assert found(told, policy=policy) == [expected[policy]]
    # In the midst of an outage, before the window as well as in it, they change nothing.
    told = frames((-90, "+"), (-80, "-"), (-60, "+"), (-60, "-"), (-20, "-"), (12, "-"), (12, "+"), (14, "-"), hours=[])
    (one,) = found(told, window(10, 20), as_of=20, policy=policy)
    begins = {"carry": -80, "nearest": -85}[policy]
    assert one == (begins, 20, 10, 20 - begins, 20 - begins, -90, None, True)


@pytest.mark.parametrize("policy", ["carry", "nearest"])
@pytest.mark.parametrize("days", [1, 8, 100, 1000])
def test_it_began_long_before_the_window(days: int, policy: str) -> None:
    polls = [(10 + 24.0 * day, "-") for day in range(-days, 1)]
    polls.insert(0, (9 - 24.0 * days, "+"))
    (one,) = found(frames(*polls), window(9, 11), as_of=24, policy=policy)
    begins = (10 if policy == "carry" else 9.5) - 24 * days
    whole = 17 - 10 + 8 * days if policy == "carry" else 17 - 9.5 + 8 * days
    assert one == (begins, 17, 2, whole, 17 - begins, 9 - 24 * days, None, True)


def test_it_began_after_unknown_time_long_before_the_window() -> None:
    told = frames((-1000, "+"), (-900, "-"), *((float(hour), "-") for hour in range(-700, 0, 60)), hours=[])
    assert found(told, window(0, 1), as_of=10) == [(-700, 10, 1, 710, 710, -1000, None, True)]
    assert found(told, window(0, 1), as_of=10, policy="nearest") == [(-772, 10, 1, 782, 782, -1000, None, True)]


def test_the_nearest_poll_may_meet_one_from_long_before_the_window() -> None:
    # They are further apart than a poll is believed in one direction, and no further than two believe each other.
    for polled_at, sign, begins, after in (
        *((-80, "-", -152, None), (-80, "+", -15, -80), (-94, "-", -166, None), (-94, "+", -22, -94)),
        *((-95, "-", -22, None), (-95, "+", -22, -95)),
    ):
        told = frames((polled_at, sign), (50, "-"), (60, "+"), hours=[])
        expected = (begins, 55, 55, 55 - begins, 55 - begins, after, 60, False)
        assert found(told, window(0, 90), as_of=90, policy="nearest") == [expected]


def test_what_they_come_to() -> None:
    # Always open. Down from 1 to 2, from 4 to 7, and from 9 on; up in the first ten hours for 1 + 2 + 2.
    told = frames((0, "+"), (1, "-"), (2, "+"), (4, "-"), (7, "+"), (9, "-"), hours=[])
    windows = [window(*each) for each in ((0, 10, "all"), (0, 1, "before"), (9, 10, "now"), (6, 10, "part"))]
    measures = ["outages", "longest_outage", "mttr", "mtbf"]
    frame = report(told, as_of=at(10), windows=windows, measures=measures)
    by_window = {w.name: frame.select(f"{measure}_{w.name}" for measure in measures).row(0) for w in windows}
    assert by_window == {
        "all": (3, 3 * HOUR, 2 * HOUR, timedelta(hours=5) / 3),
        "before": (0, None, None, None),
        # The one that is ongoing is not yet to be repaired; its downtime counts for the longest.
        "now": (1, HOUR, None, timedelta(0)),
        # Of the one that ended at 7 there is an hour inside.
        "part": (2, HOUR, HOUR, HOUR),
    }


def test_an_outage_that_goes_on_after_its_window_has_not_ended_there() -> None:
    told = frames((0, "+"), (1, "-"), (50, "-"), hours=[])
    for as_of, mttr in ((60, None), (200, HOUR)):
        frame = report(told, as_of=at(as_of), windows=[window(0, 2)], measures=["outages", "mttr"])
        assert frame.rows() == [("a", 1, None)]
        frame = report(told, as_of=at(as_of), windows=[window(0, 2)], measures=["outages", "mttr"], carry_limit="100h")
        assert frame.rows() == [("a", 1, mttr)]


def test_a_series_counts_an_outage_once_in_an_hour_that_the_clocks_show_twice() -> None:
    # Chicago's clocks go back at 07:00 UTC on November 3, 2024: 01:00 occurs at 06:00 and at 07:00.
    day = (datetime(2024, 11, 3, tzinfo=UTC) - MIDNIGHT) / HOUR
    told = frames((day, "+"), (day + 6.5, "-"), (day + 7.5, "+"), hours=[], zone="America/Chicago")
    measures = ["outages", "longest_outage", "mttr"]
    frame = report(told, every="hour", measures=measures, windows=[window(day + 5, day + 9)], as_of=at(day + 10))
    assert frame.select(pl.col("hour").dt.hour(), *measures).rows() == [
        (0, 0, None, None),
        (1, 1, HOUR, HOUR),
        (2, 0, None, None),
    ]


def test_two_stores_down_at_once_are_two_outages() -> None:
    told = Frames(
        polls={
            "store_id": ["a", "a", "a", "b", "b", "b"],
            "status": ["active", "inactive", "active"] * 2,
            "timestamp_utc": [at(hour).isoformat() for hour in (0, 1, 2, 0, 1, 4)],
        },
        zones={"store_id": ["a", "b"], "timezone_str": ["UTC", "UTC"]},
    )
    frame = report(
        told,
        as_of=at(5),
        windows=[window(0, 5)],
        measures=["outages", "longest_outage", "mttr", "mtbf"],
        group_by=[],
    )
    assert frame.rows() == [(2, 2, 3 * HOUR, 2 * HOUR, 3 * HOUR)]
    assert outages(told, as_of=at(5), windows=[window(0, 5)])["store_id"].to_list() == ["a", "b"]
