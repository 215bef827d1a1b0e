"""What each form may look like, and what is rejected of it."""

import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest

from storemon import InputError
from storemon.intake.pushed.line_protocol import UNIT_NS, Unit
from storemon.intake.pushed.reading import MEDIA_TYPES, Format, read_polls
from tests.intake.pushed.bodies import NOW, SECOND, body_of, polls, read_of, rejects

BOTH = [("7", SECOND, True), ("8", SECOND, False)]
DOCS = Path(__file__).parents[3] / "docs" / "live.md"
EXAMPLES = re.findall(r"```(json|ndjson|csv|line)\n(.*?)```", DOCS.read_text(), re.DOTALL)
A = '{"store_id":"a","status":"active","timestamp_utc":"2024-10-03T23:33:20Z"}'


@pytest.mark.parametrize(("form", "body"), EXAMPLES, ids=[form for form, _ in EXAMPLES])
def test_examples(form: Format, body: str) -> None:
    for text in (body, f"\N{ZERO WIDTH NO-BREAK SPACE}{body}", body.replace("\n", "\r\n")):
        read = read_of(text, form)
        assert rejects(read) == []
        assert polls(read) == BOTH


def test_every_text_form_has_an_example() -> None:
    assert {form for form, _ in EXAMPLES} == {*get_args(Format)} - {"arrow"}
    assert {*MEDIA_TYPES.values()} == {*get_args(Format)} - {"line"}


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "line"])
def test_not_utf_8(form: Format) -> None:
    with pytest.raises(InputError, match="not UTF-8: line 2, byte 3"):
        read_of(b"a\n\xff", form)


@pytest.mark.parametrize(
    ("form", "body", "text"),
    [
        ("json", "", "not JSON"),
        ("json", "[", "not JSON"),
        ("json", "3", "neither a JSON object nor an array"),
        ("json", f"[{A},{A[:-1]}]", "not JSON"),
        ("json", "[" * 100_000, "not JSON"),
        ("csv", "", "no column called store_id and none called status and none called timestamp_utc"),
        ("csv", "a,active,2024-10-03T23:33:20Z", "its first line must be a header, like store_id,status,timestamp_utc"),
        ("csv", "store_id,status,timestamp_utc\n\0", "binary data"),
        ("arrow", "", "not an Arrow IPC stream"),
    ],
)
def test_not_of_the_form(form: Format, body: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        read_of(body, form)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("3", "not a JSON object"),
        (A.replace('"a"', "null"), "store_id is empty"),
        (A.replace('"a"', '"*"'), "* is every store, which is not one that can have this row"),
        (A.replace('"a"', "[1]"), "store_id is neither text nor a number"),
        (A.replace('"active"', '"open"'), "status is neither active nor inactive"),
        (A.replace("2024-10-03", "2024-10-17"), "timestamp_utc is more than a day ahead of the clock of this machine"),
        (A.replace('{"store_id"', '{"store_id":"b","store_id"'), "store_id stands in it twice"),
        (A.replace('{"store_id"', '{"store\\u005fid":"b","store_id"'), "store_id stands in it twice"),
        (A.replace("2024-10-03T23:33:20Z", "3/4/2024"), "timestamp_utc could have the day or the month first; write it like 2024-10-03"),
        ('{"store_id":"a","status":"up"}', "there is no member timestamp_utc, which each poll must have; its members are: store_id, status"),
        ("{}", "there is no member store_id, which each poll must have; its members are: none"),
    ],
)  # fmt: skip
def test_rejected_objects(row: str, reason: str) -> None:
    assert rejects(read_of(f"[{A}, {row}]", "json")) == [(2, row, reason)]
    read = read_of(f"\n{row}\n{A}\n", "ndjson")
    assert rejects(read) == [(2, row, reason)]
    assert polls(read) == [("a", SECOND, True)]
    assert read.read == 2


def test_long_rows_are_cut() -> None:
    (row,) = rejects(read_of("x" * 10_000, "ndjson"))
    assert row[1] == "x" * 500 + "…"


def test_rejected_records() -> None:
    read = read_of(
        'store_id;note;status;timestamp_utc\n7;"two\nlines";up;1727998400\n8;x\n\n9;x;up;1727998400412\n', "csv"
    )
    assert polls(read) == [("7", SECOND, True)]
    assert rejects(read) == [
        (4, "8;x", "2 fields where the header has 4"),
        (6, "9;x;up;1727998400412", "timestamp_utc is a number, but not Unix time: 10 digits (or 13, or 16) in all of the file"),
    ]  # fmt: skip


def stream(compression: str | None = None, **columns: Any) -> bytes:
    table, file = pa.table(columns), io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return file.getvalue()


IDS = pa.array(["7", "8"])
INSTANTS = pa.array([SECOND, SECOND], pa.timestamp("us", "UTC"))


