"""Whole processes of the command, against one that does nothing but import the two libraries that do the work."""

import subprocess
import sys
from pathlib import Path
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.pairs import Pairs, in_turns
from benchmarks.rows import Row

IMPORTS = (sys.executable, "-c", "import duckdb, polars")
REFERENCE = "a process that imports DuckDB and Polars"
MIB = 1 << 20
_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "storemon", *arguments)


def compared(benchmark: BenchmarkFixture, *arguments: str) -> Pairs:
    """Time a process and one of the imports in turns."""

    def run(*process: str) -> None:
        subprocess.run(process, check=True, capture_output=True)

    (pairs,) = in_turns(benchmark, lambda: run(*command(*arguments)), lambda: run(*IMPORTS), rounds=11)
    return pairs


def peak_memory(*process: str) -> int:
    """Run a process, and tell how many bytes of memory it had at its height.

    It is the child of a small process: one that is started by a large one counts as large before it begins.
    """
    told = subprocess.run((sys.executable, "-c", _PEAK, *process), check=True, capture_output=True, text=True).stdout
    return int(told) * 1024


def test_report(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, lake: Path) -> None:
    arguments = ("report", "--lake", str(lake), "--out", str(workspace / "report.csv"))
    rows.append(compared(benchmark, *arguments).row(88, "a whole process of storemon report", REFERENCE, at_most=1.6))
    peak = median(peak_memory(*command(*arguments)) for _ in range(5)) / MIB
    rows.append(Row(89, "its peak memory", f"{peak:.0f} MiB", must_be="≤ 190 MiB", met=peak <= 190))


def test_help(benchmark: BenchmarkFixture, rows: list[Row]) -> None:
    pairs = compared(benchmark, "--help")
    rows.append(pairs.row(90, "a whole process of storemon --help", REFERENCE, at_most=0.35))
