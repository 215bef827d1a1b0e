"""The workers of a Ray cluster: the same bytes as without them, whatever happens to them meanwhile."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from storemon import ClusterError, EmptyLakeError, Frames, InputError, Lake, StoppedError, report
from storemon.answers.report import report_by_range
from storemon.engine.chosen import chosen_stores
from storemon.engine.question import CARRY_LIMIT, Question, Work, ask
from storemon.engine.ranges import by_range
from storemon.lake.snapshot import Snapshot
from storemon.records.files import report_file
from storemon.records.jobs import Jobs
from storemon.records.opening import opened_records
from storemon.service.work import run_report
from storemon.settings import Settings
from storemon.stopping import Stop
from storemon.units.workplaces import Workplace
from tests.conftest import storemon_in
from tests.engine.test_ranges import AT, ONE_BYTE, answers, polls_of
from tests.lake.files import folder
from tests.printed import report_csv

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'storemon[ray]'")
cluster = pytest.importorskip("storemon.engine.cluster")

STORES = ["a", "bbbb", "c", "mm", "new", "yy", "z"]
LONG = 300  # seconds, far beyond the time that any test takes


@pytest.fixture(scope="module", autouse=True)
def _one_cluster() -> Iterator[None]:
    """Start the one of this machine when it is first asked for, whatever the environment names, and end it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        yield
    ray.shutdown()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Make a lake of a few stores, which became known in two orders."""
    given = tmp_path_factory.mktemp("lake")
    found = Lake(given / "lake")
    found.ingest(folder(given / "late", polls=polls_of(*STORES[3:])), now=AT)
    hours = [f"{store},{day},08:00:00,20:00:00" for store in STORES[:4] for day in range(7)]
    everything = folder(
        given / "all",
        polls=polls_of(*STORES),
        hours=hours,
        zones=["z,Asia/Kathmandu", "c,UTC"],
        maintenance=["*,2024-10-13 11:00:00,2024-10-13 12:00:00,all"],
        stores=["store_id,region", "a,West", "z,West", "new,East"],
    )
    found.ingest(everything, now=AT)
    return found


def worked(work: Work, lake: Lake) -> list[list[str]]:
    """Have work done for each store by itself on the cluster, and list the stores of each range that comes back."""
    snapshot, question = ask(lake, memory=ONE_BYTE, on="ray")
    ranges = by_range(work, snapshot, question, chosen_stores(snapshot, question))
    return [some["store_id"].to_list() for some in ranges]


def test_a_lake_answers_the_same(lake: Lake) -> None:
    for some, whole in zip(answers(lake, memory=ONE_BYTE, on="ray"), answers(lake), strict=True):
        assert some.equals(whole)
        assert some.schema == whole.schema


def test_a_report_has_the_same_bytes(lake: Lake) -> None:
    assert report_csv(report(lake, on="ray")) == report_csv(report(lake))


def test_frames_answer_the_same() -> None:
    rows = [line.split(",") for line in polls_of(*STORES)]
    polls = pl.DataFrame(rows, schema=["store_id", "status", "timestamp_utc"], orient="row")
    tags = {"store_id": ["a", "z"], "region": ["West", "East"]}
    frames = Frames(polls=polls, zones={"store_id": ["a"], "timezone_str": ["Asia/Kathmandu"]}, stores=tags)
    for some, whole in zip(answers(frames, memory=ONE_BYTE, on="ray"), answers(frames), strict=True):
        assert some.equals(whole)
        assert some.schema == whole.schema


def test_every_worker_gets_a_range_though_one_would_do(lake: Lake) -> None:
    assert len(list(report_by_range(lake, on="ray"))) == min(len(STORES), cluster.join("ray").number)


def test_no_store_at_all_is_one_range_of_none(lake: Lake) -> None:
    assert len(report(lake, as_of=AT - timedelta(days=99), on="ray")) == 0


def the_first_one_last(_: Snapshot, __: Question, stores: pl.DataFrame) -> pl.DataFrame:
    time.sleep(1 if stores["store_id"][0] == STORES[0] else 0)
    return stores


def test_the_order_is_kept(lake: Lake) -> None:
    assert worked(the_first_one_last, lake) == [[store] for store in STORES]


def test_few_ranges_are_under_way_at_once(lake: Lake) -> None:
    snapshot, question = ask(lake, on="ray")
    taken: list[int] = []
    stores = chosen_stores(snapshot, question)
    ranges = (taken.append(place) or stores for place in range(9))  # type: ignore[func-returns-value]
    cluster.join("ray")
    done = cluster.on_cluster(the_first_one_last, snapshot, question, ranges, 1)
    for so_many in (3, 4, 5):
        next(done)
        assert len(taken) == so_many
    done.close()


def threads(_: Snapshot, __: Question, stores: pl.DataFrame) -> pl.DataFrame:
    from storemon.lake.duck import connect  # noqa: PLC0415 - in a worker

    with connect() as con:
        duckdb = con.sql("SELECT current_setting('threads')::BIGINT AS threads").pl()["threads"][0]
    return stores.with_columns(store_id=pl.lit(f"{duckdb} {pl.thread_pool_size()}"))


def test_a_worker_with_one_processor_has_one_thread(lake: Lake) -> None:
    assert worked(threads, lake) == [["1 1"]] * len(STORES)


def fail(_: Snapshot, __: Question, stores: pl.DataFrame, *, notes: Path) -> pl.DataFrame:
    with notes.open("a") as file:
        file.write(f"{stores['store_id'][0]}\n")
    raise EmptyLakeError(f"nothing about {stores['store_id'][0]}; look elsewhere")


def test_an_error_of_a_worker_is_the_same_error_here(lake: Lake, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with pytest.raises(EmptyLakeError) as raised:
        worked(partial(fail, notes=notes), lake)
    assert type(raised.value) is EmptyLakeError
    assert str(raised.value) == "nothing about a; look elsewhere"
    assert notes.read_text().count("a\n") == 1  # nobody tried it again


def die(_: Snapshot, __: Question, stores: pl.DataFrame, *, died: Path) -> pl.DataFrame:
    """Kill the process, unless that has been done before."""
    if stores["store_id"][0] == "c" and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return stores


def test_a_worker_that_is_killed_is_replaced(lake: Lake, tmp_path: Path) -> None:
    assert worked(partial(die, died=tmp_path / "died"), lake) == [[store] for store in STORES]
    assert (tmp_path / "died").exists()


def test_what_kills_every_worker_is_given_up(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_TASK", cluster._TASK.options(max_retries=0))
    with pytest.raises(ClusterError, match=r"^the Ray cluster has lost a range of stores: "):
        worked(partial(die, died=tmp_path / "died"), lake)


def wait(_: Snapshot, __: Question, stores: pl.DataFrame) -> pl.DataFrame:
    time.sleep(0 if stores["store_id"][0] == STORES[0] else LONG)
    return stores


def test_who_stops_asking_frees_the_workers(lake: Lake) -> None:
    snapshot, question = ask(lake, memory=ONE_BYTE, on="ray")
    done = by_range(wait, snapshot, question, chosen_stores(snapshot, question))
    next(done)
    done.close()  # type: ignore[attr-defined]
    assert worked(the_first_one_last, lake) == [[store] for store in STORES]


def test_who_is_told_to_stop_frees_the_workers(lake: Lake) -> None:
    snapshot, question = ask(lake, memory=ONE_BYTE, on="ray")
    stop = Stop()
    with stop.heeded():
        done = by_range(wait, snapshot, question, chosen_stores(snapshot, question))
        next(done)
        stop.now("enough")
        with pytest.raises(StoppedError, match="enough"):
            next(done)
    assert worked(the_first_one_last, lake) == [[store] for store in STORES]


def test_a_cluster_of_this_machine_is_not_heard_by_others(lake: Lake) -> None:
    report(lake, on="ray")
    port = int(ray.get_runtime_context().gcs_address.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(OSError, match=r"refused|assign|timed"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.parametrize(
    "text", ["rya", "", "Ray", "ray:", "ray://", "ray://there", "ray://there:port", "http://there:1"]
)
def test_a_workplace_that_is_none(lake: Lake, text: str) -> None:
    with pytest.raises(InputError) as raised:
        report(lake, on=text)
    assert str(raised.value) == f"there is no workplace {text!r}; choose local, ray or ray://HOST:PORT"


def test_ray_is_not_installed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"to work on ray, .*: pip install 'storemon\[ray\]'$"):
        report(lake, on="ray")
    assert len(report(lake)) == len(STORES)


def test_a_command_says_no_more_than_without(lake: Lake, tmp_path: Path) -> None:
    storemon = storemon_in(tmp_path)
    here, there = (storemon("report", "--lake", lake.path, "--on", on) for on in ("local", "ray"))
    assert there.out == here.out != b""
    assert (there.status, there.err) == (0, "")


def test_the_service_does_its_reports_there(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, on_cluster = [], cluster.on_cluster
    monkeypatch.setattr(cluster, "on_cluster", lambda *given: done.append(given) or on_cluster(*given))  # type: ignore[func-returns-value]
    versions = dict(lake.snapshot().versions)
    asked = {"versions": versions, "as_of": AT.isoformat(), "carry_limit_us": CARRY_LIMIT // timedelta(microseconds=1)}
    settings = Settings(lake=str(lake.path), reports=tmp_path, on=Workplace("ray"))
    jobs = Jobs(opened_records(settings), lease=timedelta(seconds=9), max_queued=1)
    jobs.add("report", asked)
    job = jobs.claim("report", "me")
    assert job is not None
    assert run_report(settings, jobs, job) == {"stores": len(STORES)}
    assert report_file(settings, job.id).read_bytes() == report_csv(report(lake))
    assert len(done) == 1


def test_what_is_about_one_store_is_not_done_on_a_cluster(lake: Lake, tmp_path: Path) -> None:
    told = storemon_in(tmp_path)("explain", "a", "--lake", lake.path, "--on", "ray")
    assert told.status == 2
    assert b"--on" in told.out + told.err.encode()


def test_a_cluster_that_is_not_there(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    ray.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ClusterError, match=rf"^the Ray cluster 'ray://127.0.0.1:{port}' cannot be joined: .*refused"):
        report(lake, on=f"ray://127.0.0.1:{port}")
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(ClusterError, match="refused"):
        report(lake, on="ray")


def outlast(_: Snapshot, __: Question, stores: pl.DataFrame, *, started: Path) -> pl.DataFrame:
    """Tell the node that this is done on, and wait for its end; the second time all is well."""
    if stores["store_id"][0] == "c" and not started.exists():
        told = started.with_suffix(".new")
        told.write_text(ray.get_runtime_context().get_node_id())
        told.rename(started)
        time.sleep(LONG)
    return stores


def test_a_machine_that_is_lost_is_replaced(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - there is no Ray without the skip above

    ray.shutdown()
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    started = tmp_path / "started"

    def lose() -> None:
        while not started.exists():
            time.sleep(0.05)
        lost = next(node for node in nodes.worker_nodes if node.node_id == started.read_text())
        nodes.remove_node(lost, allow_graceful=False)

    try:
        for _ in range(2):
            nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        monkeypatch.setenv("RAY_ADDRESS", nodes.address)
        assert cluster.join("ray").number == 2
        with ThreadPoolExecutor() as pool:
            losing = pool.submit(lose)
            assert worked(partial(outlast, started=started), lake) == [[store] for store in STORES]
            losing.result()
        assert report(lake, on="ray").equals(report(lake))
    finally:
        ray.shutdown()
        nodes.shutdown()
