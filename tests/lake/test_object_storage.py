"""A lake in object storage: all as in a folder, by a real server in a process of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient

from storemon import ConflictError, EmptyLakeError, Lake, LakeError, audit, explain, hour_of_week, outages, report
from storemon.answers.stores import stores
from storemon.lake.polls import as_kept
from storemon.lake.schemas import HOURS, POLLS
from storemon.lake.tables import Tables
from storemon.sample import write_sample
from storemon.service.app import create_app
from storemon.settings import Settings
from storemon.views.findings import rows_of
from tests.conftest import Storemon
from tests.lake.contents import contents
from tests.lake.files import AT, NOW, folder
from tests.lake.object_storage import Front, Storage, in_front_of, serving
from tests.lake.processes import go, start, told
from tests.printed import report_csv
from tests.service.waiting import ingestion_of, report_of, trigger

pytestmark = pytest.mark.skipif(
    not (find_spec("moto") and find_spec("flask")), reason="the server is not installed: moto[server]"
)

_numbers = count()
POLL = {name: POLLS.schema[name] for name in ("store_key", "polled_at", "active")}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """Start a server, and point the usual variables at it."""
    with serving(tmp_path_factory.mktemp("storage") / "log") as storage, pytest.MonkeyPatch.context() as variables:
        for name, text in {
            "AWS_ENDPOINT_URL": storage.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            variables.setenv(name, text)
        yield storage


@pytest.fixture
def front(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    with in_front_of(storage) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
        yield front


@pytest.fixture
def uri(storage: Storage) -> str:
    """Give the place of a lake that is not there yet, in a bucket of its own."""
    return storage.make(f"bucket-{next(_numbers)}")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an export with all kinds of facts, and a row to reject."""
    where = tmp_path_factory.mktemp("data")
    write_sample(where, stores=20, days=4)
    store = (where / "timezones.csv").read_text().splitlines()[1].split(",")[0]
    folder(
        where,
        special_hours=["*,2024-10-13,10:00,16:00", f"{store},2024-10-14,,"],
        maintenance=[f"{store},2024-10-13 12:00:00 UTC,2024-10-13 15:00:00 UTC,works"],
    )
    with (where / "store_status.csv").open("a") as polls:
        polls.write("cut off he")
    return where


@pytest.fixture(scope="module")
def both(storage: Storage, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Lake]:
    """Make a lake in a folder, and one in object storage, of the same facts."""
    lakes = Lake(tmp_path_factory.mktemp("local") / "lake"), Lake(storage.make("both"))
    for lake in lakes:
        assert [table.added for table in lake.ingest(data, now=NOW).tables][-1] > 100
    return lakes


