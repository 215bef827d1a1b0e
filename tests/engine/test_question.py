"""What is asked, settled: defaults, text as people write it, and what is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from storemon import EmptyLakeError, Frames, InputError, Lake
from storemon.calendar.windows import DEFAULT_WINDOWS, LAST_DAY, LAST_HOUR, Rolling, Window
from storemon.engine.question import CARRY_LIMIT, Question, ask, require_one_of, resolve_as_of
from storemon.units.instants import EVER

AT = datetime(2024, 10, 14, 12, tzinfo=UTC)
FRAMES = Frames(
    polls={"store_id": ["a", "b"], "status": ["active"] * 2, "timestamp_utc": [AT - timedelta(hours=1), AT]}
)
NONE = Frames(polls={"store_id": [], "status": [], "timestamp_utc": []})


def test_what_is_asked_by_default() -> None:
    assert ask(FRAMES) == (FRAMES, Question(AT))
    assert Question(AT) == Question(AT, DEFAULT_WINDOWS, None, CARRY_LIMIT, "carry", {})
    assert timedelta(days=7) == CARRY_LIMIT
    assert [window.name for window in DEFAULT_WINDOWS] == ["last_hour", "last_day", "last_week"]


def test_what_is_asked_as_people_write_it() -> None:
    _, question = ask(
        FRAMES,
        as_of=datetime(2024, 10, 14, 9, tzinfo=timezone(timedelta(hours=2))),
        windows=["30d", LAST_HOUR, "x=30d"],
        carry_limit="36h",
        policy="nearest",
        where={"region": "West"},
    )
    month = Rolling(timedelta(days=30))
    windows = (Window("last_30d", month), LAST_HOUR, Window("x", month))
    assert question == Question(
        datetime(2024, 10, 14, 7, tzinfo=UTC), windows, None, timedelta(hours=36), "nearest", {"region": "West"}
    )
    assert question.as_of.tzinfo is UTC
    assert ask(FRAMES, carry_limit=timedelta.max)[1].carry_limit == EVER
    assert ask(FRAMES, windows=(LAST_DAY,))[1].windows == (LAST_DAY,)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"windows": ["yesterdy"]}, r"'yesterdy' is not a window; did you mean yesterday or last_day\?"),
        (
            {"windows": ["1d", "30d", "30d"]},
            "two windows are called 'last_30d'; name one of them yourself, like other=30d",
        ),
        ({"windows": ["last_day=1h", LAST_DAY]}, "two windows are called 'last_day'"),
        ({"windows": []}, "there is no window to answer for; name at least one, like 30d or yesterday"),
        ({"policy": "nearst"}, r"there is no policy 'nearst'; did you mean nearest\?"),
        ({"policy": "certain"}, "there is no policy 'certain'"),
        ({"policy": "?"}, r"there is no policy '\?'; choose from: carry, nearest"),
        ({"carry_limit": "0h"}, "'0h' is no time at all"),
        ({"carry_limit": "a week"}, "'a week' is not a duration; write it like 7d, 36h, 90m or 1d12h"),
        ({"carry_limit": timedelta()}, "the carry limit is 0:00:00; it must be longer than zero"),
        ({"carry_limit": -timedelta(days=1)}, "the carry limit is -1 day, 0:00:00; it must be longer than zero"),
    ],
)
def test_what_cannot_be_asked(asked: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        ask(FRAMES, **asked)


def test_as_of() -> None:
    assert resolve_as_of(FRAMES) == AT
    assert resolve_as_of(FRAMES, datetime(2024, 10, 14)) == datetime(2024, 10, 14, tzinfo=UTC)  # noqa: DTZ001 - a naive one is UTC
    assert resolve_as_of(NONE, AT) == AT
    with pytest.raises(EmptyLakeError, match="the frame of polls has no polls yet"):
        resolve_as_of(NONE)


def test_a_lake_is_read_at_one_version(tmp_path: Any) -> None:
    lake = Lake(tmp_path / "lake")
    snapshot, question = ask(lake, as_of=AT)
    assert question.as_of == AT
    assert snapshot.versions == lake.snapshot().versions


@pytest.mark.parametrize(
    ("given", "known", "told"),
    [
        ("brnd", ["brand", "region"], r"there is no tag 'brnd'; did you mean brand\?$"),
        ("regin", ["region", "regions", "x"], r"did you mean region or regions\?$"),
        ("x", ["brand", "region"], "choose from: brand, region$"),
        ("x", [], "choose from: none there are$"),
    ],
)
def test_a_word_that_is_not_known(given: str, known: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        require_one_of(given, known, "tag")
    require_one_of("brand", ["brand"], "tag")
