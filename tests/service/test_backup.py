"""Everything lost, and everything back, to the byte; of a backup that is not whole, or not ours, nothing."""

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import msgspec
import polars as pl
import pyarrow as pa
import pytest
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, String, select

from storemon.answers.report import report
from storemon.backups.archive import LIST, Contents, entries
from storemon.backups.backup import back_up
from storemon.backups.restore import restore
from storemon.errors import FileError, LakeError, RecordsError, StoremonError
from storemon.intake.lake import Lake
from storemon.lake.files import Files
from storemon.records.files import report_file
from storemon.records.inbox import POLLS as WAITING
from storemon.records.inbox import Batch, Inbox
from storemon.records.jobs import Jobs, complete_reports, pinned_versions
from storemon.records.keys import opened_keys
from storemon.records.leases import Leases
from storemon.records.opening import opened_records
from storemon.records.tables import METADATA
from storemon.settings import Settings
from storemon.units.addresses import DatabaseAddress
from tests.examples import examples
from tests.lake.object_storage import Storage, serving
from tests.postgres import Postgres
from tests.printed import report_csv
from tests.service.conftest import POLLS, write_csvs
from tests.service.server import REAL, SLOW, running
from tests.service.test_crashes import begun
from tests.service.waiting import report_of, trigger, until

ARCHIVE = Path("backup.tar.zst")
AT = datetime(2024, 10, 3, 12, tzinfo=UTC)
OTHER_LAKE, OTHER_REPORTS = "other/lake", Path("other/reports")
BACKUPS = examples(24)
LATER = POLLS + "1,inactive,2024-10-14 23:50:00 UTC\n4,active,2024-10-13 10:00:00 UTC\n"


@pytest.fixture
def database() -> str:
    """Of the records; that they go from one kind into the other is a test of its own."""
    return "sqlite"


def elsewhere(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, lake=OTHER_LAKE, reports=OTHER_REPORTS)


def tree(*folders: str | Path) -> dict[str, bytes]:
    """Every file below some folders, but for the database's own."""
    paths = [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in paths if not path.name.startswith("storemon.db")}


def lose(settings: Settings) -> None:
    shutil.rmtree(settings.lake)
    shutil.rmtree(settings.reports)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service's folders after some life: reports of two versions of the lake, and files that nobody needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("life"))
        lake = Lake("parquet")
        with running(*REAL) as server, server.client() as client:
            for polls in (POLLS, LATER):
                write_csvs(Path("data"), polls)
                lake.ingest("data")
                report_of(client, trigger(client))
            server.stop(signal.SIGTERM)
        Path("reports", "my own.csv").write_text("mine")
        Path("parquet", "polls", "stray.parquet").write_bytes(b"PAR1")
        back_up(Settings(), ARCHIVE)
        return Path.cwd()


@pytest.fixture
def lived(settings: Settings, life: Path) -> Settings:
    """Settings of folders of such a life."""
    for name in ("data", "parquet", "reports"):
        shutil.copytree(life / name, name, dirs_exist_ok=True)
    return settings


@pytest.fixture
def archive(life: Path, lived: Settings) -> Path:
    """A backup of it."""
    assert lived
    shutil.copy(life / ARCHIVE, ARCHIVE)
    return ARCHIVE


def seen(client: httpx.Client, reports: list[str], key: str) -> dict[str, Any]:
    """All that a client sees of what a service knows."""
    told: dict[str, Any] = {}
    headers = {"X-API-Key": key}
    paths = [f"/get_report/{report_id}" for report_id in reports[:2]]
    paths += [f"/v1/reports/{reports[2]}/content?format={form}" for form in ("csv", "parquet", "json")]
    paths += ["/v1/reports", *(f"/v1/reports/{report_id}" for report_id in reports), "/v1/report?format=csv"]
    for path in paths:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.text)
        kept = ("etag", "last-modified", "x-report-lake", "x-report-as-of", "content-disposition", "content-length")
        told[path] = (answer.content, {name: answer.headers.get(name) for name in kept})
    assert client.get("/v1/reports").status_code == 401
    return told


def of_interest(name: str) -> bool:
    """Tell whether a file must come back as it was; the latest runs follow from the polls, and are found anew."""
    return ("_delta_log" in name and "latest_runs" not in name) or "reports" in name