ANSWERS: dict[str, Callable[[Lake], Any]] = {
    "report": lambda lake: report_csv(report(lake)),
    "days, grouped": lambda lake: report(lake, windows=["3d"], every="day", group_by=["region"]).rows(),
    "short carry limit": lambda lake: report(lake, carry_limit=timedelta(hours=2), policy="nearest").rows(),
    "outages": lambda lake: outages(lake, windows=["3d"]).rows(),
    "hour of week": lambda lake: hour_of_week(lake, windows=["3d"]).rows(),
    "stores": lambda lake: stores(lake, windows=["last_day"]).rows(),
    "audit": lambda lake: rows_of(audit(lake)).rows(),
    "explain": lambda lake: repr(explain(lake, report(lake)["store_id"][3])),
    "rejected": lambda lake: lake.rejected().rows(),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_same_answers(both: tuple[Lake, Lake], answer: str) -> None:
    local, stored = map(ANSWERS[answer], both)
    assert local == stored
    assert local


def test_the_same_facts(both: tuple[Lake, Lake], storage: Storage, tmp_path: Path) -> None:
    assert contents(storage.download("s3://both/some/lake", tmp_path)) == contents(both[0].path)


def test_again_adds_nothing(both: tuple[Lake, Lake], storage: Storage, data: Path) -> None:
    before, versions = storage.keys("both"), both[1].snapshot().versions
    assert [table.added for table in both[1].ingest(data, now=NOW).tables] == [0] * 6
    assert storage.keys("both") == before
    assert both[1].snapshot().versions == versions


def test_a_lake_that_is_not_there_is_empty(uri: str, storage: Storage) -> None:
    lake = Lake(f"{uri}/")
    assert str(lake.snapshot()) == f"the lake in {uri}"
    with pytest.raises(EmptyLakeError):
        report(lake)
    assert report(lake, as_of=NOW).is_empty()
    assert (lake.compact().days, lake.prune(date(2024, 1, 1)).days, lake.vacuum(timedelta())) == (0, 0, [])
    with pytest.raises(LakeError, match="has no folder"):
        _ = lake.path
    assert storage.keys(uri.split("/")[2]) == []


def test_upkeep(uri: str, storage: Storage, tmp_path: Path) -> None:
    lake = Lake(uri)
    for day in (10, 11, 12):
        for hour in (1, 9):
            rows = [f"{store},{'active' if hour > 1 else 'inactive'},2024-10-{day} {hour:02}:00:00" for store in "ab"]
            lake.ingest(folder(tmp_path / "data", polls=rows), now=NOW)
    before, old, answer = contents(storage.download(uri, tmp_path / "before")), lake.snapshot(), report(lake)
    assert attrgetter("days", "files", "doubled")(lake.compact()) == (2, 4, 0)
    assert contents(storage.download(uri, tmp_path / "after")) == before
    assert report(lake).equals(answer)
    assert report(lake.snapshot(old.versions)).equals(answer)
    runs = f"{uri}/latest_runs/"  # which no report needs
    assert not [file for file in lake.vacuum(timedelta(), [old.versions]) if not file.startswith(runs)]
    would = lake.vacuum(timedelta(), dry_run=True)
    assert sorted(lake.vacuum(timedelta())) == sorted(would)
    days = {f"{uri}/polls/polled_on=2024-10-{day}" for day in (10, 11)}
    assert {file.split("/decisive=")[0] for file in would if not file.startswith(runs)} == days
    assert not {file.split("/", 3)[3] for file in would}.intersection(storage.keys(uri.split("/")[2]))
    assert report(lake).equals(answer)
    with pytest.raises(LakeError, match="polls"):
        report(lake.snapshot(old.versions))
    assert lake.prune(date(2024, 10, 12)).polls == 8
    assert {at.date() for at in lake.snapshot().opened[POLLS.name].files["min.polled_at"].drop_nulls()} == {
        date(2024, 10, 10),  # the roster remembers
        date(2024, 10, 12),
    }
    assert len(report(lake)) == 2


def test_writers_at_once(uri: str, storage: Storage, tmp_path: Path) -> None:
    """All of the writers' stores are new, and some are both writers': every key is at stake."""
    parts = [
        folder(tmp_path / str(nth), polls=[f"{n},active,{AT}" for n in range(20 * nth, 20 * nth + 30)])
        for nth in range(2)
    ]
    writers = [start(uri, [part]) for part in parts]
    go(writers)
    assert sum(summary["polls"][1] for writer in writers for summary in told(writer)) == 50
    assert {store for store, _, _ in contents(storage.download(uri, tmp_path / "copy")).polls} == {*map(str, range(50))}


@pytest.mark.parametrize("version", [0, 1])
def test_a_commit_that_is_there_is_never_replaced(
    uri: str, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Another writer commits after this one has looked for the last time: only the server can tell."""
    monkeypatch.setenv("AWS_S3_ALLOW_UNSAFE_RENAME", "true")  # some set it for other tools
    if version:
        Lake(uri).ingest(folder(tmp_path / "data", polls=[f"first,active,{AT}"]), now=NOW)
    theirs = folder(tmp_path / "theirs", polls=[f"theirs,active,{AT}"])
    entry = f"/polls/_delta_log/{version:020}.json"
    front.before["PUT", entry] = lambda: Lake(uri).ingest(theirs, now=NOW)
    tables = Tables(uri)
    read = tables.open(POLLS)
    mine = pl.DataFrame({"store_key": [7], "polled_at": [datetime(2024, 10, 1, tzinfo=UTC)], "active": [True]})
    files = tables.write(read, as_kept(mine))
    with pytest.raises(ConflictError, match="another writer"):
        tables.commit(read, files)
    commits = [seen for seen in front.seen if (seen.method, seen.path[-len(entry) :]) == ("PUT", entry)]
    assert [(seen.if_none_match, seen.status) for seen in commits] == [("*", 200), ("*", 412)]
    assert "theirs" in report(Lake(uri))["store_id"].to_list()


def test_what_was_thwarted_is_done_again(uri: str, front: Front, storage: Storage, tmp_path: Path) -> None:
    mine, theirs = (
        folder(tmp_path / name, polls=[f"{store},active,{AT}" for store in name]) for name in ("abx", "aby")
    )
    front.before["PUT", "/polls/_delta_log/00000000000000000000.json"] = lambda: Lake(uri).ingest(theirs, now=NOW)
    (summary,) = Lake(uri).ingest(mine, now=NOW).tables
    assert (summary.added, summary.known) == (1, 2)
    assert {store for store, _, _ in contents(storage.download(uri, tmp_path / "copy")).polls} == set("abxy")


def test_an_answer_that_is_lost(uri: str, front: Front, storage: Storage, tmp_path: Path) -> None:
    """The commit was made, but its writer is told of an error, tries again, and finds a commit in its place."""
    front.lost.add(("PUT", "/polls/_delta_log/00000000000000000000.json"))
    (summary,) = Lake(uri).ingest(folder(tmp_path / "data", polls=[f"a,active,{AT}"]), now=NOW).tables
    assert not front.lost
    assert (summary.added, summary.known) == (0, 1), "counted as another writer's"
    assert {store for store, _, _ in contents(storage.download(uri, tmp_path / "copy")).polls} == {"a"}


def test_only_the_days_in_question_are_read(uri: str, front: Front, tmp_path: Path) -> None:
    rows = [f"a,{'active' if day % 3 else 'inactive'},2024-10-{day:02} 12:00:00" for day in range(1, 15)]
    lake = Lake(uri)
    lake.ingest(folder(tmp_path / "data", polls=rows), now=NOW)
    front.seen.clear()
    assert len(report(lake, windows=["1d"], carry_limit=timedelta(days=2))) == 1
    read = [seen.path for seen in front.seen if "/polls/polled_on=2024" in seen.path]
    assert {path.split("polled_on=2024-10-")[1][:2] for path in read} == {"11", "12", "13", "14"}
    assert len([seen for seen in front.seen if "_delta_log" in seen.path]) <= 4 + 6 * 2, "six tables are not there"


def test_a_long_log_takes_few_requests(uri: str, front: Front, tmp_path: Path) -> None:
    Lake(uri).ingest(folder(tmp_path / "data", polls=[f"a,active,{AT}"]), now=NOW)
    tables = Tables(uri)
    for nth in range(13):
        read = tables.open(POLLS)
        poll = pl.DataFrame([(0, NOW - timedelta(hours=nth), True)], schema=POLL, orient="row")
        tables.commit(read, tables.write(read, as_kept(poll)))
    front.seen.clear()
    assert Lake(uri).snapshot().versions["polls"] == 13
    names = [seen.path.rsplit("/", 1)[1] for seen in front.seen if "/polls/_delta_log/" in seen.path]
    assert {name for name in names if name.endswith(".json")} == {f"{version:020}.json" for version in (10, 11, 12, 13)}


@pytest.mark.parametrize("table", [POLLS, HOURS])
def test_a_lost_file(uri: str, data: Path, storage: Storage, table: Any) -> None:
    lake = Lake(uri)
    lake.ingest(data, now=NOW)
    storage.remove(lake.snapshot().opened[table.name].files["path"].sort()[1 if table is POLLS else 0])
    with pytest.raises(LakeError, match=rf"{uri}/{table.name}: a file of the table is lost or damaged: ") as error:
        report(lake)
    assert str(error.value).isprintable()


def failing(lake: str, data: Path, advice: str) -> None:
    """Check that to read and to write both tell what to try."""
    for use in (lambda: report(Lake(lake)), lambda: Lake(lake).ingest(data, now=NOW)):
        with pytest.raises(LakeError, match=advice) as error:
            use()
        assert str(error.value).startswith(f"{lake}: the table ")
        assert str(error.value).isprintable(), "a colour, or the lines of a backtrace"
        assert not isinstance(error.value, EmptyLakeError)


def test_a_bucket_that_is_not_there(storage: Storage, data: Path) -> None:
    assert storage
    failing("s3://nowhere/lake", data, "there is no such bucket; create it, or correct --lake")


def test_a_server_that_is_not_there(uri: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    failing(uri, data, "object storage cannot be reached; check AWS_ENDPOINT_URL and the network")


def test_no_credentials(uri: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # where a machine with a role would ask
    failing(uri, data, "there are no credentials for object storage; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")


REFUSED = {
    "InvalidAccessKeyId": (403, "refuses these credentials; check AWS_ACCESS_KEY_ID"),
    "SignatureDoesNotMatch": (403, "refuses these credentials; check AWS_ACCESS_KEY_ID"),
    "AccessDenied": (403, "refuses these credentials; check AWS_ACCESS_KEY_ID"),
    "PermanentRedirect": (301, "the bucket is in another region; set AWS_REGION"),
    "AuthorizationHeaderMalformed": (400, "the bucket is in another region; set AWS_REGION"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_the_server_refuses(uri: str, front: Front, data: Path, code: str) -> None:
    status, advice = REFUSED[code]
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>For a reason.</Message></Error>'
    front.instead = status, text.encode()
    failing(uri, data, advice)


@pytest.mark.parametrize(
    "text", ["s3://", "s3:/bucket/lake", "s3://bucket//lake", "s3://bucket/a b", "s3://bucket/../lake", "gs://b/lake"]
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(LakeError, match="a lake lies in a folder or, given as text, at s3://bucket/path"):
        Lake(text)


def test_the_commands(uri: str, data: Path, storemon: Storemon) -> None:
    assert storemon("ingest", data, "--lake", uri).status == 0
    assert storemon("report", STOREMON_LAKE=uri).out == report_csv(report(Lake(uri)))
    wrong = storemon("report", "--lake", "s3://nowhere/lake")
    assert wrong.status != 0
    assert wrong.err.startswith("storemon: s3://nowhere/lake: the table 'polls' cannot be read: there is no such buck")


def test_the_service(uri: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREMON_LAKE", uri)
    settings = Settings.load(data=data, reports=tmp_path / "reports")
    with TestClient(create_app(settings)) as client:
        assert client.get("/health").status_code == 503
        assert ingestion_of(client, str(data))["status"] == "Complete"
        assert client.get("/health").json()["lake"]["newest_poll_at"]
        assert report_of(client, trigger(client)).content == report_csv(report(Lake(uri)))
