"""What a file may look like as a whole: its columns, its line ends, its quotes."""

import gzip
from pathlib import Path

import pytest

from storemon.intake.load import load
from tests.lake.files import AT, HOURS, NOW, POLLS, ZONES, Read, csv, ids, raw, read, rejects

ROWS = (f"a,active,{AT}", f"b,inactive,{AT}")
LONG = "x" * 3_000_000


def stores(loaded: Read) -> list[str]:
    assert rejects(loaded) == []
    return ids(loaded)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["with an end", "without"])
@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
def test_line_ends_and_byte_order_mark(tmp_path: Path, end: str, last: str, mark: str) -> None:
    text = mark + end.join((POLLS, *ROWS)) + (end if last == "with an end" else "")
    assert stores(read(raw(tmp_path, text))) == ["a", "b"]


def test_mixed_line_ends(tmp_path: Path) -> None:
    text = f"{POLLS}\r\n{ROWS[0]}\n{ROWS[1]}\r\n{ROWS[0]}\r{ROWS[1]}\n\r\nbad\r\n"
    loaded = read(raw(tmp_path, text))
    assert ids(loaded) == ["a", "b", "a", "b"]
    assert rejects(loaded) == [(7, "bad", "1 fields where the header has 3")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_are_no_rows(tmp_path: Path, end: str) -> None:
    lines = (POLLS, "", ROWS[0], "", "", ROWS[1], "", "")
    assert stores(read(csv(tmp_path, *lines, end=end))) == ["a", "b"]
    loaded = read(csv(tmp_path, *lines, "c,active,never", end=end))
    assert (loaded.read, [line for line, _, _ in rejects(loaded)]) == (3, [9])


def test_columns_in_any_order_among_others(tmp_path: Path) -> None:
    header, row = "region, timestamp_utc ,,store_id,note,status", f"north,{AT},,a,x,inactive"
    loaded = read(csv(tmp_path, header, row))
    assert stores(loaded) == ["a"]
    assert loaded.accepted["active"].to_list() == [False]
    damaged = read(csv(tmp_path, header, row, row.replace("inactive", "off")))
    assert (ids(damaged), [reject[0] for reject in rejects(damaged)]) == (["a"], [3])


@pytest.mark.parametrize("name", ["dayOfWeek", "day"])
def test_names_of_the_weekday(tmp_path: Path, name: str) -> None:
    loaded = read(csv(tmp_path, HOURS.replace("dayOfWeek", name), "a,6,9:00,17:00"))
    assert loaded.accepted.cast({"store_id": str}).rows() == [("a", 6, 32_400, 61_200)]


def test_of_two_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    assert stores(read(csv(tmp_path, f"{POLLS},store_id,status", f"{ROWS[0]},z,off"))) == ["a"]


def test_quoted_fields(tmp_path: Path) -> None:
    header = '"store_id", "status" ,"timestamp_utc","a ""note"", or two"'
    rows = (f'"a,b","active","{AT}","x"', f'"say ""b""", "inactive" ,"{AT}" ,""', f'5" c,active,{AT},6"')
    expected = ["a,b", 'say "b"', '5" c']
    assert stores(read(csv(tmp_path, header, *rows))) == expected
    damaged = read(csv(tmp_path, header, *rows, "bad"))
    assert (ids(damaged), len(damaged.rejected)) == (expected, 1)


def test_a_quoted_field_may_go_on_over_lines(tmp_path: Path) -> None:
    header = f'{POLLS},"a\nnote"'
    rows = (f'a,active,{AT},"one\n\ntwo, ""2""\n"', f'b,active,{AT},"\n"', f"c,active,{AT},")
    assert stores(read(csv(tmp_path, header, *rows))) == ["a", "b", "c"]
    bad = f'd,off,{AT},"one\ntwo"'
    loaded = read(csv(tmp_path, header, *rows, bad, "bad"))
    assert ids(loaded) == ["a", "b", "c"]
    assert [reject[:2] for reject in rejects(loaded)] == [(10, bad), (12, "bad")]


def test_a_line_of_megabytes(tmp_path: Path) -> None:
    for field in (LONG, f'"{LONG}"', f'"{LONG}\n{LONG}"'):
        assert stores(read(csv(tmp_path, f"{POLLS},note", f"{ROWS[0]},{field}", f"{ROWS[1]},"))) == ["a", "b"]
    loaded = read(csv(tmp_path, POLLS, LONG, ROWS[0]))
    assert (ids(loaded), rejects(loaded)) == (["a"], [(2, LONG, "1 fields where the header has 3")])


def test_header_only(tmp_path: Path) -> None:
    for header in (POLLS, HOURS, ZONES):
        for end in ("", "\n", "\r\n\r\n"):
            assert read(raw(tmp_path, header + end)).read == 0


def test_gzipped(tmp_path: Path) -> None:
    lines = "\n".join((POLLS, *ROWS)).encode()
    assert stores(read(raw(tmp_path, gzip.compress(lines), name="some.csv.gz"))) == ["a", "b"]
    two_members = gzip.compress(lines[:50]) + gzip.compress(lines[50:] + b"\nbad")
    loaded = read(raw(tmp_path, two_members, name="some.csv.gz"))
    assert (ids(loaded), rejects(loaded)) == (["a", "b"], [(4, "bad", "1 fields where the header has 3")])


@pytest.mark.parametrize(
    "name", ["some[1].csv", "s*.csv", "some?.csv", "so%20me.csv", "it's.csv", "day=1.csv", "sö me.csv"]
)
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    for decoy in ("some1.csv", "sx.csv", "somex.csv"):
        csv(tmp_path, POLLS, f"decoy,active,{AT}", name=decoy)
    assert stores(read(csv(tmp_path, POLLS, *ROWS, name=name))) == ["a", "b"]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = csv(tmp_path, POLLS, *ROWS * 60_000)
    load(path, now=NOW, progress=lambda rows, expected: told.append((rows, expected)))
    assert [rows for rows, _ in told] == sorted({rows for rows, _ in told})
    assert told[-1][0] == 120_000
    assert all(expected is not None and abs(expected - 120_000) < 1_200 for _, expected in told)
