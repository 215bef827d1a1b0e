"""Rule 7 of "Service time" on literal hours.

Chicago is UTC-6 in winter and UTC-5 in summer. In 2024 its clocks go from 02:00 to 03:00 on Sunday, March 10
(08:00 UTC) and from 02:00 back to 01:00 on Sunday, November 3 (07:00 UTC).
"""

import pytest

from tests.calendar.schedules import opened

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
SPRING = "2024-03-09 00:00", "2024-03-12 00:00"
AUTUMN = "2024-11-02 00:00", "2024-11-05 00:00"
Shift = tuple[int, str, str]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # A day of 23 hours, from 06:00 to 05:00 UTC.
        ((SUN, "00:00", "24:00"), ["03-10 06:00:00 03-11 05:00:00"]),
        ((SUN, "00:00", "00:00"), ["03-10 06:00:00 03-11 05:00:00"]),
        ((SUN, "00:00", "23:59"), ["03-10 06:00:00 03-11 05:00:00"]),
        # The last time before the gap, and the first one after it.
        ((SUN, "01:59:59", "03:00:01"), ["03-10 07:59:59 03-10 08:00:01"]),
        # 02:30 is skipped: at UTC-6 it is 08:30 UTC, which the clocks show as 03:30.
        ((SUN, "02:30", "04:00"), ["03-10 08:30:00 03-10 09:00:00"]),
        ((SUN, "01:00", "02:30"), ["03-10 07:00:00 03-10 08:30:00"]),
        ((SUN, "02:15", "02:45"), ["03-10 08:15:00 03-10 08:45:00"]),
        # 02:30 as 08:30 UTC, 03:15 as 08:15 UTC: reversed. 02:00 and 03:00, both 08:00 UTC: empty.
        ((SUN, "02:30", "03:15"), []),
        ((SUN, "02:30", "03:30"), []),
        ((SUN, "02:00", "03:00"), []),
        # Overnight into the gap. 22:00 is 04:00 UTC.
        ((SAT, "22:00", "02:30"), ["03-10 04:00:00 03-10 08:30:00"]),
        ((SAT, "22:00", "03:00"), ["03-10 04:00:00 03-10 08:00:00"]),
        ((SAT, "22:00", "06:00"), ["03-10 04:00:00 03-10 11:00:00"]),
        # Equal times: 24 hours on the clock. 02:30 is 08:30 UTC on Saturday and Sunday, and 07:30 UTC on Monday.
        ((SAT, "12:00", "12:00"), ["03-09 18:00:00 03-10 17:00:00"]),
        ((SAT, "02:30", "02:30"), ["03-09 08:30:00 03-10 08:30:00"]),
        ((SUN, "02:30", "02:30"), ["03-10 08:30:00 03-11 07:30:00"]),
    ],
)
def test_an_hour_is_skipped(row: Shift, expected: list[str]) -> None:
    assert opened([row], "America/Chicago", SPRING) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # A day of 25 hours, from 05:00 to 06:00 UTC.
        ((SUN, "00:00", "24:00"), ["11-03 05:00:00 11-04 06:00:00"]),
        ((SUN, "00:00", "23:59:59"), ["11-03 05:00:00 11-04 06:00:00"]),
        # 01:30 occurs at 06:30 and at 07:30 UTC, 01:00 at 06:00 and at 07:00 UTC: the first counts.
        ((SUN, "00:00", "01:30"), ["11-03 05:00:00 11-03 06:30:00"]),
        ((SUN, "01:00", "01:30"), ["11-03 06:00:00 11-03 06:30:00"]),
        ((SUN, "00:59:59", "01:59:59"), ["11-03 05:59:59 11-03 06:59:59"]),
        # 02:00 occurs once, at 08:00 UTC.
        ((SUN, "01:30", "02:00"), ["11-03 06:30:00 11-03 08:00:00"]),
        ((SUN, "01:59:59", "02:00"), ["11-03 06:59:59 11-03 08:00:00"]),
        # Overnight into the repeated hour. 22:00 is 03:00 UTC.
        ((SAT, "22:00", "01:00"), ["11-03 03:00:00 11-03 06:00:00"]),
        ((SAT, "22:00", "01:30"), ["11-03 03:00:00 11-03 06:30:00"]),
        ((SAT, "22:00", "02:00"), ["11-03 03:00:00 11-03 08:00:00"]),
        ((SAT, "12:00", "12:00"), ["11-02 17:00:00 11-03 18:00:00"]),
        ((SAT, "01:30", "01:30"), ["11-02 06:30:00 11-03 06:30:00"]),
        ((SUN, "01:30", "01:30"), ["11-03 06:30:00 11-04 07:30:00"]),
    ],
)
def test_an_hour_occurs_twice(row: Shift, expected: list[str]) -> None:
    assert opened([row], "America/Chicago", AUTUMN) == expected