def test_all_is_lost_and_all_is_back(settings: Settings, lake: Lake, jobs: Jobs) -> None:
    with opened_keys(settings) as keys:
        _, key = keys.create("admin")
    headers = {"X-API-Key": key}
    with running(*REAL) as server, httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        first = trigger(client)
        report_of(client, first)
        write_csvs(settings.data, LATER)
        lake.ingest(settings.data)
        lake.compact()
        second = trigger(client)
        report_of(client, second)
        third = client.post("/v1/reports", json={"window": "last_day", "measures": "availability"}).json()["id"]
        until(lambda: client.get(f"/v1/reports/{third}").json()["state"] == "complete")
    with running(*SLOW, SLOW_SECONDS="60") as server:
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            interrupted = trigger(client)
            pinned = begun(jobs, interrupted).parameters
        with server.client() as client:
            before = seen(client, [first, second, third], key)
        expected = report_csv(report(lake))
        printed = subprocess.run(
            [sys.executable, "-m", "storemon", "backup", str(ARCHIVE)], check=True, capture_output=True
        )
        assert printed.stdout.rstrip().endswith(b" MB; jobs: 4, keys: 1")
        assert printed.stderr == b""
        server.kill()
    files = tree("parquet", "reports")
    lose(settings)
    write_csvs(settings.data, POLLS)
    told = subprocess.run([sys.executable, "-m", "storemon", "restore", str(ARCHIVE)], check=True, capture_output=True)
    assert told.stdout.startswith(b"backup.tar.zst: restored ")
    assert {name: content for name, content in files.items() if of_interest(name)} == {
        name: content for name, content in tree("parquet", "reports").items() if of_interest(name)
    }
    with running(*REAL) as server:
        with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
            assert report_of(client, interrupted).content == expected
            again = jobs_of(settings).get("report", interrupted)
            assert again is not None
            assert (again.attempts, again.parameters) == (2, pinned)
        with server.client() as client:
            after = seen(client, [first, second, third], key)
    listed = [json.loads(told.pop("/v1/reports")[0]) for told in (before, after)]
    assert [job["id"] for job in listed[0]["rows"]] == [job["id"] for job in listed[1]["rows"]]
    assert before == after
    assert report_csv(report(Lake(settings.lake))) == expected


def jobs_of(settings: Settings) -> Jobs:
    return Jobs(opened_records(settings), lease=settings.lease, max_queued=settings.max_queued)


def test_every_version_that_a_report_names_can_be_read(lived: Settings) -> None:
    kept = back_up(lived, ARCHIVE)
    assert not kept.gone
    names = kept.contents.files.keys()
    assert not [name for name in names if "stray" in name or "my own" in name or "storemon.db" in name]
    restore(elsewhere(lived), ARCHIVE)
    old, new = (
        [report_csv(report(Lake(place).snapshot(versions))) for versions in pinned(lived)]
        for place in (lived.lake, OTHER_LAKE)
    )
    assert old == new
    assert len({*old}) == 2


def pinned(settings: Settings) -> list[dict[str, int]]:
    records = opened_records(settings)
    with records.connect() as connection:
        versions = pinned_versions(connection)
    records.dispose()
    return versions


def test_polls_that_wait_come_back(settings: Settings, lake: Lake) -> None:
    """They are in no lake yet; and what is taken after a restore gets ids of its own."""
    assert lake
    waiting = pl.DataFrame([("waits", AT, True)], schema=WAITING, orient="row")
    records = opened_records(settings)
    Inbox(records, most=1 << 30).put([Batch(waiting)])
    assert Leases(records).take("inbox", "us", timedelta(minutes=5))
    back_up(settings, ARCHIVE)
    records.dispose()
    restore(elsewhere(settings), ARCHIVE)
    again = opened_records(elsewhere(settings))
    inbox = Inbox(again, most=1 << 30)
    assert [held.polls.rows() for held in inbox.take(10)] == [waiting.rows()]
    inbox.put([Batch(waiting)])
    assert inbox.waiting().batches == 2
    assert Leases(again).take("inbox", "them", timedelta(minutes=5))
    again.dispose()


