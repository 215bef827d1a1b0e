"""The real command: what it prints and what it writes."""

import json
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

import storemon as package
from storemon.cli.app import EXAMPLES
from storemon.cli.overview import COMMANDS
from storemon.engine.measures import MEASURES
from storemon.engine.pipeline import STATES, statement
from storemon.units.zones import EDITION
from tests.conftest import Storemon, storemon_in
from tests.engine.steps import Inputs
from tests.engine.steps import ran as ran_by_hand

HEADER = (
    b"store_id,uptime_last_hour,uptime_last_day,uptime_last_week,downtime_last_hour,downtime_last_day,"
    b"downtime_last_week\n"
)


@pytest.fixture
def command(sampled: Path) -> Storemon:
    return storemon_in(sampled)


def test_sample_and_ingest_say_what_they_did(storemon: Storemon, tmp_path: Path) -> None:
    written = storemon("sample", "data", "--stores", "2", "--days", "1", "--seed", "7")
    assert (written.status, written.err) == (0, "")
    polls = len((tmp_path / "data" / "store_status.csv").read_bytes().splitlines()) - 1
    stores = len((tmp_path / "data" / "stores.csv").read_bytes().splitlines()) - 1
    assert written.out.decode().startswith(f"data: {polls} polls, ")
    assert f" time zones, {stores} stores in " in written.out.decode()
    for added, known in ((polls, 0), (0, polls)):
        ingested = storemon("ingest", "data", "--lake", "elsewhere")
        assert (ingested.status, ingested.err) == (0, "")
        tables = ingested.out.decode().splitlines()
        assert [line.split()[0] for line in tables] == ["tags", "zones", "hours", "polls", "WEAK:"]
        assert tables[4].startswith("WEAK: 1 of 2 polled stores has no time zone and counts as in America/Chicago (")
        assert f" {polls} rows read, {added} added, {known} already there, 0 rejected, " in tables[3]
    assert (tmp_path / "elsewhere" / "polls").is_dir()


def test_sample_goes_into_a_lake_without_csvs(storemon: Storemon, tmp_path: Path) -> None:
    written = storemon("sample", "--lake", "lake", "--stores", "2", "--days", "1", "--seed", "7", "--hourly")
    assert (written.status, written.err) == (0, "")
    assert written.out.decode().startswith("lake: 48 polls, ")
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}


def test_a_report_in_every_form(command: Storemon, sampled: Path, tmp_path: Path) -> None:
    printed = command("report")
    assert printed.status == 0
    assert printed.err == ""
    assert printed.out.startswith(HEADER)
    assert printed.out.count(b"\n") == 9
    exact = package.report(package.Lake(sampled / "parquet"))
    for name in ("out.csv", "out", "out.PARQUET", "out.json"):
        told = command("report", "--out", tmp_path / name, *(["--wide"] if name == "out.json" else []))
        assert told.status == 0
        assert told.out.decode().startswith(
            f"{tmp_path / name}: 8 stores as of 2024-10-14 23:55:18.727055+00:00, zone data {EDITION}, in "
        )
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "out").read_bytes() == printed.out
    assert pl.read_parquet(tmp_path / "out.PARQUET").equals(exact.drop(pl.selectors.starts_with("unknown_")))
    rows = json.loads((tmp_path / "out.json").read_text())
    assert [tuple(row) for row in rows] == [tuple(exact.columns)] * 8
    assert rows[0]["unknown_last_week"] == exact["unknown_last_week"][0] // timedelta(microseconds=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.PARQUET", "out.csv", "out.json"]


def test_a_device_takes_what_standard_output_takes(command: Storemon, tmp_path: Path) -> None:
    printed = command("report").out
    there = command("report", "--out", "/dev/stdout").out
    assert there.startswith(printed)
    assert there[len(printed) :].startswith(b"/dev/stdout: 8 stores as of ")
    assert command("report", "--out", "/dev/null").status == 0
    assert not [*tmp_path.iterdir()]


def test_as_of_and_carry_limit(command: Storemon) -> None:
    usual = command("report")
    sooner = command("report", "--as-of", "2024-10-10T06:00:00Z")
    assert sooner == command("report", "--as-of", "2024-10-10 08:00+02:00")
    limited = command("report", "--carry-limit", "10m")
    assert limited == command("report", STOREMON_CARRY_LIMIT="600s")
    assert len({usual.out, sooner.out, limited.out}) == 3
    assert command("report", "--carry-limit=1w", STOREMON_CARRY_LIMIT="10m") == usual


