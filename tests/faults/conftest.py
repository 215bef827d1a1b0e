"""Faults with real processes, and the table of them: ``make faults`` prints it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from storemon.answers.report import report
from storemon.intake.lake import Lake
from storemon.settings import Settings
from tests.postgres import Postgres
from tests.printed import report_csv
from tests.service.conftest import write_csvs


class _Fault(NamedTuple):
    what: str
    promised: str


_runs: dict[_Fault, list[str]] = defaultdict(list)
_figures: dict[str, str] = {}
"""Those of the week, by what they are of."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(what, promised): what goes wrong, and what holds all the same")


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    for mark in request.node.iter_markers("fault"):
        record_property("fault", list(mark.args))  # which the processes of a run can tell one another


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, fault in report.user_properties:
        if name == "fault" and (report.when == "call" or report.outcome != "passed"):
            _runs[_Fault(*cast("tuple[str, str]", fault))].append(report.outcome)
        if name == "figures" and report.when == "call":
            _figures.update(cast("dict[str, str]", fault))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _runs:
        return
    terminalreporter.write_line("\n| fault | what is promised | runs | failures |\n| --- | --- | --- | --- |")
    for (what, promised), outcomes in _runs.items():
        ran = [outcome for outcome in outcomes if outcome != "skipped"]
        told = f"{len(ran)} | {sum(outcome == 'failed' for outcome in ran)}" if ran else "skipped here | "
        terminalreporter.write_line(f"| {what} | {promised} | {told} |")
    if _figures:
        terminalreporter.write_line("\n| the week | |\n| --- | --- |")
    for of_what, figure in _figures.items():
        terminalreporter.write_line(f"| {of_what} | {figure} |")


class Place(NamedTuple):
    """Where a service is at work: its settings, its lake, and the CSV that each report must be."""

    settings: Settings
    lake: Lake
    expected: bytes


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder with a lake, in which services keep their records in SQLite; it is the working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("place"))
        yield _placed(Settings(reports=Path("reports")))


@pytest.fixture
def shared(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same for services that keep their records in one PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOREMON_DATABASE", address := postgres.database())
    return _placed(Settings.load(database=address))


def _placed(settings: Settings) -> Place:
    write_csvs(Path("data"))
    lake = Lake(settings.lake)
    lake.ingest(settings.data)
    return Place(settings, lake, report_csv(report(lake)))
