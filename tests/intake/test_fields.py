"""The forms of every other field that are read, and those that are not."""

from pathlib import Path

from tests.lake.files import AT, HOURS, POLLS, ZONES, csv, ids, read, rejects

NO_STATUS = "status is neither active nor inactive"
NO_DAY = "dayOfWeek is not a number from 0 (Monday) to 6, nor a weekday like Mon"
NO_ZONE = "timezone_str is not a zone of the IANA database, like America/Chicago"

STATUSES = (
    dict.fromkeys(("up", "UP", " online ", "true", "True", "1"), True)
    | {"active": True, "ACTIVE": True, "Active": True, " active": True, "aCtIvE  ": True}
    | {
        **dict.fromkeys(("down", "Down", "offline", "FALSE", "0", " 0 "), False),
        "inactive": False,
        "INACTIVE": False,
        "  Inactive ": False,
    }
)
NO_STATUSES = (
    "",
    " ",
    "u p",
    "2",
    "10",
    "1.0",
    "yes",
    "on",
    "ok",
    "activ",
    "actives",
    "act ive",
    "in active",
    "active.",
    "null",
)
TIMES = {"0:00": 0, "00:00": 0, "00:00:00": 0, "9:30": 34_200, "09:30": 34_200, "9:30:01": 34_201} | {
    "23:59": 86_340,
    "23:59:59": 86_399,
    "24:00": 86_400,
    "24:00:00": 86_400,
    " 9:30 ": 34_200,
    "9:00 AM": 32_400,
    "9:00AM": 32_400,
    "09:00 am": 32_400,
    "9:30:01 a.m.": 34_201,
    "12:00 AM": 0,
    "12:15 AM": 900,
    "12:30 PM": 45_000,
    "5:00 PM": 61_200,
    "11:59:59 pm": 86_399,
}
NO_TIMES = (
    *("", "9", "930", "9:5", "9:60", "09:30:60", "09:30:1", "24:00:01", "24:01", "25:00", "99:59", "009:30"),
    *(
        "-1:00",
        "+9:00",
        "0:30 AM",
        "13:00 PM",
        "9:30 XM",
        "9:30 A",
        "9 AM",
        "09.30",
        "09:30Z",
        "09:30:00.5",
        "09:30:00:00",
        "9 :30",
        "noon",
    ),
)
DAYS = {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, " 4 ": 4} | {
    "Monday": 0,
    "mon": 0,
    "TUE": 1,
    "Tues": 1,
    "wed": 2,
    "Thursday": 3,
    "thu": 3,
    "Thurs.": 3,
    "fri": 4,
    "Sat": 5,
    " sunday ": 6,
    "Sun": 6,
}
NO_DAYS = (
    "",
    "7",
    "-1",
    "+1",
    "01",
    "1.0",
    "1e0",
    "Mo",
    "Mond",
    "Montag",
    "Monday Tuesday",
    "monx",
    "\N{FULLWIDTH DIGIT ONE}",
)
OTHER_WAYS = {
    "america/chicago": "America/Chicago",
    "EUROPE/BERLIN": "Europe/Berlin",
    "utc": "UTC",
    "Central Standard Time": "America/Chicago",
    " central standard time ": "America/Chicago",
    "W. Europe Standard Time": "Europe/Berlin",
    "India Standard Time": "Asia/Calcutta",
}
READ_ZONES = (
    "America/Chicago",
    " Asia/Beirut ",
    "America/Argentina/Buenos_Aires",
    "US/Pacific",
    "Asia/Calcutta",
    "UTC",
)
NO_ZONES = (
    "",
    "America/",
    "Mars/Olympus",
    "CST",
    "PST",
    "+05:00",
    "UTC+5",
    "localtime",
    "posix/UTC",
)
IDS = (
    *("s", "007", "7", "-1", "1.0", "1e3", "8139926242460185114", "13559135591355913559135591355913559"),
    *(
        "00017c6a-7a77-4a95-bb2d-40647868aff6",
        "00017C6A-7A77-4A95-BB2D-40647868AFF6",
        "NaN",
        "NULL",
        "None",
        "true",
        "\\N",
    ),
    *("Zürich 2", "東京", "\N{SLICE OF PIZZA}", "two  spaces", "a,b", "#1", "'s'", "x" * 10_000),
)


def test_statuses(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, POLLS, *(f"s,{text},{AT}" for text in STATUSES)))
    assert rejects(loaded) == []
    assert dict(zip(STATUSES, loaded.accepted["active"], strict=True)) == STATUSES


