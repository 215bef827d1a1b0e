"""What is delivered for Prometheus and Grafana, against a real service in two processes and a real Prometheus."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storemon.intake.lake import Lake
from storemon.records.keys import opened_keys
from storemon.sample import write_sample
from storemon.settings import Settings
from tests.deploy.monitoring import DASHBOARD, RULES, Prometheus, laid_out, queries, watching
from tests.service.server import REAL, running
from tests.service.waiting import until

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="prometheus is not installed (apt-get)"
)
NAME = re.compile(r"\b(?:storemon|process)_\w+")
DOCS = Path(__file__).parent.parent.parent / "docs" / "metrics.md"


WATCHED = '[channels.shelf]\nto = "folder:shelf"\n[[rules]]\nname = "down"\nwhen = "down for 15m"\nchannels = "shelf"\n'


class Watched(NamedTuple):
    """A service, as its Prometheus has seen it, and what it answered to a scrape."""

    prometheus: Prometheus
    scraped: str


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A sample lake, a few requests, a report and an ingestion with a row that can't be read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("watched"))
        write_sample(Path("data"), stores=40, days=9)
        Lake("parquet").ingest("data")
        Path("rules.toml").write_text(WATCHED)
        with opened_keys(Settings.load()) as keys:
            (_, reader), (_, writer) = keys.create("reader"), keys.create("writer")
        with (
            running(*REAL, workers=2, STOREMON_WATCH="true", STOREMON_WATCH_EVERY="1s") as server,
            watching(laid_out(Path("prometheus"), server.url.removeprefix("http://"), reader)) as prometheus,
            server.client() as client,
        ):
            client.headers["X-API-Key"] = writer
            until(lambda: prometheus.series("up == 1"))
            report_id = client.post("/trigger_report").json()["report_id"]
            until(lambda: client.get(f"/get_report/{report_id}").headers.get("X-Report-Status"))
            with Path("data/store_status.csv").open("a") as polls:
                polls.write("40,broken,2024-10-14 20:00:00 UTC\n")
            ingest_id = client.post("/ingest", json={"path": "data"}).json()["ingest_id"]
            until(lambda: client.get(f"/ingest/{ingest_id}").json()["status"] == "Complete")
            assert client.get("/v1/report").status_code == 200
            assert client.get("/v1/nothing").status_code == 404
            until(lambda: prometheus.series('min_over_time(storemon_lake_rows{table="rejected"}[3s]) == 1'))
            until(lambda: prometheus.series("storemon_watch_look_age_seconds"))
            yield Watched(prometheus, client.get("/metrics").text)


@needs_prometheus
def test_every_query_of_the_dashboard_finds_something(watched: Watched) -> None:
    asked = queries()
    assert len(asked) > 30
    nothing = [query for query in asked if not watched.prometheus.series(query)]
    assert nothing == []


@needs_prometheus
def test_every_alert_can_be_told(watched: Watched) -> None:
    (group,) = until(lambda: _evaluated(watched.prometheus))
    known = set(watched.prometheus.ask("/label/__name__/values"))
    for rule in group["rules"]:
        assert (rule["health"], rule.get("lastError", "")) == ("ok", ""), rule
        watched.prometheus.series(rule["query"])
        assert {*NAME.findall(rule["query"])} <= known, rule
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
    assert {alert["labels"]["alertname"] for alert in watched.prometheus.ask("/alerts")["alerts"]} <= {
        "StoremonDataLag",  # the sample's polls are old
        "StoremonDiskLow",  # that of the machine of the tests
    }


def _evaluated(prometheus: Prometheus) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = prometheus.ask("/rules")["groups"]
    return groups if all(rule["health"] != "unknown" for group in groups for rule in group["rules"]) else []


@needs_prometheus
def test_prometheus_finds_no_fault_with_the_metrics(watched: Watched) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=watched.scraped, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@needs_prometheus
def test_rules_and_configuration_are_sound(tmp_path: Path) -> None:
    file = laid_out(tmp_path / "prometheus", "127.0.0.1:8000", "key")
    for command in (
        ("check", "rules", RULES),
        ("check", "config", file),
        ("test", "rules", Path(__file__).parent / "alerts_test.yaml"),
    ):
        checked = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_prometheus
def test_the_page_tells_of_every_metric_and_alert(watched: Watched) -> None:
    page = DOCS.read_text(encoding="utf-8")
    told = set(re.findall(r"^# TYPE (\S+)", watched.scraped, re.MULTILINE))
    named = {name for name in re.findall(r"^\| `(\w+)", page, re.MULTILINE) if not name.startswith("Storemon")}
    assert named == told


def test_the_page_tells_of_every_alert() -> None:
    alerts = re.findall(r"alert: (\w+)", RULES.read_text(encoding="utf-8"))
    assert re.findall(r"^\| `(Storemon\w+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE) == alerts
    tested = (Path(__file__).parent / "alerts_test.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'alertname="(\w+)",alertstate="firing"', tested)) == {*alerts}


def test_the_dashboard_can_be_imported() -> None:
    panels = DASHBOARD["panels"]
    ids = [panel["id"] for panel in panels]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Data",
        "Stores",
        "Reports and ingestions",
        "Requests",
        "Lake",
        "Processes",
    ]
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    of_prometheus = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels:
        if panel["type"] != "row":
            assert panel["datasource"] == of_prometheus
            assert panel["description"]
            assert all(target["datasource"] == of_prometheus for target in panel["targets"])
    taken = [(x, y) for panel in panels for x, y in _cells(panel["gridPos"])]
    assert len(taken) == len({*taken}), "no panel lies on another"
    assert not [x for x, _ in taken if x >= 24]


def _cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y
