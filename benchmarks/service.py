"""The service under load: ``make bench-service`` starts it, lets many clients ask, and prints one table.

It is apart from ``make bench`` as it needs the whole machine: clients and service share its processors.
"""

import gc
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from importlib.metadata import version
from os import cpu_count, getloadavg, sysconf
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import httpx

import storemon
from benchmarks.load import Load, Seen
from benchmarks.rows import TIMES, VERDICTS, duration, markdown
from benchmarks.scale_rows import size
from benchmarks.serving import free_port, served, trigger
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.sample import write_sample
from storemon.service.work import report_parameters
from storemon.settings import Settings

_POLLERS, _REPORTS = 500, 20
_MANY_REPORTS = 80  # so that there are enough pushes beside them to tell of one in a hundred
_ROUNDS = 7
_PUSHED = 1_000
_REQUESTS = 10_000

Line = tuple[str, str, str, bool]
"""What it is, what it must be, what was measured, and whether that is it."""

EMPTY = """
import sys
import uvicorn
from litestar import Litestar, get

@get("/", sync_to_thread=False)
def nothing() -> None:
    return None

uvicorn.run(Litestar([nothing], logging_config=None), port=int(sys.argv[1]), log_config=None, access_log=False)
"""
"""The least that Litestar can answer, as the service is run."""


def _main() -> int:
    load = getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="storemon-service-") as name:
        folder = Path(name)
        data, lake = folder / "data", folder / "lake"
        print("a sample of 3,678 stores …", flush=True)
        write_sample(data)
        storemon.Lake(lake).ingest(data)
        lines: list[Line] = []
        for what, measure in _PARTS.items():
            print(f"{what} …", flush=True)
            place = folder / what.replace(" ", "-")
            with served(place, lake=lake, data=data) as client:
                lines += measure(client, place, lake)
    head = ("what", "must be", "measured", "is it")
    print("", *markdown(head, [(*line[:3], VERDICTS[line[3]]) for line in lines]), sep="\n")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("litestar", "uvicorn", "duckdb", "polars"))
    print(f"\n{cpu_count()} processors, Python {platform.python_version()}, {libraries}.")
    print(f"The load of the machine was {load:.1f} before.")
    return 0


def _pollers(client: httpx.Client, place: Path, _: Path) -> Iterator[Line]:
    reports = [trigger(client) for _ in range(_REPORTS)]
    done = place / "done"
    url = f"{client.base_url}/get_report?report_id={_waiting(place)}"
    with _loading(Load(url, _POLLERS, seconds=5, pause=1, until=str(done))) as seen:
        while any("X-Report-Status" not in client.get(f"/get_report/{one}").headers for one in reports):
            time.sleep(0.2)
        done.touch()
    (saw,) = seen
    p50, p99 = median(saw.latencies), quantiles(saw.latencies, n=100)[98]
    told = f"p50 {duration(p50)}, p99 {duration(p99)}; {len(saw.latencies):,} polls, {len(saw.errors)} errors"
    if saw.errors:
        print(saw.errors[:3], file=sys.stderr)
    what = f"{_POLLERS} clients that poll once a second while {_REPORTS} reports are made"
    yield what, "no error, p99 ≤ 50 ms", told, not saw.errors and p99 <= 0.05


def _throughput(client: httpx.Client, place: Path, _: Path) -> Iterator[Line]:
    port = free_port()
    url = f"{client.base_url}/get_report?report_id={_waiting(place)}"
    process = subprocess.Popen([sys.executable, "-c", EMPTY, str(port)])
    try:
        _await(f"http://127.0.0.1:{port}/")
        rates = [
            [_rate(_seen(Load(target, clients=16, seconds=2))) for target in (url, f"http://127.0.0.1:{port}/")]
            for _ in range(_ROUNDS)
        ]
    finally:
        process.terminate()
        process.wait()
    ratio = median(ours / empty for ours, empty in rates)
    told = f"{ratio:.2f} {TIMES} ({median(ours for ours, _ in rates):,.0f} a second)"
    yield "polls a second against an empty Litestar handler", f"≥ 0.5 {TIMES}", told, ratio >= 0.5


def _answers(client: httpx.Client, _: Path, lake: Path) -> Iterator[Line]:
    quick = HTTPConnection("127.0.0.1", client.base_url.port)  # httpx takes a millisecond for itself

    def ask(status: int, **headers: str) -> str:
        quick.request(
            "GET", "/v1/report?format=arrow", headers={name.replace("_", "-"): headers[name] for name in headers}
        )
        answer = quick.getresponse()
        answer.read()
        assert answer.status == status
        return answer.headers["etag"]

    def straight() -> None:
        ask(200)

    def in_process() -> None:
        storemon.report(storemon.Lake(lake))

    etag = ask(200)

    def unchanged() -> None:
        ask(304, If_None_Match=etag)

    for call in (straight, in_process, unchanged) * 3:
        call()
    gc.disable()
    taken = [[_timed(call) for call in (straight, in_process)] for _ in range(40)]
    third = median(_timed(unchanged) for _ in range(200))
    gc.enable()
    quick.close()
    ratio = median(over_http / here for over_http, here in taken)
    told = f"{ratio:.2f} {TIMES} ({duration(median(one[0] for one in taken))})"
    yield "`/v1/report` as Arrow against the report in process", f"≤ 1.5 {TIMES}", told, ratio <= 1.5
    yield "a 304", "≤ 3 ms", duration(third), third <= 0.003