def test_no_store_was_polled_yet(command: Storemon) -> None:
    before = command("report", "--as-of", "2024-10-01")
    assert (before.status, before.out) == (0, HEADER)
    assert (
        before.err == "storemon: no store was polled at or before 2024-10-01 00:00:00+00:00; the report has no rows\n"
    )


def test_the_ends_of_time(command: Storemon) -> None:
    assert command("report", "--as-of", "0001-01-01").out == HEADER
    last = command("report", "--as-of", "9999-12-31T23:59:59.999999", "--carry-limit", "999999999d")
    assert last.out.count(b"\n") == 9


def test_environment_tells_where_the_lake_is(sampled: Path, storemon: Storemon) -> None:
    there = str(sampled / "parquet")
    assert storemon("report", STOREMON_LAKE=there).out == storemon("report", "--lake", there).out != b""
    assert storemon("report", "--lake", there, STOREMON_LAKE="nowhere").status == 0
    assert storemon("report", STOREMON_LAKE="").status == 2


def test_rejected_rows_are_listed(storemon: Storemon, tmp_path: Path) -> None:
    assert storemon("rejected", "--count") == (0, b"0\n", "")
    bad = "Z\u00fcrich,maybe,2024-10-14 00:00:00 UTC"
    (tmp_path / "polls.csv").write_text(f"store_id,status,timestamp_utc\na,active,2024-10-14 00:00:00 UTC\n{bad}\n")
    ingested = storemon("ingest", "polls.csv")
    assert ingested.status == 0
    assert "1 added, 0 already there, 1 rejected" in ingested.out.decode()
    line = f"polls.csv:3: status is neither active nor inactive: {bad}\n"
    assert line in ingested.out.decode()
    assert storemon("rejected") == (0, line.encode(), "")
    assert storemon("rejected", "--count") == (0, b"1\n", "")
    assert storemon("rejected", PYTHONIOENCODING="ascii").out == line.replace("\u00fc", "\\xfc").encode()


def test_the_printed_statement_is_the_one_that_runs(storemon: Storemon) -> None:
    printed = storemon("sql").out.decode()
    assert printed == statement(STATES["carry"]) + "\n"
    inputs: Inputs = {
        "polls_before": [(1, 95, True)],
        "polls_within": [(1, 120, False)],
        "stores": [(1, 0, 95, True)],
    }
    # Active until 105, one limit after the poll at 95; inactive from 120 on, for longer than is looked at.
    changes = [(1, 95, None, True), (1, 105, True, None), (1, 120, None, False), (1, 130, False, None)]
    assert ran_by_hand(printed, inputs).rows() == changes


def test_the_overview_tells_what_the_commands_tell() -> None:
    commands = [
        getattr(import_module(f"storemon.cli.{module}"), name)
        for module, name in (path.split(":") for path in EXAMPLES)
    ]
    told = {command.__name__.replace("_", "-"): command.__doc__.partition("\n")[0] for command in commands}
    assert list(told.items()) == list(COMMANDS.items())


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), *((name, "--help") for name in COMMANDS)])
def test_help(arguments: tuple[str, ...], storemon: Storemon) -> None:
    told = storemon(*arguments)
    assert (told.status, told.err) == (0, "")
    usage = f"Usage: storemon {arguments[0]}" if arguments and arguments[0] in COMMANDS else "Usage: storemon COMMAND"
    assert told.out.decode().startswith(usage)
    if not usage.endswith("COMMAND"):
        examples = told.out.decode().split("\nExamples:")[1]
        assert len(re.findall(rf"^ *storemon {arguments[0]}\b", examples, re.MULTILINE)) == 2
        return
    for name in COMMANDS:
        assert f" {name} " in told.out.decode()


def test_help_names_every_measure(storemon: Storemon) -> None:
    told = " ".join(storemon("report", "--help").out.decode().replace("\u2502", " ").split())
    assert f"there are {', '.join([*MEASURES][:-1])} and {[*MEASURES][-1]}." in told


def test_version(storemon: Storemon) -> None:
    assert storemon("--version") == (0, b"0.1.0\n", "")
