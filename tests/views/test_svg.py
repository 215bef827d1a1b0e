"""The picture of an explanation: what it draws adds up to the figures, and it says what it leaves out."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from storemon import Frames, explain
from storemon.answers.explanation.parts import Explanation
from storemon.views.svg import draw
from tests.answers.explanations import Explained, explained
from tests.examples import examples
from tests.views.bakery import PICTURE, explanation_of_page
from tests.views.drawn import HELD, Bar, drawn

SOME = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
PLACE = 0.02  # pixels: both edges of a bar are drawn to a hundredth


def always(days: int, *, every: timedelta, down: str = "", **facts: Any) -> Explanation:
    """Explain days of a store that is open round the clock in New York, the last of them 2024-11-05."""
    as_of = datetime(2024, 11, 6, 5, tzinfo=UTC)
    polls = [as_of - days * 24 * HOUR + number * every for number in range(int(days * 24 * HOUR / every))]
    status = ["inactive" if down and re.match(down, f"{at:%m-%d %H:%M}") else "active" for at in polls]
    ids = ["x"] * len(polls)
    source = Frames(
        polls={"store_id": ids, "status": status, "timestamp_utc": [f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in polls]},
        zones={"store_id": ["x"], "timezone_str": ["America/New_York"]},
        **facts,
    )
    return explain(source, "x", windows=[f"{days}d"], as_of=as_of)


def scale_of(bars: list[Bar]) -> float:
    """Pixels for each microsecond, by the longest bar."""
    longest = max(bars, key=lambda bar: bar.us or 0)
    return longest.width / (longest.us or 1)


def check(explanation: Explanation) -> None:
    picture = drawn(explanation)
    scale = scale_of(picture.bars) if picture.bars else 0.0
    assert sum(bar.us or 0 for bar in picture.bars) * TICK == sum(explanation.figures[1:], timedelta())
    for held, figure in zip(HELD, explanation.figures[1:], strict=True):
        of_state = [bar for bar in picture.bars if bar.held == held]
        assert sum(bar.us or 0 for bar in of_state) * TICK == figure
        assert sum(bar.width for bar in of_state) == pytest.approx(
            figure / TICK * scale, abs=PLACE * (len(of_state) + 40)
        )
    for bar in picture.bars:
        # The scale itself is known only as well as the longest bar is drawn.
        assert bar.width == pytest.approx((bar.us or 0) * scale, abs=2 * PLACE)
        assert bar.x >= 0
        assert bar.x + bar.width <= picture.width
        assert bar.y + bar.height <= picture.height
    for one, other in pairwise(sorted(picture.bars, key=lambda bar: (bar.y, bar.x))):
        beside = one.x + one.width <= other.x + PLACE / 2
        assert one.y + one.height <= other.y if one.y != other.y else beside


@SOME
@given(explanations=explained())
def test_bars_add_up_to_the_figures_and_none_overlap(explanations: list[Explained]) -> None:
    for _, explanation, *_ in explanations:
        check(explanation)


@pytest.mark.parametrize("days", [1, 7, 35, 36, 92, 93, 366, 400])
def test_any_number_of_dates_has_a_place(days: int) -> None:
    explanation = always(days, every=6 * HOUR, down=r"\d\d-1[05]")
    check(explanation)
    picture = drawn(explanation)
    assert (days < 93) == (len({bar.x for bar in picture.bars if (bar.us or 0) * TICK > 23 * HOUR}) == 1)
    assert picture.height < 1700


def test_a_date_is_as_long_as_it_is() -> None:
    picture = drawn(always(4, every=HOUR))
    lengths = {(bar.us or 0) * TICK / HOUR: bar.width for bar in picture.bars}
    assert {*lengths} == {23, 24, 25}  # the window is 96 hours long, and so begins at 1:00
    assert lengths[25] / lengths[24] == pytest.approx(25 / 24, abs=1e-4)
    assert "25 hours" in picture.words
    assert "clocks 02:00 to 01:00" in picture.words
    assert picture.classes.count("clocks") == 1


def test_the_page_s_picture_is_what_is_drawn() -> None:
    assert draw(explanation_of_page()) + "\n" == PICTURE.read_text("utf-8")


def test_the_outlines_tell_the_schedule_and_what_the_window_cuts_of_it() -> None:
    as_of = "2024-10-14 15:00:00 UTC"
    source = Frames(
        polls={"store_id": ["x"], "status": ["active"], "timestamp_utc": [as_of]},
        hours={"store_id": ["x"], "dayOfWeek": [0], "start_time_local": ["09:00"], "end_time_local": ["17:00"]},
        zones={"store_id": ["x"], "timezone_str": ["UTC"]},
    )
    picture = drawn(explain(source, "x", windows=["4h"]))
    (bar,) = picture.bars
    an_hour = bar.width / 4
    outlines = {each.held: each for each in picture.ground if each.y == bar.y and each.held == "open"}
    assert (outlines["open"].x, outlines["open"].width) == (bar.x, bar.width)
    cut = sorted((each.x, each.width) for each in picture.ground if each.y == bar.y and each.held == "cut")
    assert [width for _, width in cut] == pytest.approx([2 * an_hour, 2 * an_hour], abs=2 * PLACE)
    assert cut[0][0] + cut[0][1] == pytest.approx(bar.x, abs=PLACE)
    assert cut[1][0] == pytest.approx(bar.x + bar.width, abs=PLACE)
    assert {"from 11:00:00", "as of 15:00:00", "open, but outside the window"} <= {*picture.words}


def test_marks_of_polls_thin_out_but_never_hide_an_inactive_one() -> None:
    explanation = always(2, every=timedelta(minutes=1), down="11-05 1[0-3]:30")
    picture = drawn(explanation)
    assert picture.classes.count("down") == 4
    shown = picture.classes.count("up") + 4
    assert 300 < shown < 2 * 24 * 60
    assert (
        f"2880 polls on these dates, {shown} of them drawn: where two would touch, the inactive one is, or the first"
        in (picture.words)
    )
    few = drawn(always(2, every=HOUR))
    assert few.classes.count("up") == 48
    assert "48 polls on these dates" in few.words


def test_polls_that_are_not_drawn_are_counted() -> None:
    picture = drawn(always(60, every=6 * HOUR))
    assert "up" not in picture.classes
    assert "240 polls on these dates, not drawn at this size" in picture.words


@pytest.mark.parametrize("days", [2, 60, 200])
def test_an_outage_too_short_to_be_seen_has_a_mark(days: int) -> None:
    source = always(days, every=timedelta(minutes=30), down="11-05 12:00")
    at = datetime(2024, 11, 5, 12, 0, 1, tzinfo=UTC)
    polls = [(poll.polled_at, poll.active) for poll in source.polls] + [(at, True)]
    explanation = explain(
        Frames(
            polls={
                "store_id": ["x"] * len(polls),
                "status": ["active" if active else "inactive" for _, active in polls],
                "timestamp_utc": [f"{when:%Y-%m-%d %H:%M:%S} UTC" for when, _ in polls],
            }
        ),
        "x",
        windows=[f"{days}d"],
        as_of=source.as_of,
    )
    assert explanation.figures.downtime == timedelta(seconds=1)
    picture = drawn(explanation)
    assert picture.classes.count("short") == 1
    assert "down, too short to be seen" in picture.words
    assert "<1m" in picture.words or days == 200
    assert "down, too short to be seen" not in drawn(source).words or days == 200


@pytest.mark.parametrize("store_id", ['<3 & "co" ]]>', "\U0001f355 \ud83c"[:1], "tab\tand \x07 bell", "x" * 300])
def test_any_store_makes_sound_xml(store_id: str) -> None:
    source = Frames(polls={"store_id": [store_id], "status": ["active"], "timestamp_utc": ["2024-10-14 00:00:00 UTC"]})
    text = draw(explain(source, store_id))
    root = ET.fromstring(text)  # noqa: S314 - it is ours
    (title,) = root.findall("{http://www.w3.org/2000/svg}title")
    assert title.text == f"Store {store_id}, last_day".replace("\x07", "\ufffd")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby", "").split() == [title.get("id"), title.get("id", "").replace("title", "desc")]


def test_nothing_comes_from_elsewhere() -> None:
    text = draw(always(8, every=HOUR, down=".*11-0[23]"))
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|use|foreignObject|link)|@import|@font-face", text)
    assert {*re.findall(r"url\((.*?)\)", text)} == {f"#{name}" for name in re.findall(r'pattern id="(.*?)"', text)}


def test_a_window_without_time_is_drawn_too() -> None:
    source = Frames(polls={"store_id": ["x"], "status": ["active"], "timestamp_utc": ["2024-10-14 00:00:00 UTC"]})
    picture = drawn(explain(source, "x", windows=["2024-10-20"]))
    assert picture.bars == []
    assert "none known" in picture.words