def _memory(client: httpx.Client, place: Path, _: Path) -> Iterator[Line]:
    pid = int((place / "pid").read_text())
    report_id = trigger(client)
    asked = [
        *[f"/get_report?report_id={report_id}"] * 12,
        *["/health", "/metrics", "/v1/reports?limit=20", "/nothing", "/v1/report?window=never"],
        *["/v1/report?format=arrow", "/v1/stores?limit=50&sort=availability", "/v1/outages?window=yesterday&limit=50"],
    ]
    resident: list[int] = []
    for n in range(_REQUESTS):
        client.get(asked[n % len(asked)])
        resident.append(_resident(pid))
    early, late = median(resident[4000:6000]), median(resident[-2000:])
    told = f"{late / early - 1:+.1%} from requests 4,000 to 6,000 on to the last 2,000 ({size(late)})"
    yield f"memory over {_REQUESTS:,} requests of all kinds", "flat: ≤ +3 %", told, late <= 1.03 * early


def _pushes(client: httpx.Client, place: Path, _: Path) -> Iterator[Line]:
    many, one = _bodies(place)
    url, pid = f"{client.base_url}/v1/polls", int((place / "pid").read_text())
    rate, took = _pushed(Load(url, clients=4, seconds=3, body=many), pid)
    told = f"{rate * _PUSHED:,.0f} ({duration(took)} of a processor each push)"
    yield f"polls a second in pushes of {_PUSHED:,}", "≥ 100,000", told, rate * _PUSHED >= 100_000
    rate, took = _pushed(Load(url, clients=64, seconds=3, body=one), pid)
    yield "pushes of one poll a second", "≥ 2,000", f"{rate:,.0f} ({duration(took)} of a processor each)", rate >= 2_000
    done = place / "done"
    with _loading(Load(url, clients=4, seconds=3, pause=0.2, until=str(done), body=many)) as seen:
        for report_id in [trigger(client) for _ in range(_MANY_REPORTS)]:
            while "X-Report-Status" not in client.get(f"/get_report/{report_id}").headers:
                time.sleep(0.2)
        done.touch()
    (saw,) = seen
    p99 = quantiles(saw.latencies, n=100)[98]
    told = f"p50 {duration(median(saw.latencies))}, p99 {duration(p99)}; {len(saw.latencies)} pushes, "
    told += f"{len(saw.errors)} errors"
    what = f"pushes of {_PUSHED:,} polls, twenty a second, while {_MANY_REPORTS} reports are made"
    yield what, "no error, p99 ≤ 50 ms", told, not saw.errors and p99 <= 0.05


def _pushed(load: Load, pid: int) -> tuple[float, float]:
    """Measure pushes a second, and the processor's seconds that each takes the service, on a busy machine as well."""
    measured = []
    for _ in range(5):
        before = _processor(pid)
        seen = _seen(load)
        measured.append((_rate(seen), (_processor(pid) - before) / len(seen.latencies)))
    rates, took = zip(*measured, strict=True)
    return median(rates), median(took)


def _bodies(place: Path) -> tuple[str, str]:
    """Write a body of many polls and one of a single one; the same again and again, which only the mover can tell."""
    polls = [
        {"store_id": str(UUID(int=n)), "status": "active", "timestamp_utc": f"2024-10-14T20:{n % 60:02}:00Z"}
        for n in range(_PUSHED)
    ]
    for name, body in (("many", polls), ("one", polls[0])):
        (place / name).write_text(json.dumps(body))
    return str(place / "many"), str(place / "one")


_PARTS: dict[str, Callable[[httpx.Client, Path, Path], Iterator[Line]]] = {
    "clients that poll": _pollers,
    "polls a second": _throughput,
    "polls that arrive": _pushes,
    "answers": _answers,
    "memory": _memory,
}


def _waiting(place: Path) -> str:
    """Queue a report that does not start, and give its id."""
    settings = Settings(reports=place / "reports")
    records = opened_records(settings)
    jobs = Jobs(records, lease=timedelta(seconds=10), max_queued=100)
    never = time.time_ns() // 1000 + 10**12
    report_id = jobs.add("report", report_parameters(settings), run_after=never)
    records.dispose()
    return report_id


def _seen(load: Load) -> Seen:
    with _loading(load) as seen:
        pass
    return seen[0]


@contextmanager
def _loading(load: Load) -> Iterator[list[Seen]]:
    """Let clients ask; what they saw is in the list at the end."""
    flags = [f"--{name}={value}" for name, value in load._asdict().items() if name != "url"]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load", load.url, *flags], stdout=subprocess.PIPE, text=True
    )
    seen: list[Seen] = []
    yield seen
    told, _ = process.communicate(timeout=300)
    seen.append(Seen(*json.loads(told)))


def _rate(seen: Seen) -> float:
    assert not seen.errors, seen.errors[:3]
    return len(seen.latencies) / seen.seconds


def _timed(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _processor(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


def _await(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


if __name__ == "__main__":
    sys.exit(_main())