def test_nobody_else_may_read_it(lived: Settings) -> None:
    for _ in range(2):
        back_up(lived, ARCHIVE)
        assert ARCHIVE.stat().st_mode & 0o777 == 0o600


def test_what_is_gone_is_told(lived: Settings, jobs: Jobs) -> None:
    newest = jobs.list("report", 1)[0]
    report_file(lived, newest.id).unlink()
    lake = Lake(lived.lake)
    lake.compact()
    assert lake.vacuum(timedelta())
    gone = back_up(lived, ARCHIVE).gone
    assert f"the file of the report {newest.id}" in gone
    assert [what for what in gone if what.endswith(".parquet")]
    restore(elsewhere(lived), ARCHIVE)
    assert report(Lake(OTHER_LAKE)).equals(report(lake))


def test_versions_of_a_lake_that_is_no_more(lived: Settings) -> None:
    shutil.rmtree(lived.lake)
    Lake(lived.lake).ingest(lived.data)
    assert {"polls at version 1", "hours at version 1"} & {*back_up(lived, ARCHIVE).gone} == {"polls at version 1"}


def test_a_lost_file_of_the_newest_version_ends_it(lived: Settings) -> None:
    ARCHIVE.write_bytes(b"the last one")
    next(Path(lived.lake, "zones").glob("*.parquet")).unlink()
    with pytest.raises(
        LakeError, match=r"a file cannot be read: .*; if a vacuum took it just now, make the backup again"
    ):
        back_up(lived, ARCHIVE)
    assert ARCHIVE.read_bytes() == b"the last one"
    assert not list(Path().glob(".*.part"))


def test_no_records_are_no_backup(settings: Settings, lake: Lake) -> None:
    assert lake
    with pytest.raises(RecordsError, match=r"reports/storemon\.db: there are no records; name .* with --reports"):
        back_up(settings, ARCHIVE)
    assert not settings.reports.exists()


def test_a_backup_is_of_one_moment_though_the_service_goes_on(settings: Settings, lake: Lake) -> None:
    """Each of several has all that its own records name, while others ingest, report, merge and vacuum."""
    over = Event()

    def change() -> None:
        minute = 0
        while not over.is_set():
            minute += 1
            polls = f"{minute % 7},active,2024-10-{minute % 9 + 1:02} 10:{minute % 60:02}:{minute // 60:02} UTC\n"
            write_csvs(settings.data, POLLS + polls)
            lake.ingest(settings.data)
            lake.compact()
            lake.vacuum(timedelta(hours=1))

    with running(*REAL, workers=2) as server, server.client() as client:
        writer = Thread(target=change)
        writer.start()
        try:
            for nth in range(BACKUPS):
                waiting = [trigger(client) for _ in range(3)]
                back_up(settings, Path(f"{nth}.tar.zst"))
                for report_id in waiting:
                    report_of(client, report_id)
        finally:
            over.set()
            writer.join()
    for nth in range(BACKUPS):
        there = msgspec.structs.replace(settings, lake=f"{nth}/lake", reports=Path(f"{nth}/reports"))
        restore(there, Path(f"{nth}.tar.zst"))
        records = opened_records(there)
        with records.connect() as connection:
            reports = complete_reports(connection)
        records.dispose()
        assert len(reports) >= 3 * nth
        for report_id in reports:
            assert report_file(there, report_id).read_bytes() == report_file(settings, report_id).read_bytes()
        for versions in pinned(there):
            assert report_csv(report(Lake(there.lake).snapshot(versions)))
        assert report_csv(report(Lake(there.lake)))


