"""Decisive polls: which they are, and that all figures follow from them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import Frames, Lake, outages, report
from storemon.lake.decisive import told_by_decisive, with_decisive
from tests.examples import examples
from tests.lake.files import folder

MEASURES = ["uptime", "downtime", "unknown", "uptime_min", "uptime_max", "outages", "mttr", "mtbf"]
START = datetime(2024, 10, 1, tzinfo=UTC)
LATER = START + timedelta(days=365)
Y, N = True, False


@pytest.mark.parametrize(
    ("polls", "decisive"),
    [
        ([], []),
        ([(1, 0, Y)], [Y]),
        ([(1, 0, Y), (1, 1, Y)], [Y, Y]),
        ([(1, 0, Y), (1, 1, Y), (1, 2, Y), (1, 3, Y)], [Y, N, N, Y]),
        ([(1, 0, Y), (1, 1, Y), (1, 2, N), (1, 3, Y), (1, 4, Y)], [Y, Y, Y, Y, Y]),
        # Another store's polls are no neighbours.
        ([(1, 0, Y), (1, 1, Y), (2, 0, Y), (2, 1, Y), (2, 2, Y)], [Y, Y, Y, N, Y]),
        # Two that disagree at one instant: so are their neighbours.
        ([(1, 0, Y), (1, 1, Y), (1, 2, N), (1, 2, Y), (1, 3, Y), (1, 4, Y)], [Y, Y, Y, Y, Y, Y]),
        ([(1, 0, N), (1, 1, N), (1, 2, N), (1, 2, Y), (1, 3, N), (1, 4, N), (1, 5, N)], [Y, Y, Y, Y, Y, N, Y]),
    ],
)
def test_which_polls_are_decisive(polls: list[tuple[int, int, bool]], decisive: list[bool]) -> None:
    frame = pl.DataFrame(
        polls, schema={"store_key": pl.Int32, "polled_at": pl.Int64, "active": pl.Boolean}, orient="row"
    )
    marked = with_decisive(frame)
    assert marked.sort("store_key", "polled_at", "active")["decisive"].to_list() == decisive


def test_of_which_files_the_decisive_polls_do() -> None:
    def at(day: int, milliseconds: int) -> datetime:
        return datetime(2024, 10, day, tzinfo=UTC) + timedelta(milliseconds=milliseconds)

    rows: list[tuple[Any, ...]] = [
        ("after", 1, at(1, 9), at(1, 12), None),
        ("before", 1, at(1, 0), at(1, 5), None),
        ("over", 2, at(2, 0), at(2, 9), None),
        ("lapping", 2, at(2, 5), at(2, 12), None),
        ("apart", 2, at(2, 14), at(2, 20), None),
        # The log rounds down: what ends in its millisecond may end after the next begins.
        ("near", 3, at(3, 0), at(3, 5), None),
        ("nearer", 3, at(3, 6), at(3, 9), None),
        # A day begins where another ends.
        ("evening", 4, at(4, 0), at(4, 86_399_999), None),
        ("morning", 5, at(5, 0), at(5, 1), None),
        # A file that spans the day overlaps with any other.
        ("whole", 6, at(6, 0), at(6, 100), None),
        ("part", 6, at(6, 10), at(6, 20), None),
        ("another part", 6, at(6, 30), at(6, 40), None),
        # At the same time, but of other stores.
        ("some", 7, at(7, 0), at(7, 100), (0, 4)),
        ("others", 7, at(7, 0), at(7, 100), (5, 9)),
        ("late", 8, at(8, 0), at(8, 100), (4, 9)),
        ("later", 8, at(8, 50), at(8, 100), (0, 4)),
        ("of others", 8, at(8, 0), at(8, 100), (10, 10)),
    ]
    files = pl.DataFrame(
        # Polls that are not decisive, of one day that has others of their time and of one that has none.
        [(path, date(2024, 10, day), True, *ends, *(stores or (0, 9))) for path, day, *ends, stores in rows]
        + [(f"rest of {day}", date(2024, 10, day), False, at(day, 1), at(day, 4), 0, 9) for day in (1, 6)],
        schema=["path", "polled_on", "decisive", "min.polled_at", "max.polled_at", "min.store_key", "max.store_key"],
        orient="row",
    )
    told = set(files.filter(told_by_decisive(files))["path"])
    assert told == {"after", "before", "rest of 1", "evening", "morning", "some", "others"}


@st.composite
def histories(draw: st.DrawFn) -> list[str]:
    """Runs of polls of two stores, with now and then a long gap or two at one instant that disagree."""
    rows = []
    for store in "ab":
        at = START
        for status, count in draw(
            st.lists(st.tuples(st.sampled_from(["active", "inactive"]), st.integers(1, 9)), max_size=9)
        ):
            for _ in range(count):
                at += timedelta(hours=draw(st.sampled_from([0, 1, 1, 2, 2, 5, 30])), seconds=draw(st.integers(0, 1)))
                rows.append(f"{store},{status},{at:%Y-%m-%d %H:%M:%S}")
    return draw(st.permutations(rows)) if draw(st.booleans()) else sorted(rows, key=lambda row: row.split(",")[2])


def answers(source: Lake | Frames, **asked: Any) -> list[pl.DataFrame]:
    return [report(source, measures=MEASURES, **asked), outages(source, **asked)]


@settings(max_examples=examples(40), deadline=None)
@given(
    histories(),
    st.integers(1, 4),
    st.sampled_from([timedelta(hours=hours) for hours in (2, 23, 24, 36, 168)]),
    st.sampled_from(["carry", "nearest"]),
    st.sampled_from(["none", "compacted"]),
)
def test_every_answer_follows_from_them(
    rows: list[str], files: int, carry_limit: timedelta, policy: str, upkeep: str
) -> None:
    """A lake, written in several files in any order, answers like frames, which leave no poll out."""
    if not rows:
        return
    columns = zip(*(row.split(",") for row in rows), strict=True)
    frames = Frames(polls=dict(zip(("store_id", "status", "timestamp_utc"), columns, strict=True)))
    with TemporaryDirectory() as where:
        lake = Lake(Path(where) / "lake")
        for part in range(files):
            lake.ingest(
                folder(Path(where) / f"{part}", polls=rows[part * len(rows) // files :][: -(-len(rows) // files)]),
                now=LATER,
            )
        if upkeep == "compacted":
            lake.compact()
        instants = sorted({row.split(",")[2] for row in rows})
        for as_of in {instants[-1], instants[len(instants) // 2]}:
            asked = {
                "as_of": datetime.fromisoformat(as_of).replace(tzinfo=UTC),
                "windows": ["90m", "30h", "last_week", "yesterday"],
                "carry_limit": carry_limit,
                "policy": policy,
            }
            for from_lake, from_frames in zip(answers(lake, **asked), answers(frames, **asked), strict=True):
                assert from_lake.equals(from_frames)
