"""Each option reaches the engine: the command gives what the function of Python gives when asked the same."""

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

from storemon.answers.audit import audit
from storemon.answers.objectives import breaching
from storemon.answers.outages import outages
from storemon.answers.report import report
from storemon.answers.stores import stores
from storemon.answers.week import hour_of_week
from storemon.calendar.windows import between
from storemon.cli.app import EXAMPLES, app
from storemon.engine.measures import MEASURES, SEVEN_COLUMNS
from storemon.intake.lake import Lake
from storemon.questions.options import Means, ReportQuestion
from storemon.questions.paper import document
from storemon.views.findings import rows_of

AS_OF = datetime(2024, 10, 12, 6, tzinfo=UTC)
FROM_TO = between("2024-10-09", "2024-10-10T12:00Z")


def of_report(**asked: Any) -> Callable[[Lake], pl.DataFrame]:
    return lambda lake: report(lake, **{"measures": SEVEN_COLUMNS} | asked)


ANSWERS: dict[str, Callable[[Lake], pl.DataFrame]] = {
    "report": of_report(),
    "report --wide": of_report(measures=["uptime", "downtime", "unknown"]),
    "report --window 2024-10 --window w=90m": of_report(windows=["2024-10", "w=90m"]),
    "report --from 2024-10-09 --to 2024-10-10T12:00Z": of_report(windows=[FROM_TO]),
    "report --from 2024-10-09": of_report(windows=[between("2024-10-09", None)]),
    "report --window 2d --from 2024-10-09 --to '2024-10-10 12:00 UTC'": of_report(windows=["2d", FROM_TO]),
    "report --as-of 2024-10-12T06:00Z --carry-limit 2h": of_report(as_of=AS_OF, carry_limit=timedelta(hours=2)),
    "report --policy nearest": of_report(policy="nearest"),
    "report --measures availability,coverage --measures uptime_max": of_report(
        measures=["availability", "coverage", "uptime_max"]
    ),
    "report --measures availability --wide": of_report(measures=["availability", "unknown"]),
    f"report --measures {','.join(MEASURES)}": of_report(measures=[*MEASURES]),
    "report --target 99.5 --window yesterday": of_report(target="99.5", windows=["yesterday"]),
    "report --versus previous --window this-week": of_report(versus_previous=True, windows=["this-week"]),
    "report --every day": of_report(every="day"),
    "report --every hour --window yesterday --overall": of_report(every="hour", windows=["yesterday"], group_by=[]),
    "report --group-by region,brand": of_report(group_by=["region", "brand"]),
    "report --group-by region --group-by brand": of_report(group_by=["region", "brand"]),
    "report --overall": of_report(group_by=[]),
    "report --where region=Midwest": of_report(where={"region": "Midwest"}),
    "report --where 'region=Midwest, city='": of_report(where={"region": "Midwest", "city": ""}),
    "report --where region=Midwest --where city=": of_report(where={"region": "Midwest", "city": ""}),
    "outages": lambda lake: outages(lake, windows=["last_day"]),
    "outages --window last_week --policy nearest --where region=Midwest": lambda lake: outages(
        lake, windows=["last_week"], policy="nearest", where={"region": "Midwest"}
    ),
    "hour-of-week": lambda lake: hour_of_week(lake, windows=["28d"]),
    "hour-of-week --window 3d --overall": lambda lake: hour_of_week(lake, windows=["3d"], group_by=[]),
    "hour-of-week --group-by region": lambda lake: hour_of_week(lake, group_by=["region"]),
    "stores": lambda lake: stores(lake, windows=["last_week"]),
    "stores --target 99.5 --window 2d": lambda lake: stores(lake, target="99.5", windows=["2d"]),
    "stores --target 99.5 --breaching": lambda lake: breaching(stores(lake, target="99.5")),
    "audit": lambda lake: rows_of(audit(lake)),
    "audit --window 3d --as-of 2024-10-12T06:00Z --carry-limit 2h": lambda lake: rows_of(
        audit(lake, window=timedelta(days=3), as_of=AS_OF, carry_limit=timedelta(hours=2))
    ),
    "report --top 3": lambda lake: (
        of_report()(lake).sort("downtime_last_week", descending=True, maintain_order=True).head(3)
    ),
    "report --top 0": of_report(),
    "report --every day --top 2": lambda lake: (
        of_report(every="day")(lake).sort("downtime", descending=True, maintain_order=True).head(2)
    ),
    "outages --window last_week --top 2": lambda lake: (
        outages(lake, windows=["last_week"]).sort("downtime", descending=True, maintain_order=True).head(2)
    ),
}


