"""An explanation in lines of text: exactly the page's, never too wide, and never silent about what it leaves out."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from storemon import Frames, explain
from storemon.units.zones import EDITION
from storemon.views.timeline import lines
from storemon.views.words import brief, length, limit, moment, printed
from tests.answers.explanations import Explained, explained
from tests.examples import examples
from tests.views.bakery import PAGE, explanation_of_page

SOME = settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
H, M, S, US = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1)


def test_the_page_shows_what_is_told() -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert "\n".join(lines(explanation_of_page())) + "\n" == shown


def exact(words: str) -> timedelta:
    """Read a length of time as it is told."""
    hours, minutes, seconds, fraction = re.fullmatch(r"(?:(\d+)h )?(?:(\d+)m )?(\d+)(?:\.(\d{6}))?s", words).groups("0")  # type: ignore[union-attr]
    return int(hours) * H + int(minutes) * M + int(seconds) * S + int(fraction) * US


@SOME
@given(explanations=explained())
def test_the_lengths_that_are_told_add_up(explanations: list[Explained]) -> None:
    for _, explanation, *_ in explanations:
        told = [*lines(explanation)]
        assert all(len(line) <= 100 for line in told[1:])
        assert all(line.isascii() and line == line.rstrip() for line in told[1:])
        pieces = told[told.index("Pieces of the schedule, by what is held of them") + 1 : told.index("Sums") - 1]
        sums = {
            name: exact(words)
            for name, words in re.findall(
                r"^  (\w+).*?  (\S.*?s)   ", "\n".join(told[told.index("Sums") :]), re.MULTILINE
            )
        }
        for held, name in (
            ("active", "uptime"),
            ("inactive", "downtime"),
            ("unknown", "unknown"),
            ("excluded", "excluded"),
        ):
            lengths = [
                after for before, after in zip(pieces[::2], pieces[1::2], strict=False) if before.endswith(f"  {held}")
            ]
            assert sum((exact(each.strip().split(",")[0]) for each in lengths), timedelta()) == sums[name]
            assert sums[name] == getattr(explanation.figures, name)
        assert sums["service"] == explanation.figures.service


@pytest.mark.parametrize(
    ("exactly", "told", "briefly"),
    [
        (0 * S, "0s", "0"),
        (US, "0.000001s", "<1m"),
        (59 * S, "59s", "<1m"),
        (M + 29 * S, "1m 29s", "1m"),
        (M + 30 * S, "1m 30s", "2m"),
        (59 * M + 30 * S, "59m 30s", "1h 00m"),
        (3 * H + 5 * M + 12 * S + 345_678 * US, "3h 05m 12.345678s", "3h 05m"),
        (168 * H, "168h 00m 00s", "168h 00m"),
    ],
)
def test_lengths(exactly: timedelta, told: str, briefly: str) -> None:
    assert (length(exactly), brief(exactly)) == (told, briefly)
    assert exact(told) == exactly


@pytest.mark.parametrize(
    ("exactly", "unit", "told"),
    [
        (18 * S, "hours", "0.01"),  # a half
        (18 * S - US, "hours", "0.00"),
        (300_000 * US, "minutes", "0.01"),
        (299_999 * US, "minutes", "0.00"),
        (59 * H + 59 * M + 42 * S, "hours", "60.00"),
    ],
)
def test_figures_as_a_report_prints_them(exactly: timedelta, unit: str, told: str) -> None:
    assert printed(exactly, unit) == told


def test_carry_limits() -> None:
    assert limit(7 * 24 * H) == "7d"
    assert limit(90 * M + US) == "1h 30m 00.000001s"


def test_moments() -> None:
    at = explanation_of_page().starts_at
    assert moment(at, "Asia/Kathmandu") == "Mon 2024-10-14 10:45:00 +05:45"
    assert moment(at + US, "America/St_Johns") == "Mon 2024-10-14 02:30:00.000001 -02:30"


def test_runs_of_equal_polls_are_told_in_one_line() -> None:
    statuses = ["active"] * 3 + ["inactive"] + ["active"] * 2
    instants = [f"2024-10-14 {hour:02d}:00:00 UTC" for hour in (1, 2, 5, 6, 6, 9)]
    source = Frames(
        polls={"store_id": ["x"] * 6, "status": statuses, "timestamp_utc": instants},
        zones={"store_id": ["x"], "timezone_str": ["UTC"]},
    )
    told = [*lines(explain(source, "x", as_of=explanation_of_page().as_of, windows=["2024-10-14"]))]
    start = told.index("Polls that decide; runs of equal ones in one line")
    assert told[start + 1 : told.index("", start)] == [
        "  Mon 2024-10-14 01:00:00 +00:00  active",
        "      and 2 more, the last Mon 2024-10-14 05:00:00 +00:00, at most 3h 00m 00s apart",
        "  Mon 2024-10-14 06:00:00 +00:00  inactive",
        "  Mon 2024-10-14 06:00:00 +00:00  active, overruled by an inactive one",
        "  Mon 2024-10-14 09:00:00 +00:00  active",
    ]


def test_what_is_not_there_is_said() -> None:
    source = Frames(polls={"store_id": ["x"], "status": ["active"], "timestamp_utc": ["2024-10-14 00:00:00 UTC"]})
    told = [*lines(explain(source, "x", windows=["2024-10-20"]))]
    assert told.count("  none") == 4
    assert f"  zone    America/Chicago, the default: it has no zone, by edition {EDITION} of the IANA database" in told
