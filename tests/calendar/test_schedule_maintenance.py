"""Maintenance taken out of literal hours: 09:00 to 17:00 UTC on each day, of which two are asked for."""

from collections.abc import Sequence

import polars as pl
import pytest

from tests.calendar.schedules import Maintenance, intervals, split, utc, written

WITHIN = utc("2024-10-07 00:00"), utc("2024-10-09 00:00")
MONDAY, TUESDAY = "10-07 09:00:00 10-07 17:00:00", "10-08 09:00:00 10-08 17:00:00"
Row = tuple[str, str]


def found_in(store_ids: Sequence[str]) -> pl.DataFrame:
    hours = [(store_id, day, "09:00", "17:00") for store_id in store_ids for day in range(7)]
    return intervals(store_ids, hours, dict.fromkeys(store_ids, "UTC"), *WITHIN)


def maintenance(store_id: str, *rows: Row) -> Maintenance:
    return [(store_id, utc(f"2024-{starts_at}"), utc(f"2024-{ends_at}")) for starts_at, ends_at in rows]


@pytest.mark.parametrize(
    ("rows", "left", "excluded"),
    [
        ([("10-07 12:00", "10-07 13:00")], ["09:00:00 10-07 12:00", "13:00:00 10-07 17:00"], ["12:00:00 10-07 13:00"]),
        # At the edges, and across them.
        ([("10-07 09:00", "10-07 10:00")], ["10:00:00 10-07 17:00"], ["09:00:00 10-07 10:00"]),
        ([("10-07 16:00", "10-07 17:00")], ["09:00:00 10-07 16:00"], ["16:00:00 10-07 17:00"]),
        ([("10-07 03:00", "10-07 10:00")], ["10:00:00 10-07 17:00"], ["09:00:00 10-07 10:00"]),
        ([("10-07 16:00", "10-07 20:00")], ["09:00:00 10-07 16:00"], ["16:00:00 10-07 17:00"]),
        ([("10-07 09:00", "10-07 17:00")], [], ["09:00:00 10-07 17:00"]),
        # In closed time, up to its very edges; empty or reversed.
        ([("10-07 00:00", "10-07 09:00"), ("10-07 17:00", "10-08 09:00")], ["09:00:00 10-07 17:00"], []),
        ([("10-07 12:00", "10-07 12:00"), ("10-07 15:00", "10-07 14:00")], ["09:00:00 10-07 17:00"], []),
        # Overlaps count once, and so do rows inside others, the same row twice, and rows that touch.
        (
            [("10-07 12:00", "10-07 14:00"), ("10-07 13:00", "10-07 15:00"), ("10-07 13:00", "10-07 15:00")],
            ["09:00:00 10-07 12:00", "15:00:00 10-07 17:00"],
            ["12:00:00 10-07 15:00"],
        ),
        (
            [("10-07 12:00", "10-07 15:00"), ("10-07 13:00", "10-07 14:00"), ("10-07 15:00", "10-07 16:00")],
            ["09:00:00 10-07 12:00", "16:00:00 10-07 17:00"],
            ["12:00:00 10-07 16:00"],
        ),
    ],
)
def test_maintenance_on_one_day(rows: list[Row], left: list[str], excluded: list[str]) -> None:
    found = split(["a"], found_in(["a"]), maintenance("a", *rows))
    assert [written(part) for part in found] == [
        [*(f"10-07 {edges}:00" for edges in left), TUESDAY],
        [f"10-07 {edges}:00" for edges in excluded],
    ]


def test_maintenance_over_several_days() -> None:
    left, excluded = split(["a"], found_in(["a"]), maintenance("a", ("10-07 16:00", "10-08 10:00")))
    assert written(left) == ["10-07 09:00:00 10-07 16:00:00", "10-08 10:00:00 10-08 17:00:00"]
    assert written(excluded) == ["10-07 16:00:00 10-07 17:00:00", "10-08 09:00:00 10-08 10:00:00"]


def test_maintenance_over_everything_leaves_only_what_is_excluded() -> None:
    found = found_in(["a", "b"])
    left, excluded = split(["a", "b"], found, maintenance("*", ("01-01 00:00", "12-31 00:00")))
    assert left.is_empty()
    assert excluded.equals(found)


def test_no_maintenance_excludes_nothing() -> None:
    found = found_in(["a", "b"])
    for rows in (maintenance("a"), maintenance("c", ("01-01 00:00", "12-31 00:00"))):
        left, excluded = split(["a", "b"], found, rows)
        assert left.equals(found)
        assert excluded.is_empty()
        assert excluded.schema == found.schema


def test_maintenance_of_every_store_adds_to_a_store_s_own() -> None:
    store_ids = ["a", "b", "c"]
    rows = [
        *maintenance("*", ("10-07 08:00", "10-07 10:00")),
        *maintenance("b", ("10-07 09:30", "10-07 11:00"), ("10-08 16:00", "10-08 18:00")),
    ]
    left, excluded = split(store_ids, found_in(store_ids), rows)
    assert {key: written(left.filter(store_key=key)) for key in range(3)} == {
        0: ["10-07 10:00:00 10-07 17:00:00", TUESDAY],
        1: ["10-07 11:00:00 10-07 17:00:00", "10-08 09:00:00 10-08 16:00:00"],
        2: ["10-07 10:00:00 10-07 17:00:00", TUESDAY],
    }
    assert {key: written(excluded.filter(store_key=key)) for key in range(3)} == {
        0: ["10-07 09:00:00 10-07 10:00:00"],
        1: ["10-07 09:00:00 10-07 11:00:00", "10-08 16:00:00 10-08 17:00:00"],
        2: ["10-07 09:00:00 10-07 10:00:00"],
    }
    for part in (left, excluded):
        assert part.equals(part.sort("store_key", "opens_at"))
