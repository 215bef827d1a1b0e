"""What holds of every SQL step, and of the statement that they make together."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import duckdb
import pytest

from storemon.engine import pipeline
from storemon.engine.pipeline import FIGURES
from storemon.lake.duck import connect
from tests.engine.steps import INPUTS, PARAMS, STEPS, Inputs, parameters, ran, rows_of

Y, N = True, False
HEADER = r"-- row {4}\S.*\n-- reads {2}(?P<reads>\S.*)\n-- units {2}\S.*\n(--.*\n)*(?=WITH|SELECT|FROM)"


def reads(step: str) -> list[str]:
    found = re.match(HEADER, pipeline.step(step))
    assert found, f"{step} has no header of its row, of what it reads, and of the units"
    return found["reads"].split(", ")


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from nodes(part)


def tables(sql: str) -> set[str]:
    """Ask DuckDB which relations a statement reads and doesn't define itself."""
    with connect() as con:
        (parsed,) = con.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ()
    tree = json.loads(parsed)
    assert not tree["error"], tree["error_message"]
    read = {node["table_name"] for node in nodes(tree) if node.get("type") == "BASE_TABLE"}
    return read - {cte["key"] for node in nodes(tree) for cte in node.get("cte_map", {"map": []})["map"]}


def test_every_file_is_a_step() -> None:
    found = {file.name for file in files("storemon.engine").joinpath("sql").iterdir() if file.is_file()}
    assert found == {f"{step}.sql" for step in FIGURES} == {f"{step}.sql" for step in STEPS}


@pytest.mark.parametrize("step", FIGURES)
def test_a_step_is_one_short_select(step: str) -> None:
    sql = pipeline.step(step)
    assert len(sql.splitlines()) < 45
    assert not [line for line in sql.splitlines() if len(line) > 120 or line != line.rstrip()]
    (statement,) = duckdb.extract_statements(sql)
    assert statement.type == duckdb.StatementType.SELECT
    words = set(re.findall(r"[a-z_]+", re.sub(r"--.*", "", sql)))
    assert not words & {
        "select",
        "from",
        "where",
        "join",
        "group",
        "order",
        "by",
        "union",
        "case",
        "when",
        "as",
        "and",
        "over",
    }


@pytest.mark.parametrize("step", FIGURES)
def test_the_header_tells_what_is_read(step: str) -> None:
    told = reads(step)
    assert {name for name in told if not name.startswith("$")} == tables(pipeline.step(step))
    assert {name.removeprefix("$") for name in told if name.startswith("$")} == parameters(pipeline.step(step))


def test_a_step_reads_earlier_steps_and_inputs_only() -> None:
    for place, step in enumerate(FIGURES):
        known = {*INPUTS, *FIGURES[:place], *(f"${name}" for name in PARAMS)}
        assert set(reads(step)) <= known, step
    read = {name for step in FIGURES for name in reads(step)}
    assert read == {*INPUTS, *FIGURES[:-1], *(f"${name}" for name in PARAMS)}


def test_the_statement_has_the_steps_in_order() -> None:
    sql = pipeline.statement(FIGURES)
    assert tuple(re.findall(r"^(?:WITH )?(\w+) AS \($", sql, re.MULTILINE)) == FIGURES[:-1]
    assert sql.endswith(f"\n)\n{pipeline.step(FIGURES[-1])}")
    written = "\n".join(line.strip() for line in sql.splitlines())
    bodies = ["\n".join(line.strip() for line in pipeline.step(step).splitlines()) for step in FIGURES]
    assert sorted(bodies, key=written.index) == bodies
    assert tables(sql) == {*INPUTS}
    assert len(duckdb.extract_statements(sql)) == 1
    assert pipeline.statement(FIGURES[:1]) == pipeline.step(FIGURES[0])


# Store 1 is open from 105 to 112 and from 118 on; it is seen active at 98 and inactive at 120. Store 2 is always open;
# it is first seen at 125, active. The limit is 10.
GIVEN: Inputs = {
    "polls_before": [(1, 98, Y)],
    "polls_within": [(1, 120, N), (2, 125, Y), (2, 131, N)],
    "stores": [(1, 98, Y), (2, 125, Y)],
    "windows": [("hour", 120, 130), ("week", 100, 130)],
    "open_intervals": [(1, 105, 112, 0), (1, 118, 130, 7), (2, 100, 130, 0)],
}
ANSWER = [
    # From 120 on: ten open microseconds, all inactive.
    ("hour", 1, 10, 0, 10, 0),
    # From 115, one limit before the first poll, it is active: five and five before and after it.
    ("hour", 2, 10, 10, 0, 0),
    # Active until 108, of that open from 105; unknown until 112, and from 118 to 120; then the ten.
    ("week", 1, 19, 3, 10, 6),
    ("week", 2, 30, 15, 0, 15),
]


def test_the_steps_one_by_one_and_all_at_once_give_the_same() -> None:
    known = dict(GIVEN)
    for step in FIGURES:
        known[step] = rows_of(step, {name: known[name] for name in reads(step) if not name.startswith("$")})
    assert known[FIGURES[-1]] == ANSWER
    assert ran(pipeline.statement(FIGURES), GIVEN).rows() == ANSWER