def test_no_statuses(tmp_path: Path) -> None:
    rows = [f"s,{text},{AT}" for text in NO_STATUSES]
    assert rejects(read(csv(tmp_path, POLLS, *rows))) == [(line, row, NO_STATUS) for line, row in enumerate(rows, 2)]


def test_ids_are_text(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, POLLS, *(f'"{text}",active,{AT}' for text in IDS)))
    assert rejects(loaded) == []
    assert ids(loaded) == list(IDS)


def test_ids_are_trimmed_and_never_empty(tmp_path: Path) -> None:
    texts = (" s", "s ", '"  s  "', "", "   ", '""', '" "')
    rows = [f"{text},active,{AT}" for text in texts]
    loaded = read(csv(tmp_path, POLLS, *rows))
    assert ids(loaded) == ["s"] * 3
    assert rejects(loaded) == [(line, row, "store_id is empty") for line, row in enumerate(rows[3:], 5)]


def test_weekdays(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, HOURS, *(f"s,{text},9:00,17:00" for text in DAYS)))
    assert rejects(loaded) == []
    assert dict(zip(DAYS, loaded.accepted["weekday"], strict=True)) == DAYS


def test_no_weekdays(tmp_path: Path) -> None:
    rows = [f"s,{text},9:00,17:00" for text in NO_DAYS]
    assert rejects(read(csv(tmp_path, HOURS, *rows))) == [(line, row, NO_DAY) for line, row in enumerate(rows, 2)]


def test_times_of_day(tmp_path: Path) -> None:
    rows = [row for text in TIMES for row in (f"s,0,{text},12:00", f"s,0,12:00,{text}")]
    loaded = read(csv(tmp_path, HOURS, *rows))
    assert rejects(loaded) == []
    assert dict(zip(TIMES, loaded.accepted["opens_local"][::2], strict=True)) == TIMES
    assert dict(zip(TIMES, loaded.accepted["closes_local"][1::2], strict=True)) == TIMES


def test_no_times_of_day(tmp_path: Path) -> None:
    opening, closing = [f"s,0,{text},12:00" for text in NO_TIMES], [f"s,0,12:00,{text}" for text in NO_TIMES]
    reasons = [
        f"{edge}_time_local is not a time of day from 00:00 to 24:00" for edge in ("start", "end") for _ in NO_TIMES
    ]
    loaded = read(csv(tmp_path, HOURS, *opening, *closing))
    assert rejects(loaded) == [*zip(range(2, 2 + len(reasons)), opening + closing, reasons, strict=True)]


def test_zones(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, ZONES, *(f"s{n},{text}" for n, text in enumerate(READ_ZONES))))
    assert rejects(loaded) == []
    assert loaded.accepted["zone"].to_list() == [text.strip() for text in READ_ZONES]


def test_zones_in_any_case_and_by_the_names_that_windows_has(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, ZONES, *(f"s{n},{text}" for n, text in enumerate(OTHER_WAYS))))
    assert rejects(loaded) == []
    assert loaded.accepted["zone"].to_list() == [*OTHER_WAYS.values()]


def test_no_zones(tmp_path: Path) -> None:
    rows = [f"s{n},{text}" for n, text in enumerate(NO_ZONES)]
    assert rejects(read(csv(tmp_path, ZONES, *rows))) == [(line, row, NO_ZONE) for line, row in enumerate(rows, 2)]


def test_the_first_reason_is_given(tmp_path: Path) -> None:
    assert rejects(read(csv(tmp_path, POLLS, ",ok,never"))) == [(2, ",ok,never", "store_id is empty")]
    assert rejects(read(csv(tmp_path, HOURS, "s,8,x,y"))) == [(2, "s,8,x,y", NO_DAY)]


def test_two_zones_for_one_store(tmp_path: Path) -> None:
    """The first that can be read counts; to say it again is no contradiction."""
    rows = ("a,CST", "a,UTC", "b,UTC", "a,Asia/Tokyo", "a,UTC", "b,Asia/Tokyo")
    loaded = read(csv(tmp_path, ZONES, *rows))
    again = "an earlier row gives this store another time zone"
    assert rejects(loaded) == [(2, rows[0], NO_ZONE), (5, rows[3], again), (7, rows[5], again)]
    assert loaded.accepted.cast({"store_id": str}).rows() == [("a", "UTC"), ("b", "UTC"), ("a", "UTC")]


def test_two_zones_for_one_store_far_apart(tmp_path: Path) -> None:
    others = [f"s{n},UTC" for n in range(110_000)]
    loaded = read(csv(tmp_path, ZONES, "s,UTC", *others, "s,Asia/Tokyo"))
    assert [row for _, row, _ in rejects(loaded)] == ["s,Asia/Tokyo"]
    assert len(loaded.accepted) == 110_001