def test_a_reversed_interval_takes_nothing_from_another() -> None:
    # 01:00 is 07:00 UTC, 03:20 is 08:20 UTC.
    rows = [(SUN, "02:30", "03:15"), (SUN, "01:00", "03:20")]
    assert opened(rows, "America/Chicago", SPRING) == ["03-10 07:00:00 03-10 08:20:00"]


@pytest.mark.parametrize(
    ("zone", "row", "within", "expected"),
    [
        # Lord Howe: at 02:00 (UTC+11) the clocks show 01:30 (UTC+10:30). 01:45 occurs first at 14:45 UTC.
        ("Australia/Lord_Howe", (SUN, "01:45", "03:00"), "2024-04-06", ["04-06 14:45:00 04-06 16:30:00"]),
        ("Australia/Lord_Howe", (SUN, "01:15", "01:30"), "2024-04-06", ["04-06 14:15:00 04-06 14:30:00"]),
        # And at 02:00 (UTC+10:30) they show 02:30 (UTC+11). 02:15, skipped, is 15:45 UTC.
        ("Australia/Lord_Howe", (SUN, "02:15", "03:00"), "2024-10-05", ["10-05 15:45:00 10-05 16:00:00"]),
        ("Australia/Lord_Howe", (SUN, "02:15", "02:45"), "2024-10-05", []),
        # Troll: at 01:00 UTC the clocks go two hours forward; 02:30, skipped, is 02:30 UTC, and 04:00 is 02:00 UTC.
        ("Antarctica/Troll", (SUN, "02:30", "05:00"), "2024-03-31", ["03-31 02:30:00 03-31 03:00:00"]),
        ("Antarctica/Troll", (SUN, "02:30", "04:00"), "2024-03-31", []),
        # Sao Paulo: midnight is skipped; at UTC-3 it is 03:00 UTC.
        ("America/Sao_Paulo", (SUN, "00:00", "24:00"), "2018-11-04", ["11-04 03:00:00 11-04 23:59:59"]),
        ("America/Sao_Paulo", (SAT, "00:30", "00:00"), "2018-11-03", ["11-03 03:30:00 11-03 23:59:59"]),
        # Beirut: at 24:00 (UTC+3) the clocks show 23:00 (UTC+2), and Saturday has 25 hours.
        ("Asia/Beirut", (SAT, "23:30", "24:00"), "2024-10-26", ["10-26 20:30:00 10-26 22:00:00"]),
        # Dublin, whose winter time is the exception.
        ("Europe/Dublin", (SUN, "01:30", "02:30"), "2024-10-27", ["10-27 00:30:00 10-27 02:30:00"]),
    ],
)
def test_elsewhere(zone: str, row: Shift, within: str, expected: list[str]) -> None:
    assert opened([row], zone, (f"{within} 00:00", f"{within} 23:59:59")) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # Each time of Friday is read at UTC-10: 09:00 is 19:00 UTC, 17:00 is 03:00 UTC on the 31st.
        ((FRI, "09:00", "17:00"), ["12-30 19:00:00 12-31 03:00:00"]),
        # But 24:00 is Saturday's 00:00, which exists: 10:00 UTC on the 30th.
        ((FRI, "09:00", "24:00"), []),
        ((FRI, "00:00", "24:00"), []),
        # Thursday's last hour. Overnight: 02:00 on the 30th is 12:00 UTC, which the clocks show as 02:00 on the 31st.
        ((THU, "23:00", "24:00"), ["12-30 09:00:00 12-30 10:00:00"]),
        ((THU, "23:00", "02:00"), ["12-30 09:00:00 12-30 12:00:00"]),
        # 22:00 on the 30th is 08:00 UTC on the 31st; 02:00 on the 31st (UTC+14) is 12:00 UTC on the 30th.
        ((FRI, "22:00", "02:00"), []),
        ((SAT, "00:00", "24:00"), ["12-30 10:00:00 12-31 10:00:00"]),
    ],
)
def test_a_whole_day_is_skipped(row: Shift, expected: list[str]) -> None:
    """Apia went from Thursday 2011-12-29 24:00 (UTC-10) to Saturday the 31st, 00:00 (UTC+14): 2011-12-30 10:00 UTC."""
    assert opened([row], "Pacific/Apia", ("2011-12-29 12:00", "2012-01-02 00:00")) == expected
