"""What the work may take: memory and threads."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Storemon, environment, storemon_in

TAKEN = """
from storemon.cli import main
import sys
sys.argv = ["storemon", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code
import polars
from storemon.lake.duck import connect
with connect() as con:
    print(polars.thread_pool_size(), *con.execute("SELECT current_setting('threads')").fetchone())
"""


@pytest.mark.parametrize(
    ("options", "variables", "taken"),
    [
        (["--threads", "1"], {}, "1 1"),
        ([], {"STOREMON_THREADS": "1"}, "1 1"),
        (["--threads", "3"], {"STOREMON_THREADS": "1"}, "3 3"),
    ],
)
def test_polars_and_duckdb_take_so_many_threads(
    sampled: Path, options: list[str], variables: dict[str, str], taken: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TAKEN, "report", *options],
        cwd=sampled,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == taken


def test_an_answer_is_the_same_in_little_memory(sampled: Path) -> None:
    storemon = storemon_in(sampled)
    for command in ("report", "outages", "hour-of-week", "stores"):
        assert storemon(command, "--memory", "1B").out == storemon(command).out
    assert storemon("report", STOREMON_MEMORY="1B").out == storemon("report").out
    assert storemon("ingest", "--memory", "1MiB", "--lake", "another").status == 0
    assert storemon("report", "--lake", "another").out == storemon("report").out


@pytest.mark.parametrize(
    ("options", "variables", "message"),
    [
        (["--memory", "3"], {}, "--memory=3: '3' is not a size; write it like 2GiB, 512MiB, 1.5GB or 50%"),
        ([], {"STOREMON_MEMORY": "lots"}, "STOREMON_MEMORY=lots: 'lots' is not a size"),
        (["--threads", "-1"], {}, "--threads=-1: Expected `int` >= 0"),
        ([], {"STOREMON_THREADS": "x"}, "STOREMON_THREADS=x: Expected `int`, got `str`"),
    ],
)
@pytest.mark.parametrize("command", ["report", "ingest"])
def test_what_cannot_be_taken(
    storemon: Storemon, command: str, options: list[str], variables: dict[str, str], message: str
) -> None:
    told = storemon(command, *options, **variables)
    assert (told.status, told.out) == (2, b"")
    assert told.err.startswith(f"storemon: {message}")