def run(line: str, folder: Path) -> None:
    app([*shlex.split(line), "--lake", str(folder / "parquet")], exit_on_error=False, result_action="return_value")


@pytest.mark.parametrize("line", ANSWERS)
def test_a_command_answers_as_its_function_does(line: str, sampled: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    run(f"{line} --out {file}", sampled)
    told, wanted = pl.read_parquet(file), ANSWERS[line](Lake(sampled / "parquet"))
    assert told.schema == wanted.schema
    assert told.rows() == wanted.rows()
    assert len(told) > 0 or "city=" in line


def test_a_report_is_written_as_a_document(sampled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "week.PDF"
    run(f"report --window last-week --group-by region --versus previous --out {file}", sampled)
    question = ReportQuestion(window=("last-week",), group_by=("region",))
    made = document(question, Lake(sampled / "parquet").snapshot(), Means(timedelta(days=7), "1GiB"))
    assert file.read_bytes() == made
    assert capsys.readouterr().out.startswith(f"{file}: {len(made):,} bytes, in ")


def test_a_workbook_says_what_was_asked(sampled: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.xlsx"
    for line, said in (
        ("report --window 2024-10 --policy nearest --target 99.5", "an availability of 99.5 %"),
        ("outages --window 2024-10-14 --policy nearest", "Monday 14 October 2024 so far, by each store's own clocks"),
        ("hour-of-week --policy nearest --carry-limit 36h", "36 hours: so long a poll is believed; after that nothing"),
        ("stores --policy nearest --where region=Midwest", "those with region=Midwest"),
        ("now --policy nearest", "2024-10-14 23:55:18 UTC: nothing observed later counts"),
    ):
        run(f"{line} --out {file}", sampled)
        about = dict(load_workbook(file)["About"].iter_rows(min_row=3, max_col=2, values_only=True))
        assert any(said in (words or "") for words in about.values()), (line, about)
        assert about["Policy"] == "nearest: the nearest poll is believed, before or after"


@pytest.mark.parametrize("line", ["now", "now --group-by region", "audit", "outages", "hour-of-week", "report"])
def test_every_column_of_a_workbook_is_explained(line: str, sampled: Path, tmp_path: Path) -> None:
    """A tag is one in the answers that have tags only."""
    file = tmp_path / "answer.xlsx"
    run(f"{line} --out {file}", sampled)
    book = load_workbook(file)
    about = dict(book["About"].iter_rows(min_row=3, max_col=2, values_only=True))
    tags = [cell.value for cell in book["storemon"][1] if about[cell.value] == "A tag of the stores."]
    assert tags == (["region"] if "region" in line else [])


def test_the_examples_of_help_are_understood() -> None:
    for command, examples in EXAMPLES.items():
        assert len(examples) == 2
        for example in examples:
            parsed, _, _ = app.parse_args(shlex.split(example.split(" >")[0]), exit_on_error=False)
            assert parsed.__name__ == command.partition(":")[2]


def test_a_breach_is_told_with_the_worst_first() -> None:
    hours = [timedelta(hours=-1), timedelta(hours=1), timedelta(hours=-3), timedelta(), timedelta(hours=-2)]
    figures = pl.DataFrame(
        {
            "store_id": ["a", "b", "c", "d", "e"],
            "left_w": hours,
            "burn_rate_w": [2.0, 0.5, 3.0, 1.0, 9.0],
            "left_v": [timedelta(hours=1)] * 3 + [timedelta(microseconds=-1), None],
            "burn_rate_v": [0.1, 0.1, 0.1, 4.0, None],
        }
    )
    assert breaching(figures)["store_id"].to_list() == ["e", "d", "c", "a"]
    nothing_to_burn = figures.with_columns(burn_rate_w=pl.lit(None, pl.Float64)).drop("left_v", "burn_rate_v")
    assert breaching(nothing_to_burn)["store_id"].to_list() == ["c", "e", "a"]
    assert breaching(figures.filter(pl.col("store_id") == "b")).is_empty()
