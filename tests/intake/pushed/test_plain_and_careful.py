"""A body is read in one of two ways, quickly or with care, and it makes no difference which."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import InputError
from storemon.intake.pushed import plain
from storemon.intake.pushed.polls import PUSHED_SCHEMA, REJECTED_SCHEMA
from storemon.intake.pushed.reading import Format, Pushed, read_one, read_polls
from tests.examples import examples
from tests.intake.pushed.bodies import NOW, Row, body_of, quickly, read_of, with_care

MANY = settings(max_examples=examples(60), deadline=None)
FORMS: tuple[Format, ...] = get_args(Format)

IDS = st.sampled_from(("a", "8139926242460185114", "00017c6a-7a77-4a95-bb2d-40647868aff6", "Zürich", "b\u00a0"))
STATUSES = st.sampled_from(("active", "inactive"))
DATES = st.datetimes(datetime(1, 1, 1), datetime(2024, 10, 15))  # noqa: DTZ001 - text without a zone
ENDINGS = st.sampled_from(("Z", " UTC", "+00:00", "", ".5Z", ".412748 UTC", ".412748999+00:00", ".000001"))
INSTANTS = st.tuples(DATES, st.sampled_from("T "), ENDINGS).map(
    lambda of: f"{of[0].isoformat(of[1], 'seconds')}{of[2]}"
)
PLAIN = st.tuples(IDS, STATUSES, INSTANTS)
NEARLY = st.tuples(
    st.one_of(IDS, st.sampled_from(("", "*", " a", "a ", "a,b", '"a"', "\u00a0", "a\tb", "a\\b", "a\0", "\n"))),
    st.one_of(STATUSES, st.sampled_from(("Active", "up", "1", "0", " inactive", "", "no", "false"))),
    st.one_of(
        INSTANTS,
        st.sampled_from(
            (
                *("2024-02-30T00:00:00Z", "2023-02-29 00:00:00", "0000-01-01T00:00:00Z", "2024-10-03T24:00:00Z"),
                *(
                    "2024-10-16T00:00:00Z",
                    "2024-10-16T00:00:00.000001Z",
                    "9999-12-31T23:59:59Z",
                    "2024-10-03T23:33:60Z",
                ),
                *(
                    "1727998400",
                    "1727998400412",
                    "2024",
                    "",
                    "2024-10-03",
                    "03.10.2024 1:00",
                    "2024-10-03T23:33:20+05:30",
                ),
                *("2024-10-03T23:33:20.Z", "2024-10-03T23:33:20.1234567890Z", "2024-10-03 23:33:20  UTC", "now\n"),
                *("٢024-10-03T23:33:20Z", "2024-10-03T23:33:20Z\n", "2024-10-03T23:33:20 Z", "2024-10-03t23:33:20z"),
            )
        ),
    ),
)
TEXT_FORMS = st.sampled_from([form for form in FORMS if form != "line"])


def same(one: Pushed, other: Pushed) -> None:
    assert one.polls.schema == other.polls.schema == PUSHED_SCHEMA
    assert one.rejected.schema == other.rejected.schema == REJECTED_SCHEMA
    assert one.polls.equals(other.polls)
    assert one.rejected.equals(other.rejected)


@MANY
@given(form=TEXT_FORMS, rows=st.lists(PLAIN, min_size=1, max_size=6), few=st.sampled_from((0, 300)))
def test_plain(form: Format, rows: list[Row], few: int) -> None:
    body = body_of(form, rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plain, "_FEW", few)
        with quickly():
            read = read_of(body, form)
    with with_care():
        same(read, read_of(body, form))
    assert len(read.polls) == len(rows)


@MANY
@given(form=TEXT_FORMS, rows=st.lists(PLAIN | NEARLY, max_size=4), few=st.sampled_from((0, 300)))
def test_nearly_plain(form: Format, rows: list[Row], few: int) -> None:
    body = body_of(form, rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plain, "_FEW", few)
        read = outcome(body, form)
    with with_care():
        careful = outcome(body, form)
    if isinstance(read, str) or isinstance(careful, str):
        assert read == careful
    else:
        same(read, careful)


def outcome(body: bytes, form: Format) -> Pushed | str:
    try:
        return read_of(body, form)
    except InputError as error:
        return str(error)


SCRAPS: dict[Format, tuple[str, ...]] = {
    "json": (
        *('{"store_id":"a","status":"active","timestamp_utc":"2024-10-03T23:33:20Z"}', "[", "]", "{", "}", ",", ":"),
        *('"store_id"', '"status"', '"timestamp_utc"', '"a"', "null", "true", "NaN", "1e999", "9" * 5000, '"\\ud800"'),
        *('"\\u0000"', "\n", " ", "1727998400", "[" * 3000, '"x":', "-", "é", '"active"', '"2024-10-03T23:33:20Z"'),
    ),
    "csv": (
        "store_id,status,timestamp_utc", "\n", "a,active,2024-10-03T23:33:20Z", ",", '"', ";", "\r", "\r\n", " ", "\0",
        "a", "\t", "é", "\N{LINE SEPARATOR}",
    ),
    "line": (
        "polls", ",store_id=a", ",store_id=", ",host=b", " ", " active=", "t", "1i", "1", "0.0", ' status="active"',
        '"', "\\", ",", "=", "\n", "\r\n", "#", "\t", " 1727998400000000000", " -1", "9" * 40, ",active=f", ',note="a b"',
        " active=true", "\f", "\0", "é", "9" * 19,
    ),
}  # fmt: skip
SCRAPS["ndjson"] = SCRAPS["json"]


@MANY
@given(data=st.data(), form=st.sampled_from([*SCRAPS]))
def test_scraps(data: st.DataObject, form: Format) -> None:
    """Whatever is put together: the two ways agree, and neither raises anything but an InputError."""
    body = "".join(data.draw(st.lists(st.sampled_from(SCRAPS[form]), max_size=9))).encode()
    read = outcome(body, form)
    with with_care():
        careful = outcome(body, form)
    if isinstance(read, str) or isinstance(careful, str):
        assert read == careful
    else:
        same(read, careful)


STREAM = body_of("arrow", [("a", "active", "2024-10-03T23:33:20Z"), ("b", "inactive", "2024-10-03T23:33:20Z")])


@MANY
@given(body=st.binary(max_size=60), form=st.sampled_from(FORMS))
def test_any_bytes(body: bytes, form: Format) -> None:
    assert isinstance(outcome(body, form), Pushed | str)


@MANY
@given(at=st.integers(0, len(STREAM) - 1), some=st.binary(max_size=3), cut=st.booleans())
def test_damaged_streams(at: int, some: bytes, *, cut: bool) -> None:
    body = STREAM[:at] + some + (b"" if cut else STREAM[at + len(some) :])
    assert isinstance(outcome(body, "arrow"), Pushed | str)


@MANY
@given(row=PLAIN | NEARLY)
def test_one(row: Row) -> None:
    body = body_of("ndjson", [row])
    one, read = read_one(body, NOW), read_of(body, "json")
    if one is None:
        return
    store_id, polled_at_us, active = one
    assert read.polls.rows() == [
        (store_id, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=polled_at_us), active)
    ]


def test_one_that_is_plain() -> None:
    body = body_of("ndjson", [("a", "inactive", "2024-10-03T23:33:20.5Z")])
    assert read_one(body, NOW) == ("a", 1_727_998_400_500_000, False)
    assert read_one(b"[" + body + b"]", NOW) is None


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "arrow", "line"])
def test_thousands_are_read_alike(form: Format) -> None:
    rows = [(f"store-{n}", ("active", "inactive")[n % 2], f"2024-10-03T23:{n % 60:02}:20Z") for n in range(2000)]
    if form == "line":
        rows = [(store, status, str(1727998400000000000 + n)) for n, (store, status, _) in enumerate(rows)]
    with quickly():
        read = read_of(body_of(form, rows), form)
    assert read.polls["store_id"].to_list() == [row[0] for row in rows]
    assert read.polls["active"].to_list() == [row[1] == "active" for row in rows]
    with with_care():
        same(read, read_of(body_of(form, rows), form))
    assert isinstance(read.polls, pl.DataFrame)
    assert read_polls(body_of(form, rows[:1]), form, now=NOW).read == 1