@pytest.mark.parametrize("ids", [IDS, IDS.dictionary_encode(), *(IDS.cast(t) for t in (pa.large_string(), pa.string_view(), pa.int64()))])  # fmt: skip # noqa: E501
@pytest.mark.parametrize("status", [pa.array([True, False]), pa.array(["up", "down"]).dictionary_encode(), pa.array([1, 0])])  # fmt: skip # noqa: E501
@pytest.mark.parametrize("instants", [*(INSTANTS.cast(pa.timestamp(unit, zone)) for unit in ("s", "ms", "us", "ns") for zone in (None, "Asia/Tokyo")), pa.array(["1727998400"] * 2)])  # fmt: skip # noqa: E501
def test_streams(ids: Any, status: Any, instants: Any) -> None:
    read = read_of(stream("zstd", at=pa.array([[1], []]), time=instants, store_id=ids, Status=status), "arrow")
    assert rejects(read) == []
    assert polls(read) == BOTH


def test_rejected_in_streams() -> None:
    ends = pa.array([2**62, 1727998400, None], pa.timestamp("s"))
    read = read_of(stream(store_id=["a", "b", "c"], status=["up", "up", "up"], timestamp_utc=ends), "arrow")
    assert polls(read) == [("b", SECOND, True)]
    reason = "timestamp_utc is null, or not in the years 1 to 9999"
    assert rejects(read) == [(1, "a,up,", reason), (3, "c,up,", reason)]


def test_streams_of_other_things() -> None:
    with pytest.raises(InputError, match="no column called timestamp_utc; its columns are: store_id, status"):
        read_of(stream(store_id=["a"], status=["up"]), "arrow")
    with pytest.raises(InputError, match="the column status is of the type list"):
        read_of(stream(store_id=["a"], status=[["up"]], timestamp_utc=["x"]), "arrow")


AT = " 1727998400000000000"


@pytest.mark.parametrize(
    ("line", "store_id", "active"),
    [
        ("m,store_id=a active=t", "a", True),
        ("m,store_id=a active=F", "a", False),
        ("m,store_id=a active=0i", "a", False),
        ("m,store_id=a active=1.0", "a", True),
        ('m,x=y,store_id=a,z=1 n=1i,status="Offline",o=-1.5e3', "a", False),
        (r"m\,1\ x,x\ y=\=,store_id=a\ b\,c\=d\e active=1i", r"a b,c=d\e", True),
        (r'm,store_id=a note="so \"called\", a=b \\",active=1i', "a", True),
        ('m,store_id=a note="two\nlines",active=1i', "a", True),
        ("  m,store_id=a   active=1i  ", "a", True),
    ],
)  # fmt: skip
def test_lines(line: str, store_id: str, *, active: bool) -> None:
    read = read_of(f"# said\n\n{line}{AT}\r\n{line}\nbad", "line")
    assert polls(read) == [(store_id, SECOND, active), (store_id, NOW, active)]
    assert [row[:2] for row in rejects(read)] == [(5 + 2 * line.count("\n"), "bad")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m,host=b active=t", "there is no tag store_id, which names the store; add it: polls,store_id=7"),
        ("m,store_id=7 http_response_code=200i", 'there is no field active or status; add one: active=true, or status="active"'),
        ("m,store_id=7,store_id=8 active=t", "the tag store_id stands in it twice"),
        ("m,store_id=7 active=t,active=f", "the fields active and status stand in it more than once in all; send one of them"),
        ('m,store_id=7 status="open"', "status is neither active nor inactive"),
        ("m,store_id=* active=t", "* is every store, which is not one that can have this row"),
        (",store_id=7 active=t", "the line does not begin with a measurement and its tags, like polls,store_id=7"),
        ('m,store_id=7 note="open,active=t', "a field is missing, or cannot be read: a text stands in double quotes, a whole number ends in i"),
        ("m,store_id=7", "a field is missing, or cannot be read: a text stands in double quotes, a whole number ends in i"),
        ("m,store_id=7 active=t soon", "the fields are followed by something other than a whole number, the timestamp"),
        ("m,store_id=7 active=t 1728998400000000000", "timestamp_utc is more than a day ahead of the clock of this machine"),
        *((f"m,store_id=7 active=t {number}", "the timestamp is not Unix time in ns of the years 2001 to 9999; name its precision: ns, us, ms or s") for number in (-1, 0, 1727998400, 10**19 * 30, 10**40)),
    ],
)  # fmt: skip
def test_rejected_lines(line: str, reason: str) -> None:
    read = read_of(f"{line}\nm,store_id=a active=t", "line")
    assert rejects(read) == [(1, line, reason)]
    assert polls(read) == [("a", NOW, True)]


@pytest.mark.parametrize("unit", get_args(Unit))
def test_units(unit: Unit) -> None:
    number = 1727998400 * 10**9 // UNIT_NS[unit]
    instant = datetime.fromisoformat("1970-01-01T00:00:00Z") + timedelta(microseconds=number * UNIT_NS[unit] // 1000)
    for body in (f"m,store_id=a active=t {number}", f'm,store_id=a active=t,x="a b" {number}'):
        assert polls(read_polls(body.encode(), "line", now=NOW, unit=unit)) == [("a", instant, True)]


def test_unknown_unit() -> None:
    with pytest.raises(InputError, match="there is no precision 'd'; there are: ns, us"):
        read_polls(b"", "line", now=NOW, unit="d")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["ndjson", "line"])
def test_nothing(form: Format) -> None:
    assert read_of("\n", form).read == 0
    assert read_of("[]", "json").read == 0
    assert read_of(body_of("csv", []), "csv").read == 0
