"""What an explanation tells, on facts small enough to see through, and what is refused."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storemon import Frames, InputError, Lake, explain
from storemon.answers.explanation.parts import Explanation, Poll, Shift, Sums
from storemon.calendar.windows import Absolute, Window

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
STATUS = {"+": "active", "-": "inactive"}
WRITTEN = {
    "hours": ("dayOfWeek", "start_time_local", "end_time_local"),
    "special_hours": ("date", "start_time_local", "end_time_local"),
    "maintenance": ("starts_at_utc", "ends_at_utc", "reason"),
    "zones": ("timezone_str",),
}


def on(day: int, hour: float = 0) -> datetime:
    """October 2024; the 14th is a Monday."""
    return datetime(2024, 10, day, tzinfo=UTC) + hour * HOUR


def frames(polls: Sequence[tuple[str, str, datetime]], **facts: Sequence[tuple[Any, ...]]) -> Frames:
    """Take polls as store, + or -, and instant; the rest as rows, the store first."""
    columns = {
        what: {name: [row[place] for row in rows] for place, name in enumerate(("store_id", *WRITTEN[what]))}
        for what, rows in facts.items()
    }
    told = [(store, STATUS[sign], f"{at:%Y-%m-%d %H:%M:%S.%f} UTC") for store, sign, at in polls]
    stores, statuses, instants = zip(*told, strict=True)
    return Frames(polls={"store_id": stores, "status": statuses, "timestamp_utc": instants}, **columns)


def asked(
    polls: Sequence[tuple[str, datetime]], *, zone: str = "UTC", window: str = "2024-10-14", **facts: Any
) -> Explanation:
    """Explain the store "x" as of noon on the 16th, with a carry limit of six hours."""
    of_facts = {what: facts.pop(what) for what in [*facts] if what in WRITTEN}
    source = frames([("x", *poll) for poll in polls], zones=[("x", zone)], **of_facts)
    return explain(source, "x", as_of=on(16, 12), windows=[window], **({"carry_limit": "6h"} | facts))


def told(explanation: Explanation) -> list[tuple[float, float, str, str, str]]:
    """Tell the pieces in hours after midnight of the 14th."""
    return [
        ((starts - on(14)) / HOUR, (ends - on(14)) / HOUR, held, began, ended)
        for starts, ends, held, began, ended in explanation.pieces
    ]


DAY = [("x", 0, "09:00", "17:00")]


def test_a_day_with_everything() -> None:
    explanation = asked(
        [("+", on(14, 8)), ("-", on(14, 10)), ("+", on(14, 11)), ("-", on(15, 9))],
        hours=DAY,
        maintenance=[
            ("x", "2024-10-14 12:00:00 UTC", "2024-10-14 12:30:00 UTC", "oven"),
            ("*", "2024-10-14 12:15:00 UTC", "2024-10-14 13:00:00 UTC", ""),
            ("*", "2024-10-15 12:15:00 UTC", "2024-10-15 13:00:00 UTC", "another day"),
        ],
        carry_limit="5h",
    )
    assert told(explanation) == [
        (9, 10, "active", "schedule", "state"),
        (10, 11, "inactive", "state", "state"),
        (11, 12, "active", "state", "maintenance"),
        (12, 13, "excluded", "maintenance", "maintenance"),
        (13, 16, "active", "maintenance", "state"),
        (16, 17, "unknown", "state", "schedule"),
    ]
    assert explanation.figures == Sums(7 * HOUR, 5 * HOUR, HOUR, HOUR, HOUR)
    assert [(row.reason, row.every_store) for row in explanation.maintenance] == [("oven", False), ("", True)]
    (day,) = explanation.schedule
    assert (day.date, day.source, day.shifts) == (date(2024, 10, 14), "weekly hours", (Shift(32_400, 61_200, ()),))
    assert day.open == ((on(14, 9), on(14, 17)),)
    assert [(spell.state, spell.open_time / HOUR) for spell in explanation.spells] == [
        ("unknown", 0),
        ("active", 1),
        ("inactive", 1),
        ("active", 4),  # two before maintenance and three after it, less what it takes
        ("unknown", 1),
    ]
    assert [[reason.rule for reason in spell.because] for spell in explanation.spells] == [
        ["lapsed"],
        ["first", "latest"],
        ["latest"],
        ["latest"],
        ["lapsed"],
    ]


def test_why_a_state_is_held() -> None:
    explanation = asked([("+", on(14, 3)), ("+", on(14, 5)), ("+", on(14, 10)), ("-", on(14, 20))], hours=DAY)
    reached, latest = explanation.spells[0].because
    assert reached[:4] == ("first", on(14), on(14, 3), 1)
    assert (reached.first_poll, reached.furthest) == (on(14, 3), 3 * HOUR)
    assert latest[:4] == ("latest", on(14, 3), on(14, 16), 3)
    assert (latest.first_poll, latest.last_poll, latest.furthest) == (on(14, 3), on(14, 10), 6 * HOUR)
    (lapsed,) = explanation.spells[1].because
    assert lapsed == ("lapsed", on(14, 16), on(14, 20), 0, on(14, 10), on(14, 10), None)


def test_why_a_state_is_held_by_the_nearest_poll() -> None:
    polls = [("+", on(14, 3)), ("+", on(14, 6)), ("-", on(14, 10)), ("+", on(15, 1))]
    explanation = asked(polls, policy="nearest")
    told = [
        (spell.state, (spell.ends_at - on(14)) / HOUR, *reason[3:])
        for spell in explanation.spells
        for reason in spell.because
    ]
    assert told == [
        ("active", 8, 2, on(14, 3), on(14, 6), 3 * HOUR),
        ("inactive", 16, 1, on(14, 10), on(14, 10), 6 * HOUR),
        ("unknown", 19, 0, on(14, 10), on(14, 10), None),
        ("active", 24, 1, on(15, 1), on(15, 1), 6 * HOUR),
    ]
    assert [poll.place for poll in explanation.polls] == ["inside", "inside", "inside", "after"]


def test_what_is_told_of_polls() -> None:
    polls = [
        ("+", on(13, 20)),
        ("-", on(13, 23)),
        ("+", on(14, 9)),
        ("-", on(14, 9)),
        ("+", on(14, 17)),
        ("+", on(15, 1)),
    ]
    assert asked(polls, hours=DAY).polls == (
        Poll(on(13, 23), active=False, counts=True, open=False, place="before"),
        Poll(on(14, 9), active=False, counts=True, open=True, place="inside"),
        Poll(on(14, 9), active=True, counts=False, open=True, place="inside"),
        Poll(on(14, 17), active=True, counts=True, open=False, place="inside"),
    )
    assert [poll.polled_at for poll in asked(polls, hours=DAY, carry_limit="1h").polls if poll.place != "inside"] == []


def test_the_first_poll_ever_is_told_where_it_reaches_back_into_the_window() -> None:
    polls = [("-", on(15, 2)), ("+", on(15, 3))]
    explanation = asked(polls)
    assert [(poll.polled_at, poll.place) for poll in explanation.polls] == [(on(15, 2), "after")]
    assert told(explanation) == [
        (0, 20, "unknown", "schedule", "state"),
        (20, 24, "inactive", "state", "schedule"),
    ]
    assert asked(polls, carry_limit="2h").polls == ()


def test_what_the_window_cuts() -> None:
    window = Window("hours", Absolute(on(14, 10), on(14, 17)))
    explanation = explain(
        frames([("x", "+", on(14, 9))], hours=DAY, zones=[("x", "UTC")]), "x", windows=[window], as_of=on(15)
    )
    assert told(explanation) == [(10, 17, "active", "window", "schedule")]
    assert explanation.unit == "minutes"
    assert explanation.schedule[0].open == ((on(14, 9), on(14, 17)),)


@pytest.mark.parametrize(
    ("opens", "closes", "notes", "after_midnight"),
    [
        ("22:00", "02:30", ["closes on the next date: rule 5"], 2.5),
        ("22:00", "23:59", ["closes in the last minute, that is at midnight: rule 4"], 0),
        ("22:00", "00:00", [], 0),
        ("22:00", "22:00", ["closes 24 hours after it opens: rule 5"], 22),
        ("00:00", "00:00", [], 0),
    ],
)
def test_how_rows_are_read(opens: str, closes: str, notes: list[str], after_midnight: float) -> None:
    window = Window("two days", Absolute(on(14), on(16)))
    source = frames([("x", "+", on(14))], hours=[("x", 0, opens, closes)], zones=[("x", "UTC")])
    monday, tuesday = explain(source, "x", windows=[window], as_of=on(18)).schedule
    assert [[*shift.notes] for shift in monday.shifts] == [notes]
    assert tuesday.shifts == ()
    assert tuesday.tail is bool(after_midnight)
    assert [(ends - starts) / HOUR for starts, ends in tuesday.open] == ([after_midnight] if after_midnight else [])


def test_where_the_rows_of_a_date_come_from() -> None:
    window = Window("days", Absolute(on(14), on(18)))
    source = frames(
        [("x", "+", on(14)), ("always", "+", on(14)), ("x", "+", on(18))],
        hours=[("x", day, "09:00", "17:00") for day in range(4)],
        special_hours=[
            *(("*", "2024-10-15", "12:00", "13:00"), ("*", "2024-10-16", "12:00", "13:00")),
            *(("x", "2024-10-16", "", ""), ("always", "2024-10-17", "10:00", "11:00")),
        ],
        zones=[("x", "UTC"), ("always", "UTC")],
    )
    of_every_store = "special hours of every store"
    assert [(day.source, len(day.open)) for day in explain(source, "x", windows=[window]).schedule] == [
        ("weekly hours", 1),
        (of_every_store, 1),
        ("special hours", 0),
        ("weekly hours", 1),
    ]
    explanation = explain(source, "always", windows=[window])
    assert [(day.source, day.open[0].ends_at - day.open[0].starts_at) for day in explanation.schedule] == [
        ("no hours", 24 * HOUR),
        (of_every_store, HOUR),
        (of_every_store, HOUR),
        ("special hours", HOUR),
    ]


def test_a_date_on_which_the_clocks_change() -> None:
    source = frames([("x", "+", datetime(2024, 11, 3, 12, tzinfo=UTC))])
    explanation = explain(source, "x", windows=["2024-11-03"], as_of=datetime(2024, 11, 5, tzinfo=UTC))
    (day,) = explanation.schedule
    assert (day.ends_at - day.starts_at, explanation.zone_is_default) == (25 * HOUR, True)
    assert day.clock_changes == ((datetime(2024, 11, 3, 7, tzinfo=UTC), -5 * HOUR, -6 * HOUR),)
    assert day.open == ((day.starts_at, day.ends_at),)


def test_a_window_after_as_of_is_empty() -> None:
    explanation = asked([("+", on(14))], window="2024-10-20")
    assert explanation.starts_at == explanation.ends_at == on(16, 12)
    assert (explanation.schedule, explanation.spells, explanation.pieces, explanation.polls) == ((), (), (), ())
    assert explanation.figures == Sums(*[timedelta()] * 5)


def test_the_last_day_is_asked_for_unless_said() -> None:
    explanation = explain(frames([("x", "+", on(14)), ("x", "+", on(15, 7))]), "x")
    assert (explanation.window, explanation.starts_at, explanation.ends_at) == ("last_day", on(14, 7), on(15, 7))
    assert explanation.unit == "hours"


def test_a_lake_gives_what_frames_give(tmp_path: Path) -> None:
    polls = "".join(f"x,active,2024-10-{day} 09:00:00 UTC\n" for day in range(10, 17))
    hours = "x,0,09:00,17:00\n"
    for name, header, rows in (
        ("store_status", "store_id,status,timestamp_utc", polls + "y,inactive,2024-10-14 10:00:00 UTC\n"),
        ("menu_hours", "store_id,dayOfWeek,start_time_local,end_time_local", hours),
        ("timezones", "store_id,timezone_str", "x,UTC\n"),
    ):
        (tmp_path / f"{name}.csv").write_text(f"{header}\n{rows}")
    lake = Lake(tmp_path / "lake")
    lake.ingest(tmp_path)
    polled = [("+", on(day, 9)) for day in range(10, 17)]
    source = frames([("x", *poll) for poll in polled], hours=DAY, zones=[("x", "UTC")])
    for carry_limit in ("1h", "24h", "7d"):
        of_lake, of_frames = (
            explain(each, "x", windows=["2024-10-14"], carry_limit=carry_limit) for each in (lake, source)
        )
        assert of_lake == of_frames


KNOWN = frames([("shop 17", "+", on(14)), ("shop 71", "+", on(15))], hours=[("shop 9", 0, "09:00", "17:00")])


@pytest.mark.parametrize(
    ("store_id", "given", "message"),
    [
        ("shop 18", {}, "there is no store 'shop 18'; did you mean shop 71 or shop 17?"),
        ("sho", {}, "there is no store 'sho'; did you mean shop 17 or shop 71?"),
        ("", {}, "there is no store ''; there are 2 stores; a report lists them"),
        ("?", {}, "there is no store '?'; there are 2 stores; a report lists them"),
        ("shop 9", {}, "the store 'shop 9' has hours but was never polled, so there are no figures to explain"),
        (
            "shop 71",
            {"as_of": on(14, 12)},
            "the store 'shop 71' was first polled at 2024-10-15 00:00:00+00:00, after as-of, 2024-10-14 12:00:00+00:00",
        ),
        (
            "shop 17",
            {"windows": ["1h", "1d"]},
            "one window is explained at a time, and 2 are asked for; choose one",
        ),
        (
            "shop 17",
            {"windows": ["3661d"]},
            "the window from 2014-10-07 to 2024-10-15 cannot be told date by date; "  # noqa: ISC004
            "ask for 3660 days at most, between the years 2 and 9999",
        ),
    ],
)
def test_what_is_refused(store_id: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        explain(KNOWN, store_id, **given)
    assert str(refused.value) == message


def test_a_store_that_is_left_out_by_its_tags() -> None:
    source = Frames(
        polls={"store_id": ["x", "y"], "status": ["active"] * 2, "timestamp_utc": ["2024-10-14 00:00:00 UTC"] * 2},
        stores={"store_id": ["x", "y"], "region": ["West", "East"]},
    )
    assert explain(source, "x", where={"region": "West"}).store_id == "x"
    with pytest.raises(InputError, match="the store 'x' is not among those with region=East; leave that condition out"):
        explain(source, "x", where={"region": "East"})
