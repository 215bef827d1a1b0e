"""What holds of every SQL step, and of the statements that they make together."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from storemon.engine import pipeline
from storemon.engine.clocks import time_in_states
from storemon.engine.pipeline import HEARD, STATES, name_of
from storemon.lake.duck import connect
from tests.engine.steps import ALL_CHAINS, INPUTS, PARAMS, STEPS, Inputs, Row, parameters, ran, rows_of

Y, N = True, False
MORE_INPUTS = {"cells_of_stores", "offsets", "polls_within_of_all"}
"""What the hour of week and the look back at outages add to the inputs."""
HEADER = r"-- row {4}\S.*\n-- reads {2}(?P<reads>\S.*)\n-- units {2}\S.*\n(--.*\n)*(?=WITH|SELECT|FROM)"
SQL = Path(str(files("storemon.engine").joinpath("sql")))
FILES = sorted(
    file.relative_to(SQL).with_suffix("").as_posix() for file in SQL.rglob("*.sql") if file.parent.name != "audit"
)


def reads(step: str) -> list[str]:
    found = re.match(HEADER, pipeline.step(step))
    assert found, f"{step} has no header of its row, of what it reads, and of the units"
    return found["reads"].split(", ")


def relations_read(step: str) -> list[str]:
    return [name for name in reads(step) if not name.startswith("$")]


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


def test_every_file_is_a_step_of_a_chain() -> None:
    assert {*FILES} == {step for chain in ALL_CHAINS.values() for step in chain}
    assert {*STEPS} == {step for chain in STATES.values() for step in chain}


@pytest.mark.parametrize("step", FILES)
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


@pytest.mark.parametrize("step", FILES)
def test_the_header_tells_what_is_read(step: str) -> None:
    told = reads(step)
    assert {*relations_read(step)} == tables(pipeline.step(step))
    assert {name.removeprefix("$") for name in told if name.startswith("$")} == parameters(pipeline.step(step))


@pytest.mark.parametrize("chain", ALL_CHAINS.values(), ids=ALL_CHAINS)
def test_a_step_reads_earlier_steps_and_inputs_only(chain: tuple[str, ...]) -> None:
    for place, step in enumerate(chain):
        known = {*INPUTS, *MORE_INPUTS, *map(name_of, chain[:place]), *(f"${name}" for name in PARAMS)}
        assert {*reads(step)} <= known, step
    read = {name for step in chain for name in reads(step)}
    assert {*map(name_of, chain[:-1])} <= read
    assert len({*map(name_of, chain)}) == len(chain)


def test_no_input_is_for_nothing() -> None:
    read = {name for chain in ALL_CHAINS.values() for step in chain for name in reads(step)}
    assert {*INPUTS, *(f"${name}" for name in PARAMS)} <= read


@pytest.mark.parametrize("chain", ALL_CHAINS.values(), ids=ALL_CHAINS)
def test_the_statement_has_the_steps_in_order(chain: tuple[str, ...]) -> None:
    sql = pipeline.statement(chain)
    *ctes, last = chain
    if has_ctes_of_its_own := bool(ctes) and "\nWITH " in pipeline.step(last):
        ctes = [*chain]
    assert re.findall(r"^(?:WITH )?(\w+) AS \($", sql, re.MULTILINE)[: len(ctes)] == [*map(name_of, ctes)]
    body = f"FROM {name_of(last)}" if has_ctes_of_its_own else pipeline.step(last)
    assert sql.endswith("\n)\n" * bool(ctes) + body)
    written = "\n".join(line.strip() for line in sql.splitlines())
    bodies = ["\n".join(line.strip() for line in pipeline.step(step).splitlines()) for step in chain]
    assert sorted(bodies, key=written.index) == bodies
    assert tables(sql) == {name for step in chain for name in relations_read(step)} - {*map(name_of, chain)}
    assert len(duckdb.extract_statements(sql)) == 1
    assert pipeline.statement(chain[:1]) == pipeline.step(chain[0])


# Store 1 is open from 105 to 112 and from 118 on; it is seen active at 98 and inactive at 120. Store 2 is always open,
# but for 101 to 103; it is first seen at 125, active, and at 128 once more; not before as-of at 131. The limit is 10.
# Store 3 is in another zone, in which the day (parts 2 and 3) is from 104 to 124, cut at 110; open until 111; active at
# 90 and 100, inactive at 108 and 115.
GIVEN: Inputs = {
    "polls_before": [(1, 98, Y), (3, 90, Y), (3, 100, Y)],
    "polls_within": [(1, 120, N), (2, 125, Y), (2, 128, Y), (2, 131, N), (3, 108, N), (3, 115, N)],
    "stores": [(1, 0, 98, Y), (2, 0, 125, Y), (3, 1, 90, Y)],
    "windows": [(0, 0, 120, 130), (1, 0, 100, 130), (2, 1, 104, 110), (3, 1, 110, 124)],
    "open_intervals": [(1, 105, 112, 0), (1, 118, 130, 7), (2, 100, 101, 0), (2, 103, 130, 1), (3, 90, 111, 0)],
    "excluded_intervals": [(2, 101, 103, 0), (3, 108, 109, 0), (3, 120, 130, 1)],
}
ANSWERS: dict[str, list[Row]] = {
    "carry": [
        # From 120 on: ten open microseconds, all inactive.
        (0, 1, 10, 0, 10, 0),
        # From 115, one limit before the first poll, it is active: all the time from 120 on.
        (0, 2, 10, 10, 0, 0),
        # Active until 108, of that open from 105; unknown until 112, and from 118 to 120; then the ten.
        (1, 1, 19, 3, 10, 6),
        (1, 2, 28, 15, 0, 13),
        # Active until 108, and inactive from there on; it closes at 111.
        (2, 3, 6, 4, 2, 0),
        (3, 3, 1, 0, 1, 0),
    ],
    "nearest": [
        # The polls at 98 and 120 are more than two limits apart: 98 is believed until 108, 120 from 110 on.
        (0, 1, 10, 0, 10, 0),
        (0, 2, 10, 10, 0, 0),
        # Active from 105 to 108, inactive from 110 to 112 and from 118.
        (1, 1, 19, 3, 14, 2),
        (1, 2, 28, 15, 0, 13),
        # Half way from 100 to 108 the store goes down.
        (2, 3, 6, 0, 6, 0),
        (3, 3, 1, 0, 1, 0),
    ],
    "certain": [
        # One poll each in its state: nothing is certain.
        (0, 1, 10, 0, 0, 10),
        # Between 125 and 128.
        (0, 2, 10, 3, 0, 7),
        (1, 1, 19, 0, 0, 19),
        (1, 2, 28, 3, 0, 25),
        # From 108 to 115 it is down for certain, and open until 111.
        (2, 3, 6, 0, 2, 4),
        (3, 3, 1, 0, 1, 0),
    ],
}


def figures(changes: pl.DataFrame) -> list[Row]:
    """Tell the time in each state in each part that a store has."""
    schemas = {name: {**INPUTS[name]} for name in ("windows", "stores", "open_intervals")}
    windows, stores, opened = (pl.DataFrame(GIVEN[name], schema, orient="row") for name, schema in schemas.items())
    parts = windows.join(stores, on="zone_key")
    return parts.select("part", "store_key").hstack(time_in_states(parts, opened, changes)).sort(pl.all()).rows()


@pytest.mark.parametrize("policy", STATES)
def test_the_steps_one_by_one_and_all_at_once_give_the_same(policy: str) -> None:
    known, steps = dict(GIVEN), STATES[policy]
    for step in steps:
        known[name_of(step)] = rows_of(step, {name: known[name] for name in relations_read(step)})
    changes = ran(pipeline.statement(steps), GIVEN)
    assert changes.rows() == known["changes"]
    assert figures(changes) == ANSWERS[policy]


def test_polls_are_told_by_stretches_of_one_length() -> None:
    polls = [(1, at, Y) for at in (100, 101, 109, 110, 119, 125, 131)] + [(2, 115, N)]
    answer = ran(pipeline.statement(HEARD), {"polls_within": polls})
    # The first lies at the horizon, and the last is too late; 109 and 110 lie in stretches of their own.
    assert answer.rows() == [(1, 101, 109), (1, 110, 119), (1, 125, 125), (2, 115, 115)]
