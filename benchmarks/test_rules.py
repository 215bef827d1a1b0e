"""Rules: a month replayed, and one look of a watcher, against the report of the last week over the same lake."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.pairs import in_turns
from benchmarks.rows import Row
from benchmarks.test_processes import command
from storemon.answers.alerts import replay
from storemon.calendar.windows import LAST_WEEK
from storemon.engine.question import Question
from storemon.lake.kept import KeptLake
from storemon.records.opening import opened_records
from storemon.rules.file import read_text
from storemon.sample import NEWEST_AT
from storemon.settings import Settings
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.looking import Looking
from storemon.watch.alerts.telling import Teller
from storemon.watch.outbox import Outbox

CHANNEL = '[channels.ops]\nto = "folder:notices"\n'
RULES = {
    "down for 15m": "",
    "silent for 6h": "",
    "availability < 50% over 7d": "",
    "burn > 6 of 90% over 24h and 4h": "",
    "5 stores and 30% down": 'by = "city"\n',
}
TIMES = 10
"""How many times as long as the report a replay may take."""


def written(condition: str) -> str:
    return f'[[rules]]\nname = "{condition}"\nwhen = "{condition}"\nchannels = "ops"\n{RULES[condition]}'


@pytest.fixture
def weekly(lake: Path) -> Callable[[], pl.DataFrame]:
    return lambda: storemon.report(storemon.Lake(lake), windows=[LAST_WEEK])


@pytest.mark.parametrize("condition", RULES)
def test_replay(
    benchmark: BenchmarkFixture, rows: list[Row], weekly: Callable[[], pl.DataFrame], lake: Path, condition: str
) -> None:
    text = CHANNEL + written(condition)
    found = storemon.alerts(storemon.Lake(lake), text, windows=["30d"])
    (pairs,) = in_turns(
        benchmark, lambda: storemon.alerts(storemon.Lake(lake), text, windows=["30d"]), weekly, rounds=9
    )
    what = f"replay of a month, {condition}: {len(found):,} alerts"
    rows.append(pairs.row(120 + [*RULES].index(condition), what, "report of the last week", at_most=TIMES))


def test_replay_with_notices(
    benchmark: BenchmarkFixture, rows: list[Row], weekly: Callable[[], pl.DataFrame], lake: Path
) -> None:
    text = CHANNEL + written("down for 15m") + written("5 stores and 30% down")
    sent = replay(storemon.Lake(lake), text, windows=["30d"]).notices
    (pairs,) = in_turns(benchmark, lambda: replay(storemon.Lake(lake), text, windows=["30d"]), weekly, rounds=9)
    what = f"the same of stores and cities that are down, with who is told: {len(sent):,} notices"
    rows.append(pairs.row(126, what, "report of the last week", at_most=TIMES))


def test_command(benchmark: BenchmarkFixture, rows: list[Row], lake: Path, tmp_path: Path) -> None:
    """Replay all five rules of a month and who is told, as people do: by the command, against that of the report."""
    file = tmp_path / "rules.toml"
    file.write_text(CHANNEL + "".join(map(written, RULES)))

    def run(*arguments: str) -> None:
        subprocess.run(command(*arguments, "--lake", str(lake)), check=True, capture_output=True, cwd=tmp_path)

    replaying = ("rules", "replay", "--rules", str(file), "--window", "30d", "--out", "alerts.json")
    reporting = ("report", "--window", "last_week", "--out", "report.csv")
    (pairs,) = in_turns(benchmark, lambda: run(*replaying), lambda: run(*reporting), rounds=5)
    what = "storemon rules replay: all five rules, a month, with who is told"
    rows.append(pairs.row(128, what, "storemon report of the last week", at_most=TIMES))


def test_look(
    benchmark: BenchmarkFixture,
    rows: list[Row],
    weekly: Callable[[], pl.DataFrame],
    lake: Path,
    tmp_path: Path,
) -> None:
    records = opened_records(Settings.load(reports=tmp_path))
    alerts = Alerts(records)
    looking = Looking(records, alerts, Teller(alerts, Outbox(records)))
    rules = read_text(CHANNEL + "".join(map(written, RULES))).rules
    at = NEWEST_AT - timedelta(hours=12)

    def look() -> None:
        nonlocal at
        at += timedelta(minutes=1)
        assert looking.look(KeptLake(lake).snapshot(), Question(at), rules) is not None

    look()
    (pairs,) = in_turns(benchmark, look, weekly, rounds=30)
    rows.append(pairs.row(127, "a look at all five rules, a minute after the last", "report of the last week"))
    records.dispose()
