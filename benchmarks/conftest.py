"""The lakes that are measured, made once for each run, and the table at its end."""

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

import duckdb
import polars as pl
import pytest
from tests.conftest import pytest_sessionfinish  # noqa: F401 - the end of a run is that of the tests

import storemon
from benchmarks.rows import Row, table
from benchmarks.scans import files_between
from storemon.sample import NEWEST_AT, write_sample

STORES, DAYS, LONG_DAYS = 3678, 60, 600
_ROWS = pytest.StashKey[list[Row]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []
    config.option.benchmark_quiet = True  # one table, ours


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_ROWS]
    if not rows:
        return
    terminalreporter.section(f"{STORES:,} stores, {DAYS} days", sep="-")
    for line in table(rows):
        terminalreporter.write_line(line)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "deltalake", "numpy"))
    terminalreporter.write_line(
        "\nTimes are medians. What is compared is timed in turns; a ratio is the median of the rounds' ratios.\n"
        f"{cpu_count()} processors, Python {platform.python_version()}, {libraries}."
    )


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> list[Row]:
    """Collect the lines of the table."""
    return pytestconfig.stash[_ROWS]


@pytest.fixture(scope="session")
def workspace() -> Iterator[Path]:
    """Give a folder that is gone after the run."""
    with tempfile.TemporaryDirectory(prefix="storemon-benchmarks-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def data(workspace: Path) -> Path:
    """Write the sample's CSVs."""
    folder = workspace / "data" / "sample"
    write_sample(folder, stores=STORES, days=DAYS, seed=1)
    return folder


@pytest.fixture(scope="session")
def lake(workspace: Path, data: Path) -> Path:
    """Make the lake of the sample."""
    return _ingested(data, workspace / "lake")


@pytest.fixture(scope="session")
def long_lake(workspace: Path) -> Iterator[Path]:
    """Make the lake of the same stores with ten times the history."""
    folder = workspace / "long"
    write_sample(folder / "data", stores=STORES, days=LONG_DAYS, seed=1)
    lake = _ingested(folder / "data", folder / "lake")
    shutil.rmtree(folder / "data")
    yield lake
    shutil.rmtree(folder)


@pytest.fixture
def report(lake: Path) -> Callable[[], pl.DataFrame]:
    """Make the report, from a lake on disk to a frame."""
    return lambda: storemon.report(storemon.Lake(lake))


@pytest.fixture(scope="session")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the DuckDB that scans."""
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def week_files(lake: Path) -> list[str]:
    """List the files that the report reads: of the longest window and the carry limit before it."""
    return files_between(lake, (NEWEST_AT - timedelta(days=14)).date(), NEWEST_AT.date())


def _ingested(data: Path, lake: Path) -> Path:
    """Load a folder in a process of its own, so that this one stays as small as a report needs it."""
    subprocess.run(
        [sys.executable, "-m", "storemon", "ingest", str(data), "--lake", str(lake)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return lake
