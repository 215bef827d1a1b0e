"""The lakes and CSVs that are measured at scale, made once and kept while their folder is, and what they take."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import storemon
from benchmarks.measured import measured
from benchmarks.measured import storemon as command
from benchmarks.rows import duration
from storemon.sample import write_sample

REAL = 3_678
"""Stores of the sample."""

SMALLER = 27.19
"""So many times fewer stores tell the time per store: 36,780 of a million."""

LONG_DAYS = 3_650
CSV_DAYS = (60, 600)
TINY = 10
"""Stores of a lake whose report takes as long as storemon needs to start."""

# As measured: hourly polls and those of the sample, made on two cores; bytes in the lake and in a CSV.
_HOURLY_SECONDS, _SECONDS, _POLL_BYTES, _ROW_BYTES, _STORE_BYTES = 0.3e-6, 1e-6, 9, 75, 400
_POLLS_A_DAY = 8.4
_RUN_SECONDS = 30e-6  # a report, for each store


@dataclass(frozen=True)
class Scale:
    """The lakes of a run in one folder, for so many stores."""

    folder: Path
    stores: int

    @property
    def fewer(self) -> int:
        """The stores that the time per store is compared with."""
        return max(TINY, 10 * round(self.stores / SMALLER / 10))

    @property
    def few(self) -> int:
        """The stores of the sample; less than the real ones where a small run shall be a quick one."""
        return min(REAL, max(TINY, self.stores // 10))

    @property
    def needs_bytes(self) -> int:
        """Estimate the disk space that the files of a run take."""
        hourly = (self.stores + self.fewer) * 15 * 24 * _POLL_BYTES + self.stores * (_STORE_BYTES + 3 * _ROW_BYTES)
        days = self.few * _POLLS_A_DAY
        return round(hourly + days * LONG_DAYS * _POLL_BYTES + days * sum(CSV_DAYS) * (_ROW_BYTES + 3 * _POLL_BYTES))

    @property
    def needs_seconds(self) -> float:
        """Estimate the time that a run takes on two cores."""
        hourly = (self.stores + self.fewer) * 15 * 24 * _HOURLY_SECONDS + 7 * self.stores * _RUN_SECONDS
        return 40 + hourly + self.few * _POLLS_A_DAY * (LONG_DAYS + 3 * sum(CSV_DAYS)) * _SECONDS

    def hourly(self, stores: int) -> Path:
        """Make the lake of 15 days of hourly polls."""
        return self._made(f"hourly-{stores}", lambda to: _sample(to, stores, 15, "--hourly"))

    def history(self, days: int) -> Path:
        """Make the lake of the sample's stores with a history of so many days."""
        return self._made(f"history-{self.few}-{days}", lambda to: _sample(to, self.few, days))

    def csvs(self, days: int) -> Path:
        """Write the sample's CSVs."""
        return self._made(f"csvs-{self.few}-{days}", lambda to: write_sample(to, stores=self.few, days=days))

    def linked(self, lake: Path, name: str) -> Path:
        """Make a lake that has the same files, to write to: a writer adds files, and changes none."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return Path(shutil.copytree(lake, self.folder / name, copy_function=lambda a, b: Path(b).hardlink_to(a)))

    def _made(self, name: str, make: Callable[[Path], object]) -> Path:
        there, part = self.folder / name, self.folder / f"{name}.part"
        if not there.exists():
            print(f"making {name} …", flush=True)
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(there)
        return there


def polls_in(lake: Path) -> int:
    """Count the polls of a lake."""
    files = storemon.Lake(lake).snapshot().opened["polls"].files
    return int(files.drop_nulls("polled_on")["rows"].sum())


def _sample(to: Path, stores: int, days: int, *flags: str) -> None:
    took = measured(command("sample", "--lake", to, "--stores", stores, "--days", days, *flags))
    polls = polls_in(to)
    print(
        f"  {polls:,} polls in {duration(took.seconds)}, {polls / took.seconds:,.0f} a second, "
        f"with {took.peak / 2**20:,.0f} MiB of memory, into "
        f"{sum(file.stat().st_size for file in (to / 'polls').rglob('*.parquet')) / polls:.1f} bytes each",
        flush=True,
    )
