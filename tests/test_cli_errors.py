"""The real command where something is amiss: what it says on standard error, and that it says nothing else."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import COMMAND, ended_in, environment, storemon_in

POLLS = "store_id,status,timestamp_utc\n"
GOOD, BAD = "a,active,2024-10-14 00:00:00 UTC\n", "a,maybe,2024-10-14 00:00:00 UTC\n"


@pytest.fixture(scope="session")
def messy(sampled: Path) -> Path:
    """What there is to stumble over, beside the sample."""
    (sampled / "folder").mkdir()
    files = {
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 9,
        "short.csv": b"store_id,status\na,active\n",
        "half.csv": (POLLS + GOOD + BAD).encode(),
        "bad.csv": (POLLS + BAD).encode(),
        "file": b"",
    }
    for name, content in files.items():
        (sampled / name).write_bytes(content)
    return sampled


def times_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


SAID_OF = {
    "bogus": 'Unknown command "bogus"',
    "report --bogus": "Unknown option: --bogus",
    "report extra": "Unused Tokens: ['extra']",
    "report --lake nowhere": "/nowhere has no polls yet; load some with: storemon ingest DATA_DIR",
    "report --lake file": "/file",
    "report --lake 100%": "100%: a lake's path cannot contain '%'; choose another folder",
    "report --as-of nonsense": "'nonsense' is not an instant; write it like 2024-10-14T23:55:18Z",
    "report --as-of=": "'' is not an instant",
    "report --as-of 9999-12-31T23:59:59-12:00": "is not an instant",
    "report --carry-limit nonsense": "--carry-limit=nonsense: 'nonsense' is not a duration; write it like 7d,",
    "report --carry-limit 0d": "--carry-limit=0d: '0d' is no time at all; a duration must be longer than zero",
    "report --carry-limit 9999999999d": "is too long a duration; it may be at most 999999999 days",
    "report --out .": "--out . is a folder; name the file to write, like report.csv",
    "report --out nowhere/report.csv": "nowhere/report.csv: the report cannot be written: No such file or directory",
    "report --out file/report.csv": "file/report.csv: the report cannot be written: Not a directory",
    "report --out report.xls": "--out report.xls: there is no form '.xls'; let it end in .csv, .json, .ndjson, .par",
    "ingest nowhere": "nowhere does not exist; check the name (storemon sample DIR writes samples)",
    "ingest folder": "folder has no store_status.csv; to load another file alone, name it:",
    "ingest empty.csv": "empty.csv is empty; its first line must name the columns",
    "ingest binary.csv": "binary.csv is not a CSV",
    "ingest short.csv": "short.csv has no column ",
    "ingest half.csv --strict": "1 rows cannot be read, so nothing was changed (leave out --strict to load the rest)",
    "ingest data --lake file": "/file",
    "sample": "name one place for the sample: a folder for CSVs, or a new lake with --lake",
    "sample new --lake parquet": "name one place for the sample",
    "sample --lake parquet": "/parquet: the lake has tags, zones, hours, polls already, and a sample needs a new one;",
    "sample --lake new --stores 0": "stores must be at least 1, not 0",
    "sample --lake file/new": "/file/new",
    "sample new --stores 0": "stores must be at least 1, not 0",
    "sample new --stores 99999999999999999999": 'Invalid value "99999999999999999999" for --stores',
    "sample new --days 40000": 'Invalid value "40000" for --days. Must be <= 36525',
    "sample file": "file: the sample cannot be written: File exists",
    "serve --port http": 'unable to convert "http" into int',
}


@pytest.mark.parametrize("line", SAID_OF)
def test_what_cannot_be_done_is_said_in_words(line: str, messy: Path) -> None:
    before = times_of(messy)
    ran = ended_in(messy, *line.split(" "))
    assert times_of(messy) == before, "nothing that is there may change"
    assert (ran.status, ran.out) == (2, b"")
    assert SAID_OF[line] in ran.err
    of_arguments = ran.err.startswith("\u256d\u2500 Error")
    assert of_arguments or ran.err.startswith("storemon: ")
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STOREMON_CARRY_LIMIT", "soon", "STOREMON_CARRY_LIMIT=soon: 'soon' is not a duration"),
        ("STOREMON_PORT", "http", "STOREMON_PORT=http: "),
        ("STOREMON_LAKE", "100%", "a lake's path cannot contain '%'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str, said: str, messy: Path) -> None:
    ran = storemon_in(messy)("report", **{variable: value})
    assert (ran.status, ran.out) == (2, b"")
    assert said in ran.err


def test_a_file_of_which_nothing_can_be_read(messy: Path, tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    ran = storemon_in(messy)("ingest", "bad.csv", "--lake", lake)
    assert ran.status == 2
    assert ran.err == "storemon: not one row could be read, so the lake is unchanged; see: storemon rejected\n"
    assert "1 rows read, 0 added, 0 already there, 1 rejected" in ran.out.decode()
    empty = storemon_in(messy)("report", "--lake", lake)
    assert (empty.status, empty.out) == (2, b"")


@pytest.mark.parametrize("argument", ["report", "ingest"])
def test_whoever_reads_may_have_seen_enough(argument: str, sampled: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, argument], cwd=sampled, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 0


@pytest.mark.parametrize("asked", ["report", "--help"])
@pytest.mark.parametrize(("shell", "status"), [('"$@" | head -n 1', 0), ('"$@" > /dev/full', 2), ('"$@" >&-', 0)])
def test_standard_output_may_be_anything(asked: str, shell: str, status: int, sampled: Path) -> None:
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell, "bash", *COMMAND, asked],
        cwd=sampled,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == status
    assert ended.stderr == ("storemon: [Errno 28] No space left on device\n" if status else "")


def test_a_bar_is_drawn_on_a_terminal(sampled: Path) -> None:
    master, terminal = pty.openpty()
    ended = subprocess.run(
        [*COMMAND, "ingest"],
        cwd=sampled,
        env=environment(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=False,
    )
    os.close(terminal)
    drawn = os.read(master, 100_000)
    os.close(master)
    assert ended.returncode == 0
    assert b"reading data/store_status.csv" in drawn
    assert b"Traceback" not in drawn


def test_an_interrupt_within_a_query_is_none_either(tmp_path: Path) -> None:
    program = """
import os, signal, threading
from storemon.cli import app, process
from storemon.lake.duck import connect, rows_of

def run():
    with connect() as con:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        rows_of(con, "SELECT count(*) FROM range(1_000_000_000_000) WHERE hash(range) = 0", {})

app.run = run
process()
"""
    # With one thread the query is that of the main one; while it waits for others, DuckDB looks for no signals.
    ended = subprocess.run(
        [sys.executable, "-c", program, "report"],
        cwd=tmp_path,
        env=environment(POLARS_MAX_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (130, "storemon: interrupted\n")


def test_an_interrupt_is_no_traceback(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "sample", "data", "--days", "3650"], cwd=tmp_path, stderr=subprocess.PIPE
    ) as running:
        while not [*tmp_path.glob("data/*")]:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        assert running.stderr
        assert running.stderr.read() == b"storemon: interrupted\n"
        assert running.wait(60) == 130
