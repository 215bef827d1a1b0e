"""What a body may not have: ids that nobody could ask about, more than is read at a time, a thing said twice."""

import json
from typing import get_args

import pyarrow as pa
import pytest

from storemon import InputError
from storemon.intake.pushed.polls import LONGEST_ID
from storemon.intake.pushed.reading import Format, read_one, read_polls
from storemon.questions.options import LONGEST
from tests.intake.pushed.bodies import NOW, body_of, polls, read_of, rejects, with_care

FORMS: tuple[Format, ...] = get_args(Format)
AT = "2024-10-03T23:33:20Z"
TOO_LONG = "store_id has more than 500 characters"
CONTROLS = "store_id has a control character in it, such as the end of a line"


def at_of(form: Format) -> str:
    return "1727998400000000000" if form == "line" else AT


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("store_id", "reason"), [("é" * 501, TOO_LONG), ("a\x1bb", CONTROLS), ("a\x85", CONTROLS)])
def test_ids_that_are_not_taken(form: Format, store_id: str, reason: str) -> None:
    body = body_of(form, [(store_id, "active", at_of(form)), ("é" * 500, "active", at_of(form))])
    read = read_of(body, form)
    assert [row[2] for row in rejects(read)] == [reason]
    assert read.polls["store_id"].to_list() == ["é" * 500]
    with with_care():
        assert read_of(body, form).rejected.equals(read.rejected)


@pytest.mark.parametrize("store_id", ["a" * 501, "a\n", "\0", "a\rb"])
def test_one_that_is_not_taken(store_id: str) -> None:
    body = json.dumps({"store_id": store_id, "status": "active", "timestamp_utc": AT}).encode()
    assert read_one(body, NOW) is None
    assert len(rejects(read_of(body, "json"))) == 1


def test_what_is_taken_can_be_asked_about() -> None:
    assert LONGEST_ID == LONGEST


@pytest.mark.parametrize("form", FORMS)
def test_so_many_rows_and_no_more(form: Format) -> None:
    body = body_of(form, [(f"s{n}", "active", at_of(form)) for n in range(4)])
    assert len(polls(read_polls(body, form, now=NOW, most_rows=4))) == 4
    with pytest.raises(InputError, match="it holds more than 3 polls; send less at once"):
        read_polls(body, form, now=NOW, most_rows=3)
    assert read_of(body, form).read == 4


def test_rubbish_is_counted_as_well() -> None:
    bodies: dict[Format, bytes] = {
        "json": b"[0,0,0,0]",
        "ndjson": b"0\n" * 4,
        "csv": b"store_id,status,timestamp_utc\r" + b",,\r" * 4,
        "arrow": stream(["store_id", "status", "timestamp_utc"], pa.nulls(4)),
        "line": b"#\n" * 4,
    }
    for form, body in bodies.items():
        with pytest.raises(InputError, match="more than 3 polls"):
            read_polls(body, form, now=NOW, most_rows=3)
        read_polls(body, form, now=NOW, most_rows=4)


def stream(names: list[str], values: pa.Array) -> bytes:
    table, sink = pa.Table.from_arrays([values] * len(names), names=names), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


MANY_NAMES = [*(f"x{n}" for n in range(998)), "store_id", "status", "timestamp_utc"]


def test_so_many_columns_and_no_more() -> None:
    for body, form in ((",".join(MANY_NAMES), "csv"), (stream(MANY_NAMES, pa.array(["x"])), "arrow")):
        with pytest.raises(InputError, match="more than 1,000 of them"):
            read_of(body, form)  # type: ignore[arg-type]
    members = dict.fromkeys(MANY_NAMES, 1) | {"store_id": "a", "status": "active", "timestamp_utc": AT}
    (row,) = rejects(read_of(json.dumps(members), "json"))
    assert row[2] == "there are more than 1,000 of them; send less"
    assert read_of(json.dumps({name: members[name] for name in MANY_NAMES[1:]}), "json").polls.height == 1


@pytest.mark.parametrize("other", ["store", "Store ID", "shop_id"])
@pytest.mark.parametrize("space", ["", " "])
def test_a_column_s_own_name_is_the_one_that_counts(other: str, space: str) -> None:
    """As in a CSV: another name may be that of something else there, like a state of the United States."""
    row = f'{{"{other}"{space}:"b","store_id":"a","status":"active","state":"CA","timestamp_utc":"{AT}"}}'
    for form in ("json", "ndjson"):
        assert read_of(row, form).polls["store_id"].to_list() == ["a"]


@pytest.mark.parametrize("one", ["store", "Store ID"])
def test_members_of_which_either_could_count(one: str) -> None:
    row = f'{{"{one}":"a","shop_id":"b","status":"active","timestamp_utc":"{AT}"}}'
    for form in ("json", "ndjson"):
        (found,) = rejects(read_of(row, form))
        assert (
            found[2] == f"{one} and shop_id are names of store_id, and nobody can tell which counts; send one of them"
        )


def test_further_members_do_not_matter() -> None:
    row = json.dumps({"store_id": "a", "note": "store", "status": "active", "timestamp_utc": AT}).encode()
    assert read_one(row, NOW) is not None


@pytest.mark.parametrize(
    "names", [["store_id", "store_id", "status", "timestamp_utc"], ["store", "shop", "status", "ts"]]
)
def test_columns_of_which_either_could_count(names: list[str]) -> None:
    for body, form in ((",".join(names), "csv"), (stream(names, pa.array(["x"])), "arrow")):
        with pytest.raises(InputError, match=f"{names[0]} and {names[1]} are names of store_id, and nobody can tell"):
            read_of(body, form)  # type: ignore[arg-type]
