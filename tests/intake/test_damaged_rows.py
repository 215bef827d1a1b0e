"""Rows that are set aside: with their line, as they stood, for a reason, and at no other row's cost."""

from pathlib import Path

import pytest

from tests.lake.files import AT, POLLS, csv, ids, raw, read, rejects

A, B = f"a,active,{AT}", f"b,inactive,{AT}"
UNCLOSED = "a quote is opened and never closed"
STRAY = "a quote is closed in the middle of a field"


def test_too_few_and_too_many_fields(tmp_path: Path) -> None:
    rows = ("x", "x,active", f"x,active,{AT},more", f"x,active,{AT},,more", "   ", f'"x,active,{AT}"')
    loaded = read(csv(tmp_path, POLLS, A, *rows, B))
    assert ids(loaded) == ["a", "b"]
    counts = (1, 2, 4, 5, 1, 1)
    reasons = [f"{count} fields where the header has 3" for count in counts]
    assert rejects(loaded) == [*zip(range(3, 9), rows, reasons, strict=True)]


def test_empty_fields_past_the_last_one_do_no_harm(tmp_path: Path) -> None:
    """Spreadsheets write them; the file means the same whether another row is damaged or not."""
    rows = (f"{A},", f"{B},,", f'c,active,{AT},""')
    assert ids(read(csv(tmp_path, POLLS, *rows))) == ["a", "b", "c"]
    assert ids(read(csv(tmp_path, POLLS, *rows, "bad"))) == ["a", "b", "c"]


@pytest.mark.parametrize("left", range(1, len(B)))
def test_a_file_cut_in_its_last_row(tmp_path: Path, left: int) -> None:
    loaded = read(raw(tmp_path, f"{POLLS}\n{A}\n{B[:left]}"))
    if left >= len(B) - len(" UTC"):  # a time with no zone is UTC
        whole = B[:left].endswith(("20", "20 "))
        assert ids(loaded) == (["a", "b"] if whole else ["a"])
        return
    assert ids(loaded) == ["a"]
    assert [(line, row) for line, row, _ in rejects(loaded)] == [(3, B[:left])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f'"x,active,{AT}', UNCLOSED),
        (f'x,active,"{AT}', UNCLOSED),
        (f'"x"",active,{AT}', UNCLOSED),
        (f'"x"y,active,{AT}', STRAY),
        (f'"x,"active,{AT}', STRAY),
        (f'x,"active"",{AT}', UNCLOSED),
        (f'""x"",active,{AT}', STRAY),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_stray_quote_damages_its_own_line(tmp_path: Path, row: str, reason: str, end: str) -> None:
    quoted = (f'"c","active","{AT}"', f'd,"inactive",{AT}')
    for rows in ((A, B), quoted, (B, *quoted)):
        loaded = read(csv(tmp_path, POLLS, A, row, *rows * 60, end=end))
        assert rejects(loaded) == [(3, row, reason)]
        assert len(loaded.accepted) == 1 + 60 * len(rows)
    assert rejects(read(csv(tmp_path, POLLS, A, row, end=end))) == [(3, row, reason)]


def test_not_utf8(tmp_path: Path) -> None:
    rows = (A.encode(), b"Z\xfcrich,active," + AT.encode(), b'"\xff",active,x', b"\xc3,\xa9,active", B.encode())
    loaded = read(raw(tmp_path, b"\n".join((POLLS.encode(), *rows))))
    assert ids(loaded) == ["a", "b"]
    unknown = "\N{REPLACEMENT CHARACTER}"
    shown = (f"Z{unknown}rich,active,{AT}", f'"{unknown}",active,x', f"{unknown},{unknown},active")
    assert rejects(loaded) == [(line, row, "not UTF-8") for line, row in enumerate(shown, 3)]


def test_a_tail_of_zeros(tmp_path: Path) -> None:
    """What a crash leaves behind the last bytes that reached the disk."""
    loaded = read(raw(tmp_path, f"{POLLS}\n{A}\n".encode() + f"{B}\n".encode() * 3_000 + b"\0" * 5_000))
    assert len(loaded.accepted) == 3_001
    assert rejects(loaded) == [(3_003, "\0" * 5_000, "1 fields where the header has 3")]


@pytest.mark.parametrize(
    ("row", "before"),
    [(b"x,active", 120_000), (b'"x,active,', 20_000), (b"x,active,y,z", 20_000), (b"\xff,active,", 20_000)],
)
def test_a_damaged_row_far_into_a_file(tmp_path: Path, row: bytes, before: int) -> None:
    """DuckDB hands the first rows out before it comes to this one."""
    loaded = read(raw(tmp_path, f"{POLLS}\n".encode() + f"{A}\n".encode() * before + row + f"\n{B}".encode()))
    assert len(loaded.accepted) == before + 1
    assert [(line, shown) for line, shown, _ in rejects(loaded)] == [(before + 2, row.decode("utf-8", "replace"))]


def test_every_line_is_numbered_as_an_editor_does(tmp_path: Path) -> None:
    lines = (f"{POLLS},note", "", f'{A},"1\n2"', "bad", "", f'x,ok,{AT},"1\r\n2"', f'{B},"\n\n\n"', "bad")
    loaded = read(csv(tmp_path, *lines))
    assert ids(loaded) == ["a", "b"]
    assert [(line, row) for line, row, _ in rejects(loaded)] == [(5, "bad"), (7, lines[5]), (13, "bad")]


def test_not_one_row_can_be_read(tmp_path: Path) -> None:
    loaded = read(csv(tmp_path, POLLS, "x", "y"))
    assert loaded.accepted.is_empty()
    assert [line for line, _, _ in rejects(loaded)] == [2, 3]