def test_a_backup_that_is_killed_leaves_what_was_there(lived: Settings) -> None:
    ARCHIVE.write_bytes(b"the last one")
    code = (
        "import os, sys; from pathlib import Path; from storemon.backups import backup\n"
        "from storemon.settings import Settings\n"
        "backup.finish = lambda *_: os.kill(os.getpid(), 9)\n"
        "backup.back_up(Settings.load(), Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(ARCHIVE)], check=False).returncode == -signal.SIGKILL
    assert ARCHIVE.read_bytes() == b"the last one"
    assert len(list(Path().glob(".*.part"))) == 1
    back_up(lived, ARCHIVE)
    assert not list(Path().glob(".*.part"))
    restore(elsewhere(lived), ARCHIVE)


def refused(settings: Settings, archive: Path, why: str, error: type[StoremonError] = FileError) -> None:
    """Try to restore elsewhere, and find nothing there."""
    before = tree("other")
    with pytest.raises(error, match=why):
        restore(elsewhere(settings), archive)
    assert tree("other") == before


def test_nothing_is_overwritten(lived: Settings, archive: Path) -> None:
    before = tree("parquet", "reports")
    with pytest.raises(
        RecordsError, match=r"reports/storemon\.db: there are jobs in the records already; name another"
    ):
        restore(lived, archive)
    Lake(OTHER_LAKE).ingest(lived.data)
    refused(lived, archive, "other/lake: there is another lake here already, with .*; name another place", LakeError)
    shutil.rmtree("other")
    (name,) = [name for name in tree("reports") if name.endswith(".csv") and "my own" not in name][:1]
    OTHER_REPORTS.mkdir(parents=True)
    (Path("other") / name).write_text("mine")
    refused(lived, archive, f"other/{name}: there is another file here already; name another folder")
    shutil.rmtree("other")
    with opened_keys(elsewhere(lived)) as keys:
        keys.create("reader")
    refused(lived, archive, "other/reports/storemon.db: there are keys in the records already", RecordsError)
    assert tree("parquet", "reports") == before


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_damaged_one_is_refused(lived: Settings, archive: Path, share: float) -> None:
    whole = archive.read_bytes()
    at = int(len(whole) * share)
    archive.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    refused(lived, archive, "this is no whole backup of storemon: .*; nothing was changed|no backup of storemon has")
    archive.write_bytes(whole[:at])
    refused(lived, archive, "this is no whole backup of storemon: ")


@pytest.mark.parametrize("content", [b"", b"a text", b"PK\x03\x04"])
def test_something_else_is_refused(settings: Settings, content: bytes) -> None:
    ARCHIVE.write_bytes(content)
    refused(settings, ARCHIVE, "backup.tar.zst: this is no whole backup of storemon: ")
    with pytest.raises(FileError, match=r"nowhere: it cannot be read: No such file"):
        restore(settings, Path("nowhere"))


Change = Callable[[dict[str, bytes], Contents], object]


def repacked(archive: Path, change: Change, *more: tarfile.TarInfo, first: bool = True) -> None:
    """Write an archive anew, with its list in agreement, and with something else in it."""
    content = {entry.name: b"".join(entry.pieces) for entry in entries(archive, lambda _: True)}
    contents = msgspec.json.decode(content.pop(LIST), type=Contents)
    change(content, contents)
    files = {name: {"size": len(data), "sha256": sha256(data).hexdigest()} for name, data in content.items()}
    content[LIST] = json.dumps(msgspec.to_builtins(contents) | {"files": files}).encode()
    with pa.CompressedOutputStream(str(archive), "zstd") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for info in more if first else ():
            tar.addfile(info)
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in () if first else more:
            tar.addfile(info)


def nothing(*_: object) -> None:
    """Change nothing."""


def test_one_that_is_written_anew_is_taken(lived: Settings, archive: Path) -> None:
    repacked(archive, nothing)
    restore(elsewhere(lived), archive)


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "lake/../../evil",
        "lake/polls/../../../evil",
        "lake/polls/.hidden",
        "lake/elsewhere/file.parquet",
        "lake/polls/",
        "lake//polls/x",
        "lake/polls/a\nb",
        "lake/polls/\u00e4",
        "reports/../evil.csv",
        "reports/storemon.db",
        "reports/a.csv",
        "records/migrations.ndjson",
        "records/../jobs.ndjson",
        "evil",
    ],
)
def test_names_that_are_not_ours_are_refused(lived: Settings, archive: Path, name: str) -> None:
    repacked(archive, lambda content, _: content.update({name: b"evil"}))
    refused(lived, archive, "no backup of storemon has .* in it; nothing was changed")
    assert not [*Path().rglob("*evil*"), *Path("..").glob("*evil*")]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_are_refused(lived: Settings, archive: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("lake/polls/x.parquet")
    info.type, info.linkname = kind, "/etc/passwd"
    repacked(archive, nothing, info)
    refused(lived, archive, "no backup of storemon has 'lake/polls/x.parquet' in it")


def test_what_comes_twice_or_late_is_refused(lived: Settings, archive: Path) -> None:
    repacked(archive, nothing, tarfile.TarInfo("records/jobs.ndjson"))
    refused(lived, archive, "'records/jobs.ndjson' is in it twice, or too late")
    back_up(lived, archive)
    repacked(archive, nothing, tarfile.TarInfo("lake/polls/late.parquet"), first=False)
    refused(lived, archive, "'lake/polls/late.parquet' is in it twice, or too late")


def test_formats_that_are_not_known_are_refused(lived: Settings, archive: Path) -> None:
    repacked(archive, lambda _, contents: msgspec.structs.force_setattr(contents, "lake", 2))
    refused(lived, archive, "this backup has format 2 of the lake, and this storemon knows up to 1; restore it with st")
    repacked(archive, lambda _, contents: msgspec.structs.force_setattr(contents, "records", "9"))
    repacked(archive, lambda _, contents: msgspec.structs.force_setattr(contents, "lake", 1))
    refused(lived, archive, "this backup has format 9 of the records, and this storemon knows up to 0004; restore it")
    repacked(archive, lambda _, contents: msgspec.structs.force_setattr(contents, "archive", 2))
    refused(lived, archive, "this backup is of format 2, and this storemon reads format 1; restore it with storemon 0")


@pytest.mark.parametrize("row", [b"no json\n", b"[1]\n", b'{"id": "x", "colour": "red"}\n', b'{"id": "x"}\n'])
def test_odd_rows_are_refused_and_nothing_is_left(lived: Settings, archive: Path, row: bytes) -> None:
    repacked(archive, lambda content, _: content.update({"records/keys.ndjson": row}))
    refused(lived, archive, "'keys'|cannot be written", StoremonError)
    assert not [*Path("other/lake").rglob("*.parquet")], "what was put was taken away"
    back_up(lived, archive)
    restore(elsewhere(lived), archive)


def test_a_disk_that_is_full_leaves_nothing(lived: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Files.put

    def full(self: Files, name: str, pieces: Iterator[bytes]) -> None:
        if name.startswith("polls/_delta_log"):
            raise LakeError("the disk is full")
        put(self, name, pieces)

    with monkeypatch.context() as patch:
        patch.setattr(Files, "put", full)
        refused(lived, archive, "the disk is full", LakeError)
    restore(elsewhere(lived), archive)
    assert report(Lake(OTHER_LAKE)).equals(report(Lake(lived.lake)))


KILLED = """
import os, sys
from pathlib import Path
from storemon.lake.files import Files
from storemon.backups import restore
from storemon.settings import Settings

left = int(sys.argv[2])

def counted(done):
    def run(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return done(*args, **kwargs)
    return run

for where, name in ((Files, "put"), (restore, "save"), (restore, "insert_lines")):
    setattr(where, name, counted(getattr(where, name)))
restore.restore(Settings.load(lake="other/lake", reports="other/reports"), Path(sys.argv[1]))
"""


def test_one_that_is_killed_is_finished_by_another(lived: Settings, archive: Path) -> None:
    expected = report_csv(report(Lake(lived.lake)))
    steps = sum(1 for _ in entries(archive, lambda _: True)) - 1
    for step in sorted({*range(1, steps, steps // examples(steps)), *range(steps - 2, steps)}):
        shutil.rmtree("other", ignore_errors=True)
        ran = subprocess.run([sys.executable, "-c", KILLED, str(archive), str(step)], check=False)
        assert ran.returncode == -signal.SIGKILL, step
        there = Lake(OTHER_LAKE)
        with suppress(LakeError):  # there are no polls yet, or they cannot be read yet
            assert report_csv(report(there)) == expected, "the polls are the last of all tables"
        restore(elsewhere(lived), archive)
        assert report_csv(report(there)) == expected


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with serving(tmp_path_factory.mktemp("storage") / "log") as storage:
        yield storage


def test_a_lake_goes_from_object_storage_to_a_folder_and_back(
    settings: Settings, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("ENDPOINT_URL", storage.url),
        ("ACCESS_KEY_ID", "x"),
        ("SECRET_ACCESS_KEY", "x"),
        ("REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", text)
    there = msgspec.structs.replace(settings, lake=storage.make("first"))
    for minute in range(12):  # past a checkpoint
        write_csvs(settings.data, POLLS + f"1,active,2024-10-14 10:{minute:02}:00 UTC\n")
        Lake(there.lake).ingest(settings.data)
    with opened_keys(there) as keys:
        keys.create("reader")
    expected = report_csv(report(Lake(there.lake)))
    back_up(there, ARCHIVE)
    restore(elsewhere(settings), ARCHIVE)
    assert report_csv(report(Lake(OTHER_LAKE))) == expected
    assert Lake(OTHER_LAKE).snapshot().versions == Lake(there.lake).snapshot().versions
    refused(there, ARCHIVE, "there are keys in the records already", RecordsError)
    again = msgspec.structs.replace(settings, lake=storage.make("second"), reports=Path("again"))
    restore(again, ARCHIVE)
    assert report_csv(report(Lake(again.lake))) == expected
    assert report_csv(report(Lake(again.lake).snapshot({"polls": 3}))) != expected
    Lake(again.lake).ingest(settings.data)
    with pytest.raises(RecordsError, match="there are keys in the records already"):
        restore(again, ARCHIVE)
    write_csvs(settings.data, LATER)
    Lake(again.lake).ingest(settings.data)
    with pytest.raises(LakeError, match="there is another lake here already, with polls/_delta_log/"):
        restore(again, ARCHIVE)


def test_records_go_from_one_kind_of_database_to_the_other_and_back(
    lived: Settings, archive: Path, postgres: Postgres
) -> None:
    with opened_keys(lived) as keys:
        keys.create("writer", {"region": "West"})
    back_up(lived, archive)
    expected = rows(lived)
    server = msgspec.structs.replace(elsewhere(lived), database=DatabaseAddress(postgres.database()))
    restore(server, archive)
    assert rows(server) == expected
    with pytest.raises(
        RecordsError, match=r"postgresql://storemon:\*\*\*@.*: there are jobs in the records already; name"
    ):
        restore(msgspec.structs.replace(server, lake="third"), archive)
    back_up(server, archive)
    home = msgspec.structs.replace(lived, lake="home/lake", reports=Path("home/reports"))
    restore(home, archive)
    assert rows(home) == expected
    assert sum(map(len, expected.values())) == 3


def rows(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    records = opened_records(settings)
    with records.connect() as connection:
        found = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }
    records.dispose()
    return found


def test_rows_of_an_older_format_get_what_came_since(lived: Settings, archive: Path) -> None:
    def change(content: dict[str, bytes], contents: Contents) -> None:
        msgspec.structs.force_setattr(contents, "records", "0001")
        jobs = [json.loads(line) for line in content["records/jobs.ndjson"].splitlines()]
        lines = [{name: value for name, value in job.items() if name not in since} for job in jobs]
        content["records/jobs.ndjson"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    since = {"priority", "run_after", "dedupe_key", "progress"}
    expected = rows(lived)["jobs"]
    repacked(archive, change)
    restore(elsewhere(lived), archive)
    assert rows(elsewhere(lived))["jobs"] == [(*row[: -len(since)], 0, None, None, None) for row in expected]


def test_every_column_of_the_records_can_be_written_as_text() -> None:
    columns = [column for table in METADATA.sorted_tables for column in table.columns]
    plain = (String, Integer, BigInteger, Float, Boolean, LargeBinary)  # the last in base64
    assert not [column for column in columns if not isinstance(column.type, plain) and str(column.type) != "JSON"]


def test_the_command_says_what_it_cannot_do(lived: Settings) -> None:
    assert lived
    ran = subprocess.run(
        [sys.executable, "-m", "storemon", "restore", "none"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "storemon: none: it cannot be read: No such file or directory\n"
    full = subprocess.run(
        [sys.executable, "-m", "storemon", "backup", "/dev/full"], capture_output=True, text=True, check=False
    )
    assert (full.returncode, full.stderr) == (
        2,
        "storemon: /dev/full: the backup cannot be written: No space left on device\n",
    )
