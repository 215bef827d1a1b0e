"""A file is read in one of two ways, quickly or with care, and it makes no difference which."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from storemon.intake import load as reading
from tests.examples import examples
from tests.lake.files import HOURS, MAINTENANCE, POLLS, SPECIAL_HOURS, ZONES, Read, ids, raw, read, rejects

MANY = settings(max_examples=examples(100), deadline=None)

IDS = st.sampled_from(
    ("a", "8139926242460185114", "00017c6a-7a77-4a95-bb2d-40647868aff6", "Zürich, 2", '"b"', " c ", "d\ne", "d\r\ne")
)
STATUSES = st.sampled_from(("active", "inactive", "Active", " INACTIVE "))
DATES = st.datetimes(datetime(2024, 9, 1), datetime(2024, 10, 14))  # noqa: DTZ001 - text without a zone
SECONDS = DATES.map(lambda instant: instant.isoformat(timespec="seconds"))
ENDINGS = st.sampled_from(("", "Z", " UTC", ".5 UTC", ".412748Z", "+05:30", "-0500"))
INSTANTS = st.tuples(SECONDS, ENDINGS).map("".join) | SECONDS.map(lambda text: f" {text.replace('T', ' ')} UTC ")
TIMES = st.sampled_from(("9:00", "09:30:15", "24:00", "23:59:59", " 0:00"))
FORMS = {
    POLLS: st.tuples(IDS, STATUSES, INSTANTS),
    HOURS: st.tuples(IDS, st.integers(0, 6).map(str), TIMES, TIMES),
    ZONES: st.tuples(IDS, st.just("America/Chicago")),
    SPECIAL_HOURS: st.tuples(IDS, DATES.map("{:%Y-%m-%d}".format), TIMES, TIMES)
    | st.tuples(IDS, st.just("2024-12-25"), st.just(""), st.sampled_from(("", " "))),
    MAINTENANCE: st.tuples(IDS, INSTANTS, st.just("2024-10-20T00:00:00Z"), st.sampled_from(("", "new till, twice"))),
}
NOTES = st.sampled_from(("", "x", "5 o'clock", 'so "called"', "a,b", "two\nlines", "ends\r\nmixed", '"', "  "))
WAYS: dict[str, Callable[[str], str]] = {
    "as needed": lambda text: f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set('",\r\n') else text,
    "always": lambda text: f'"{text.replace(chr(34), chr(34) * 2)}"',
    "spaced": lambda text: f' "{text.replace(chr(34), chr(34) * 2)}"  ',
}


def first(row: tuple[tuple[str, ...], str]) -> str:
    return row[0][0]


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str], str, int]:
    """Draw a header, good rows, how lines end, and before which row a bad one is to come."""
    header = draw(st.sampled_from([*FORMS]))
    names = [*header.split(","), "note"]
    order = draw(st.permutations(range(len(names))))
    quote = draw(st.sampled_from([*WAYS.values()]))
    rows = draw(st.lists(st.tuples(FORMS[header], NOTES), max_size=6, unique_by=first if header == ZONES else None))
    records = [(*fields, note) for fields, note in rows]
    lines = [",".join(quote(record[at]) for at in order) for record in (tuple(names), *records)]
    return lines[0], lines[1:], draw(st.sampled_from(("\n", "\r\n"))), draw(st.integers(0, len(rows)))


def quickly(path: Path) -> Read:
    with patch.object(reading, "_read_with_care", side_effect=AssertionError("not clean")):
        return read(path)


@MANY
@given(drawn=files(), last=st.booleans())
def test_a_bad_row_costs_no_other(drawn: tuple[str, list[str], str, int], *, last: bool) -> None:
    header, rows, end, at = drawn
    with TemporaryDirectory() as name:
        folder = Path(name)
        clean = quickly(raw(folder, end.join((header, *rows)) + (end if last else "")))
        with_one = read(raw(folder, end.join((header, *rows[:at], "bad row", *rows[at:])) + (end if last else "")))
    assert clean.rejected.is_empty()
    assert len(clean.accepted) == len(rows)
    assert with_one.accepted.equals(clean.accepted)
    assert with_one.read == clean.read + 1
    line = 1 + end.join((header, *rows[:at], "")).count("\n")
    columns = header.count(",") + 1
    assert rejects(with_one) == [(line, "bad row", f"1 fields where the header has {columns}")]


SCRAPS = st.sampled_from(("s", '"', ",", " ", '""', "\n", "\r\n", "\t", "é", '" ', ' "', "\N{LINE SEPARATOR}", "\r"))
ENDS = st.sampled_from(("\n", "\r\n", "\r"))
SCRIBBLES = st.lists(SCRAPS, max_size=6).map("".join)


@MANY
@given(
    rows=st.lists(st.tuples(SCRIBBLES, SCRIBBLES), min_size=1, max_size=3), end=st.sampled_from(("\n", "\r\n", "\r"))
)
def test_what_is_read_quickly_would_be_read_with_care(rows: list[tuple[str, str]], end: str) -> None:
    """Whatever is scribbled: a file that passes as clean gives the same rows the other way."""
    lines = [f"{POLLS},note", *(f"{store},active,2024-10-03 23:33:20 UTC,{note}" for store, note in rows)]
    with TemporaryDirectory() as name:
        path = raw(Path(name), end.join(lines))
        loaded = read(path)
        with patch.object(reading, "_read_clean", side_effect=reading._AmissError):
            careful = read(path)
    assert loaded.accepted.equals(careful.accepted)
    assert loaded.rejected.equals(careful.rejected)
    assert ids(loaded) == ids(careful)
