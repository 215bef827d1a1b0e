"""Each query of the audit on literal rows: what it finds, worst first, and that it finds nothing when all is well.

A store is a small integer, an instant or a length of time a small number of microseconds; store 1 has the id "a".
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import duckdb
import polars as pl
import pytest

from storemon.answers.audit import CHECKS, Check
from storemon.engine.pipeline import step
from storemon.lake.duck import connect
from tests.engine.steps import POLLS, Columns, Inputs, Row, parameters
from tests.engine.test_steps import tables

KEY, US, TEXT = pl.Int32, pl.Int64, pl.String
PARAMS = {"starts_at": 100, "as_of": 130, "carry_us": 10}
INPUTS: dict[str, Columns] = {
    "stores": {"store_key": KEY, "store_id": TEXT, "first_polled_at": US},
    "hours": {"store_id": TEXT, "weekday": pl.Int8, "opens_local": KEY, "closes_local": KEY},
    "zones": {"store_id": TEXT, "zone": TEXT},
    "polls": POLLS,
    "open_intervals": {"store_key": KEY, "opens_at": US, "closes_at": US, "clock_us": US},
    "rejected": {"file": TEXT, "line": US, "row": TEXT, "reason": TEXT, "rejected_at": pl.Datetime("us", "UTC")},
    "shifts": {
        "store_id": TEXT,
        "weekday": pl.Int8,
        "opens_local": KEY,
        "closes_local": KEY,
        "adds_us": US,
        "shift": TEXT,
    },
    "unknown_stretches": {
        "store_key": KEY,
        "last_polled_at": US,
        "next_polled_at": US,
        "starts_at": US,
        "ends_at": US,
        "unknown_us": US,
    },
}
SHARED = ("shifts", "unknown_stretches")
NAMES = (*SHARED, *(check.name for check in CHECKS))
HEADER = r"-- row {4}\S.*\n-- reads {2}(?P<reads>\S.*)\n-- units {2}\S.*\n(-- {8}\S.*\n)*(?=WITH|SELECT)"

A, B, C = (1, "a", 90), (2, "b", 90), (3, "c", 90)
ALWAYS = [(key, 100, 131, 0) for key in (1, 2, 3)]
Y, N = True, False
MINUTE, HOUR = 60, 3600
SECOND_US = 1_000_000


def answer(name: str, inputs: Inputs) -> pl.DataFrame:
    sql = step(f"audit/{name}")
    with connect() as con:
        for table in tables(sql):
            rows = inputs.get(table, ())
            con.register(table, pl.DataFrame(rows, schema=INPUTS[table], orient="row").to_arrow())
        bound = {param: value for param, value in PARAMS.items() if param in parameters(sql)}
        found: pl.DataFrame = con.sql(sql, params=bound).pl()
    return found


def rows_of(name: str, **inputs: Sequence[Row]) -> list[Row]:
    return answer(name, inputs).rows()


def shifts_of(*hours: Row) -> list[Row]:
    return rows_of("shifts", hours=hours)


def stretches(*polls: Row, stores: Sequence[Row] = (A,), open_intervals: Sequence[Row] = ALWAYS) -> list[Row]:
    answered = answer("unknown_stretches", {"stores": stores, "polls": polls, "open_intervals": open_intervals})
    return answered.sort("store_key", "starts_at").rows()


def test_every_file_is_a_check_or_shared() -> None:
    found = sorted(file.name for file in files("storemon.engine").joinpath("sql", "audit").iterdir())
    assert found == sorted(f"{name}.sql" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_is_one_short_select_under_its_header(name: str) -> None:
    sql = step(f"audit/{name}")
    sentence, _, rest = sql.partition("\n")
    assert name in SHARED or re.fullmatch(r"-- [A-Z].*\.", sentence)
    told = re.match(HEADER, sql if name in SHARED else rest)
    assert told, "no header of its row, of what it reads, and of the units"
    reads = set(told["reads"].split(", "))
    assert reads == tables(sql) | {f"${param}" for param in parameters(sql)}
    assert reads <= {*INPUTS, *(f"${param}" for param in PARAMS)}
    assert len(sql.splitlines()) < 45
    assert not [line for line in sql.splitlines() if len(line) > 120 or line != line.rstrip()]
    (statement,) = duckdb.extract_statements(sql)
    assert statement.type == duckdb.StatementType.SELECT
    words = set(re.findall(r"[a-z_]+", re.sub(r"--.*", "", sql)))
    assert not words & {"select", "from", "where", "join", "group", "order", "by", "union", "case", "when", "as", "and"}


@pytest.mark.parametrize("name", SHARED)
def test_what_is_shared_has_the_columns_that_the_checks_are_tested_with(name: str) -> None:
    assert answer(name, {}).columns == [*INPUTS[name]]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_without_facts_there_is_nothing_to_find(check: Check) -> None:
    assert rows_of(check.name) == []


def test_shifts_read_as_service_time_reads_them() -> None:
    found = shifts_of(
        ("a", 0, 10 * HOUR, 24 * HOUR - 60),  # the last minute of the day means its end
        ("a", 1, 18 * HOUR, 2 * HOUR),  # overnight
        ("a", 2, 9 * HOUR, 9 * HOUR),  # 24 hours
        ("a", 3, 10 * HOUR, 24 * HOUR - 61),
        ("a", 4, 0, 24 * HOUR),
    )
    assert sorted((row[1], row[3], row[4], row[5]) for row in found) == [
        (0, 24 * HOUR, 14 * HOUR * SECOND_US, "10:00:00-00:00:00"),
        (1, 26 * HOUR, 8 * HOUR * SECOND_US, "18:00:00-02:00:00"),
        (2, 33 * HOUR, 24 * HOUR * SECOND_US, "09:00:00-09:00:00"),
        (3, 24 * HOUR - 61, (14 * HOUR - 61) * SECOND_US, "10:00:00-23:58:59"),
        (4, 24 * HOUR, 24 * HOUR * SECOND_US, "00:00:00-00:00:00"),
    ]


def test_a_shift_adds_what_no_earlier_one_covers() -> None:
    found = shifts_of(("a", 0, 0, 50), ("a", 0, 10, 20), ("a", 0, 40, 60), ("a", 0, 60, 61), ("a", 1, 5, 6))
    assert sorted((row[1], row[2], row[4]) for row in found) == [
        (0, 0, 50 * SECOND_US),
        (0, 10, 0),
        (0, 40, 10 * SECOND_US),
        (0, 60, SECOND_US),
        (1, 5, SECOND_US),
    ]


def test_a_shift_that_is_written_twice_is_one() -> None:
    assert len(shifts_of(("a", 0, 0, 50), ("a", 0, 0, 50), ("b", 0, 0, 50), ("a", 1, 0, 50))) == 3
    assert len(shifts_of(("a", 0, 0, 24 * HOUR - 60), ("a", 0, 0, 24 * HOUR - 1))) == 1


def test_nothing_is_unknown_while_polls_are_a_carry_limit_apart() -> None:
    assert stretches((1, 90, Y), (1, 100, Y), (1, 110, N), (1, 120, Y)) == []
    assert stretches((1, 98, Y), (1, 100, Y), (1, 104, Y), (1, 111, Y), (1, 121, Y)) == []


def test_unknown_between_two_polls() -> None:
    assert stretches((1, 91, Y), (1, 103, Y), (1, 114, Y), (1, 120, Y)) == [
        (1, 91, 103, 101, 103, 2),
        (1, 103, 114, 113, 114, 1),
    ]


def test_unknown_before_a_poll_when_the_one_before_is_older_than_what_is_read() -> None:
    # The poll at 90 is believed just until the window starts; it is read, but need not be told.
    assert stretches((1, 90, Y), (1, 104, Y), (1, 112, Y), (1, 121, Y)) == [(1, None, 104, 100, 104, 4)]


def test_unknown_after_the_last_poll() -> None:
    assert stretches((1, 95, Y), (1, 101, Y)) == [(1, 101, None, 111, 130, 19)]
    assert stretches((1, 119, Y), (1, 110, Y), (1, 100, N), (1, 131, Y)) == [(1, 119, None, 129, 130, 1)]
    assert stretches() == [(1, None, None, 100, 130, 30)]


def test_a_poll_at_as_of_ends_what_is_unknown() -> None:
    assert stretches((1, 100, Y), (1, 105, Y), (1, 130, Y)) == [(1, 105, 130, 115, 130, 15)]


def test_a_first_poll_holds_for_one_carry_limit_before_it() -> None:
    assert stretches((1, 120, Y), (1, 130, Y), stores=[(1, "a", 120)]) == [(1, None, 120, 100, 110, 10)]
    assert stretches((1, 110, Y), (1, 120, Y), stores=[(1, "a", 110)]) == []


def test_what_is_unknown_is_measured_in_open_time() -> None:
    intervals = [(1, 100, 104, 0), (1, 112, 115, 4), (1, 120, 131, 7), (2, 100, 131, 0)]
    assert stretches((1, 93, Y), (1, 113, Y), stores=[A], open_intervals=intervals) == [
        (1, 93, 113, 103, 113, 2),
        (1, 113, None, 123, 130, 7),
    ]
    assert stretches((1, 95, Y), (1, 111, Y), (1, 121, Y), open_intervals=intervals) == [(1, 95, 111, 105, 111, 0)]
    assert stretches((1, 98, Y), open_intervals=()) == [(1, 98, None, 108, 130, 0)]


def test_stores_without_hours() -> None:
    polls = [(1, 100, Y), (2, 100, N), (2, 130, N), (2, 120, Y), (2, 99, N), (2, 131, N), (3, 110, Y), (3, 111, Y)]
    hours = [("c", 0, 0, 0), ("d", 0, 0, 0)]
    assert rows_of("stores_without_hours", stores=[A, B, C], hours=hours, polls=polls) == [("b", 3, 2), ("a", 1, 0)]
    assert rows_of("stores_without_hours", stores=[C, B], hours=hours) == [("b", 0, 0)]
    assert rows_of("stores_without_hours", stores=[C], hours=hours, polls=polls) == []


def test_stores_without_zone() -> None:
    hours = [("b", 0, 0, 0), ("b", 1, 0, 0), ("b", 1, 5, 9), ("c", 0, 0, 0)]
    zones = [("c", "UTC"), ("d", "UTC")]
    assert rows_of("stores_without_zone", stores=[A, B, C], hours=hours, zones=zones) == [("b", 2), ("a", 0)]
    assert rows_of("stores_without_zone", stores=[C], hours=hours, zones=zones) == []


def test_hours_without_polls() -> None:
    hours = [("b", 0, 0, 0), ("b", 1, 0, 0), ("c", 0, 0, 0), ("d", 0, 0, 0), ("d", 0, 5, 9)]
    zones = [("c", "UTC"), ("d", "UTC"), ("e", "Europe/Rome")]
    assert rows_of("hours_without_polls", stores=[A, C], hours=hours, zones=zones) == [
        ("b", 2, None),
        ("d", 1, "UTC"),
        ("e", 0, "Europe/Rome"),
    ]
    assert rows_of("hours_without_polls", stores=[C], hours=hours[2:3], zones=zones[:1]) == []


def test_silent_stores() -> None:
    unknown = [
        (1, 112, None, 122, 130, 8),
        (2, 101, None, 111, 130, 0),
        (2, 90, 101, 100, 101, 1),
        (3, None, None, 100, 130, 9),
    ]
    assert rows_of("silent_stores", stores=[A, B, C], unknown_stretches=unknown) == [
        ("c", None, 9),
        ("b", 101, 0),
        ("a", 112, 8),
    ]
    assert rows_of("silent_stores", stores=[B], unknown_stretches=unknown[2:3]) == []


def test_gaps_and_late_first_polls() -> None:
    stores = [(1, "a", 120), (2, "b", 90), (3, "c", 127)]
    unknown = [
        (1, None, 120, 100, 110, 5),
        (2, 93, 105, 103, 105, 2),
        (2, 105, 120, 115, 120, 4),
        (2, 120, None, 130, 131, 1),
        (3, None, 127, 100, 117, 17),
    ]
    assert rows_of("gaps", stores=stores, unknown_stretches=unknown) == [("b", 105, 120, 4), ("b", 93, 105, 2)]
    assert rows_of("late_first_polls", stores=stores, unknown_stretches=unknown) == [("c", 127, 17), ("a", 120, 5)]
    closed = [(*stretch[:5], 0) for stretch in unknown]
    assert rows_of("gaps", stores=stores, unknown_stretches=closed) == []
    assert rows_of("late_first_polls", stores=stores, unknown_stretches=closed) == []


def test_a_gap_can_have_begun_before_all_that_is_read() -> None:
    assert rows_of("gaps", stores=[A], unknown_stretches=[(1, None, 104, 100, 104, 3)]) == [("a", None, 104, 3)]


def test_polls_only_outside_hours() -> None:
    intervals = [(1, 105, 110, 0), (1, 120, 125, 5), (2, 105, 110, 0), (3, 130, 131, 0)]
    found: dict[str, Sequence[Row]] = {"stores": [A, B, C], "open_intervals": intervals}
    outside = [(1, 104, Y), (1, 110, Y), (1, 119, N), (1, 125, Y), (2, 100, Y), (3, 110, Y)]
    # Store 3 has no open time in the window: it opens just at as-of.
    assert rows_of("polls_only_outside_hours", **found, polls=outside) == [("a", 4, 125, 10), ("b", 1, 100, 5)]
    for inside in (105, 109, 120, 124):
        assert rows_of("polls_only_outside_hours", **found, polls=[*outside[:4], (1, inside, N)]) == []
    # One outside the window, before it or after as-of, is no excuse.
    beyond = [(2, 99, Y), (2, 131, Y), (2, 126, N)]
    assert rows_of("polls_only_outside_hours", **found, polls=beyond) == [("b", 1, 126, 5)]
    assert rows_of("polls_only_outside_hours", **found, polls=beyond[:2]) == []


def test_a_poll_at_as_of_can_be_while_open() -> None:
    intervals = [(1, 105, 110, 0), (1, 125, 131, 5)]
    assert rows_of("polls_only_outside_hours", stores=[A], open_intervals=intervals, polls=[(1, 130, Y)]) == []


def test_one_minute_schedules() -> None:
    shifts = shifts_of(
        ("a", 0, 0, MINUTE),
        ("a", 1, 0, MINUTE + 1),
        ("b", 6, 0, 20),
        ("b", 6, 10, 30),
        ("b", 5, 0, 40),
        ("b", 5, 50, 71),
        ("c", 2, 24 * HOUR - 2 * MINUTE, 24 * HOUR - MINUTE),  # that means midnight
        ("c", 3, 24 * HOUR - MINUTE, 24 * HOUR - 1),
    )
    assert rows_of("one_minute_schedules", shifts=shifts) == [
        ("b", 6, "00:00:00-00:00:20, 00:00:10-00:00:30", 30 * SECOND_US),
        ("a", 0, "00:00:00-00:01:00", 60 * SECOND_US),
        ("c", 3, "23:59:00-00:00:00", 60 * SECOND_US),
    ]
    # A minute beside longer shifts does no harm: it is mostly the end of the night before.
    assert rows_of("one_minute_schedules", shifts=shifts_of(("a", 0, 0, MINUTE), ("a", 0, 9 * HOUR, 17 * HOUR))) == []


def test_overlapping_shifts() -> None:
    shifts = shifts_of(
        ("a", 0, 10 * HOUR, 15 * HOUR),
        ("a", 0, 14 * HOUR, 22 * HOUR),
        ("a", 1, 10 * HOUR, 15 * HOUR),
        ("a", 1, 15 * HOUR, 22 * HOUR),
        ("a", 2, 14 * HOUR, 22 * HOUR),
        ("b", 4, 0, 30),
        ("b", 4, 10, 20),
        ("b", 4, 10, 20),
        ("b", 4, 15, 40),
    )
    assert rows_of("overlapping_shifts", shifts=shifts) == [
        ("a", 0, "10:00:00-15:00:00, 14:00:00-22:00:00", HOUR * SECOND_US),
        ("b", 4, "00:00:00-00:00:30, 00:00:10-00:00:20, 00:00:15-00:00:40", 25 * SECOND_US),
    ]


def test_disagreeing_duplicates() -> None:
    polls = [
        *((1, 110, Y), (1, 110, N), (2, 110, N), (2, 110, Y), (2, 120, N), (2, 120, Y)),
        *((1, 111, Y), (2, 111, N)),  # of two stores
        *((1, 99, Y), (1, 99, N), (1, 131, Y), (1, 131, N)),
        *((3, 100, Y), (3, 100, N), (3, 130, Y), (3, 130, N)),
    ]
    assert rows_of("disagreeing_duplicates", stores=[A, B, C], polls=polls) == [
        ("c", 130),
        ("b", 120),
        ("a", 110),
        ("b", 110),
        ("c", 100),
    ]
    assert rows_of("disagreeing_duplicates", stores=[A, B, C], polls=[*polls[::2], (1, 110, Y)]) == []


def test_rejected_rows() -> None:
    early, late = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us) for us in (5, 7))
    rejected = [
        ("polls.csv", 9, "x", "no status", late),
        ("polls.csv", 2, "y", "no status", early),
        ("polls.csv", 4, "z", "no status", late),
        ("hours.csv", 3, "u", "no day", early),
        ("hours.csv", 5, "v", "no status", early),
        ("hours.csv", 8, "w", "no status", early),
    ]
    assert rows_of("rejected_rows", rejected=rejected) == [
        ("polls.csv", "no status", 3, 4, "z", 7),
        ("hours.csv", "no status", 2, 5, "v", 5),
        ("hours.csv", "no day", 1, 3, "u", 5),
        ("polls.csv", "no status", 3, 9, "x", 7),
        ("hours.csv", "no status", 2, 8, "w", 5),
        ("polls.csv", "no status", 3, 2, "y", 5),
    ]
