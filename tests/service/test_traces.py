"""Traces, as a collector gets them: one span for each request, and one for its job, in one trace."""

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from storemon.intake.lake import Lake
from storemon.settings import Settings
from tests.conftest import environment
from tests.service.server import REAL, running
from tests.service.waiting import ingestion_of, report_of, trigger, until

pytestmark = pytest.mark.skipif(
    not find_spec("opentelemetry.exporter"), reason="what sends traces is not installed: storemon[otel]"
)
SERVER, CONSUMER = 2, 5
TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_request_and_its_job_are_one_trace(settings: Settings, lake: Lake) -> None:
    assert settings
    assert lake
    from tests.service.collector import collecting  # noqa: PLC0415 - it needs the extra

    with (
        collecting() as collector,
        running(*REAL, workers=2, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100") as server,
        server.client() as client,
    ):
        brought = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01", "tracestate": "some=thing"}
        report_id = client.post("/trigger_report", headers=brought).json()["report_id"]
        assert report_of(client, report_id).status_code == 200
        begun_here = trigger(client)
        assert report_of(client, begun_here).status_code == 200
        assert ingestion_of(client, "data")["status"] == "Complete"
        Path("data/odd.csv").write_text("no,poll\n1,2\n")
        assert ingestion_of(client, "data/odd.csv")["status"] == "Failed"
        assert client.get("/get_report?report_id=1&secret=1").status_code == 400
        assert client.get("/no/where").status_code == 404
        for query, headers in (("u=me&p=secret", {}), ("", {"Authorization": "Token secret"})):
            assert client.post(f"/v1/write?{query}", content="a b=1", headers=headers).status_code == 401
        until(lambda: len(collector.named("POST /v1/write")) == 2)
        until(lambda: len(collector.named("report job")) == 2 and len(collector.named("ingestion job")) == 2)
        until(lambda: collector.named("GET none"))
        until(lambda: len(collector.named("POST /trigger_report")) == 2)

    asked, begun = sorted(collector.named("POST /trigger_report"), key=lambda span: span.trace_id != TRACE_ID)
    assert (asked.trace_id, asked.parent_id, asked.kind) == (TRACE_ID, PARENT_ID, SERVER)
    assert begun.parent_id == ""
    jobs = {span.attributes["storemon.job.id"]: span for span in collector.named("report job")}
    for request, job in ((asked, jobs[report_id]), (begun, jobs[begun_here])):
        assert (job.trace_id, job.parent_id, job.kind) == (request.trace_id, request.span_id, CONSUMER)
        assert not job.is_error
    assert sorted(span.is_error for span in collector.named("ingestion job")) == [False, True]
    assert asked.attributes == {
        "http.request.method": "POST",
        "url.path": "/trigger_report",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.route": "/trigger_report",
    }
    polls = collector.named("GET /get_report")
    assert [span.is_error for span in polls if span.attributes["http.response.status_code"] == 400] == [False]
    assert not [span for span in collector.spans if "secret" in str(span.attributes)]
    assert {span.resource["service.name"] for span in collector.spans} == {"storemon"}
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)
    lines = [line for line in server.logged("job complete") if line["id"] == report_id]
    assert [line["traceparent"].split("-")[1] for line in lines] == [TRACE_ID]


def test_what_was_done_last_is_sent_before_the_end(settings: Settings, lake: Lake) -> None:
    assert settings
    assert lake
    from tests.service.collector import collecting  # noqa: PLC0415 - it needs the extra

    with (
        collecting() as collector,
        running(
            *REAL,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces",
            OTEL_SERVICE_NAME="shops",
            OTEL_BSP_SCHEDULE_DELAY="60000",
        ) as server,
    ):
        with server.client() as client:
            assert client.get("/health/live").status_code == 200
        assert not collector.spans
        server.stop(signal.SIGTERM)
        (span,) = collector.named("GET /health/live")
        assert span.resource["service.name"] == "shops"


def test_a_collector_that_is_not_there_keeps_nobody_waiting(settings: Settings, lake: Lake) -> None:
    assert settings
    assert lake
    with running(*REAL, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as server, server.client() as client:
        assert report_of(client, trigger(client)).status_code == 200


@pytest.mark.parametrize(
    ("variables", "loads"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
    ],
)
def test_nothing_is_loaded_unless_it_is_wanted(
    settings: Settings,
    variables: dict[str, str],
    loads: bool,  # noqa: FBT001
) -> None:
    assert settings
    code = (
        "import sys; from storemon.service.app import _process_app; from storemon.settings import Settings; "
        "_process_app(Settings()); print('opentelemetry.sdk' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(**variables), capture_output=True, text=True, check=False
    )
    assert ran.stdout == f"{loads}\n", ran.stderr


@pytest.mark.parametrize(
    ("variables", "blocked", "said"),
    [
        ({}, ["opentelemetry.sdk"], "is not installed; install it with: pip install 'storemon[otel]'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, [], "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces are sent by"),
    ],
)
def test_what_cannot_be_done_is_said_at_the_start(
    settings: Settings, variables: dict[str, str], blocked: list[str], said: str
) -> None:
    assert settings
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); sys.argv = ['storemon', 'serve', '--port', '0']; "
        "from storemon.cli import main; main()"
    )
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"} | variables
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(**wanted), capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
