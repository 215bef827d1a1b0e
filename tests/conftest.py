"""What tests of the real command share."""

import atexit
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

import pytest

from tests import examples  # noqa: F401 - its profile is that of every test
from tests.postgres import MISSING, Postgres, programs
from tests.users import ordinary_user

zoneinfo.reset_tzpath(to=())  # the tests judge by the tzdata package, as the product does
COMMAND = (sys.executable, "-m", "storemon")


def _end() -> None:
    """End the process before Python takes it apart: DuckDB's binding would tell of every object that others still hold.

    What is to be done at the end, and to be printed, has been done by then. One of several processes ends by itself,
    and is only quiet about it.
    """
    if OF_SEVERAL:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        return
    if _status is None:  # no test was asked for, and nothing is held: pytest has a status of its own
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(_status)


OF_SEVERAL = "PYTEST_XDIST_WORKER" in os.environ
_status: int | None = None
atexit.register(_end)  # before others are, so that it is called after them


def pytest_xdist_auto_num_workers() -> int:
    """Run more tests at once than there are processors: many wait for a process, or for a clock."""
    return (os.cpu_count() or 1) * 3 // 2 or 1


def pytest_sessionfinish(exitstatus: int) -> None:
    global _status  # noqa: PLW0603 - of the process
    _status = int(exitstatus)


class Ran(NamedTuple):
    status: int
    out: bytes
    err: str


class Storemon(Protocol):
    """Runs ``storemon`` with arguments, in a folder of its own; ``STOREMON_*`` are only those that are given."""

    def __call__(self, *args: str | Path, **variables: str) -> Ran: ...


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("STOREMON_")}
    return inherited | {"COLUMNS": "200"} | variables


def ended_in(folder: Path, *args: str | Path, **variables: str) -> Ran:
    ended = subprocess.run(
        [*COMMAND, *args], cwd=folder, env=environment(**variables), capture_output=True, timeout=60, check=False
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr.decode())


def storemon_in(folder: Path) -> Storemon:
    def run(*args: str | Path, **variables: str) -> Ran:
        ran = ended_in(folder, *args, **variables)
        assert "Traceback" not in ran.err, ran.err
        return ran

    return run


@pytest.fixture
def storemon(tmp_path: Path) -> Storemon:
    return storemon_in(tmp_path)


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``storemon`` has written a sample, ``data``, and laid it into the lake ``parquet``."""
    folder = tmp_path_factory.mktemp("sampled")
    assert storemon_in(folder)("sample", "data", "--stores", "8", "--days", "9").status == 0
    assert storemon_in(folder)("ingest").status == 0
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with Postgres() as server:
        yield server


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that ordinary users can get at, unlike those that pytest makes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with ordinary_user():
            reachable = os.access(folder, os.R_OK, effective_ids=True)
        if not reachable:
            pytest.skip("ordinary users can't get at this machine's temporary folder")
        yield folder
