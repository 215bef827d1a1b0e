"""Small commits, as polls come in live, and a report on the files that they leave."""

import shutil
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

import storemon
from benchmarks.live_commits import commit_live, merged_wholly
from benchmarks.pairs import in_turns
from benchmarks.rows import Row, duration

COMMITS, POLLS = 300, 1_000


def test_live_commits(benchmark: BenchmarkFixture, rows: list[Row], workspace: Path, lake: Path) -> None:
    living, whole = workspace / "living", workspace / "living-whole"
    shutil.copytree(lake, living)
    live = commit_live(living, COMMITS, POLLS)
    merged_wholly(living, whole)
    (pairs,) = in_turns(
        benchmark,
        lambda: storemon.report(storemon.Lake(living)),
        lambda: storemon.report(storemon.Lake(whole)),
        rounds=7,
    )
    mean, p99 = sum(live.seconds) / COMMITS, live.quantile(0.99)
    what = f"commit {POLLS:,} live polls and merge what is due, {COMMITS} times ({duration(p99)} p99)"
    rows += [
        Row(62, what, duration(mean), must_be="≤ 60 ms", met=mean <= 0.06),
        Row(63, "the most files of their day", str(live.most_files), must_be="≤ 40", met=live.most_files <= 40),
        pairs.row(64, "a report on that lake", "a report where the day is in one file"),
    ]
    shutil.rmtree(living)
    shutil.rmtree(whole)
