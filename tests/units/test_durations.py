from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storemon import InputError
from storemon.units.durations import UNITS, format_duration, parse_duration

LONGEST = timedelta.max // timedelta(seconds=1)
PARTS = st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from([*UNITS])), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("7d", timedelta(days=7)),
        ("1w", timedelta(days=7)),
        ("90m", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("36h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        ("1s", timedelta(seconds=1)),
        (" 2W3D ", timedelta(days=17)),
        ("30m1h", timedelta(minutes=90)),
        ("007d", timedelta(days=7)),
        ("0d1s", timedelta(seconds=1)),
        ("999999999d23h59m59s", timedelta(seconds=LONGEST)),
    ],
)
def test_as_people_write_them(written: str, duration: timedelta) -> None:
    assert parse_duration(written) == duration


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (timedelta(days=7), "7d"),
        (timedelta(days=17), "17d"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=36), "1d12h"),
        (timedelta(seconds=86_399), "23h59m59s"),
        (timedelta(seconds=1), "1s"),
    ],
)
def test_as_they_are_written_back(duration: timedelta, written: str) -> None:
    assert format_duration(duration) == written


@given(st.integers(1, LONGEST).map(lambda seconds: timedelta(seconds=seconds)))
def test_what_is_written_is_read_again(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(PARTS, st.sampled_from((str.lower, str.upper)))
def test_the_parts_of_a_duration_add_up(parts: list[tuple[int, str]], case: Callable[[str], str]) -> None:
    written = case("".join(f"{count}{unit}" for count, unit in parts))
    total = sum((count * UNITS[unit] for count, unit in parts), timedelta())
    if total:
        assert parse_duration(written) == total
    else:
        with pytest.raises(InputError, match="no time at all"):
            parse_duration(written)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        *((text, "is not a duration; write it like 7d, 36h, 90m or 1d12h") for text in ("", " ", "7", "d", "d7", "1y")),
        *((text, "is not a duration") for text in ("-7d", "+7d", "1.5d", "1e3s", "7 d", "7d 12h", "7d,12h", "7dd")),
        *((text, "is not a duration") for text in ("\u0663d", "\u00b2d", "7\u1d48", "7d\n8", "P7D", "7:00", "ever")),
        *((text, "is no time at all") for text in ("0d", "0w0d0h0m0s", "000s")),
        *(
            (text, "is too long a duration; it may be at most 999999999 days")
            for text in ("1000000000d", "24000000000h")
        ),
        *((text, "is too long a duration") for text in ("999999999d1d", "9" * 30 + "s", "1" * 5_000 + "d")),
    ],
)
def test_anything_else_is_refused(written: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        parse_duration(written)
    assert repr(written) in str(refused.value)


@given(st.text(max_size=12) | st.from_regex(r"[\d wdhms.+-]{1,12}", fullmatch=True))
def test_nothing_but_an_input_error_ever(written: str) -> None:
    try:
        assert timedelta() < parse_duration(written) <= timedelta.max
    except InputError as error:
        assert repr(written) in str(error)  # noqa: PT017 - either outcome is right
