"""What the job of a tick does: wait, ask, write, tell. The facts are those worked by hand in docs/schedules.md."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine

from storemon.errors import InputError, LakeError
from storemon.intake.lake import Lake
from storemon.lake.kept import KeptLake
from storemon.questions.kinds import KINDS
from storemon.records.files import report_file
from storemon.records.inbox import POLLS, Batch, Inbox
from storemon.records.jobs import Job, Jobs, PutBackError
from storemon.settings import Settings
from storemon.units.instants import microseconds
from storemon.views.forms import FORMS
from storemon.watch.schedules.schedule import Schedule
from storemon.watch.schedules.work import Work
from tests.watch.schedules.scheduled import NO_CHANNELS, by_the_database, notices_of, schedule

FACTS = {
    "store_status.csv": """store_id,status,timestamp_utc
north,active,2024-10-07 14:00:00 UTC
north,inactive,2024-10-07 20:00:00 UTC
north,active,2024-10-07 21:00:00 UTC
south,active,2024-10-07 14:00:00 UTC
north,active,2024-10-14 12:05:00 UTC
south,active,2024-10-14 12:05:00 UTC
""",
    "menu_hours.csv": """store_id,dayOfWeek,start_time_local,end_time_local
north,0,09:00:00,17:00:00
south,0,09:00:00,17:00:00
""",
    "timezones.csv": """store_id,timezone_str
north,America/Chicago
south,America/Chicago
""",
    "stores.csv": """store_id,region
north,North
south,South
""",
}
TICK = datetime(2024, 10, 14, 12, tzinfo=UTC)  # a Monday at seven in Chicago
WEEKLY = schedule(
    cron="0 7 * * MON", zone="America/Chicago", options={"window": ["last-week"], "group_by": ["region"]}, form="csv"
)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir()
    for name, text in FACTS.items():
        (data / name).write_text(text)
    placed = replace(settings, lake=str(tmp_path / "parquet"))
    Lake(placed.lake).ingest(data)
    return placed


@pytest.fixture
def jobs(records: Engine) -> Jobs:
    return Jobs(records, lease=timedelta(minutes=1), max_queued=100)


def job_of(jobs: Jobs, asked: Schedule, *, at: datetime = TICK, waits: bool = True, name: str = "weekly") -> Job:
    written = msgspec.to_builtins(asked.checked(NO_CHANNELS))
    jobs.add("schedule", {"schedule": name, "tick_at": microseconds(at), "written": written, "waits": waits})
    return claimed(jobs)


def claimed(jobs: Jobs) -> Job:
    job = jobs.claim("schedule", "us")
    assert job
    return job


def test_the_worked_example(settings: Settings, records: Engine, jobs: Jobs) -> None:
    job = job_of(jobs, replace(WEEKLY, to=["mail:a@example.org", "mail:b@example.org"]))
    result = Work(settings, records).run(job)
    assert {name: result[name] for name in ("rows", "form", "missing")} == {"rows": 2, "form": "csv", "missing": 0}
    file = report_file(settings, job.id, "csv")
    head = "region,stores,uptime_last-week,downtime_last-week"
    assert file.read_text() == f"{head}\nNorth,1,7.00,1.00\nSouth,1,8.00,0.00\n"
    first, second = (notice["message"] for notice in notices_of(records))
    assert {notice["channel"] for notice in notices_of(records)} == {"mail:a@example.org", "mail:b@example.org"}
    assert first["id"] != second["id"]
    assert first["title"] == "weekly: report as of Mon 2024-10-14 07:00 CDT"
    assert first["severity"] == "info"
    assert first["files"] == [{"name": "weekly-2024-10-14.csv", "kind": "text/csv", "place": str(file.resolve())}]
    lines = [" ".join(line.split()) for line in first["text"].splitlines() if line]
    assert lines[:-1] == [
        "report --window last-week --group-by region",
        "last-week: from Mon 2024-10-07 00:00 to Mon 2024-10-14 00:00, by each store's clocks",
        "2 stores together",
        "availability (%) uptime (hours) downtime (hours) unknown (hours) coverage (%)",
        "93.75 15.00 1.00 0.00 100.00",
        "All 2 groups, most downtime first",
        "region stores uptime (hours) downtime (hours)",
        "North 1 7.00 1.00",
        "South 1 8.00 0.00",
    ]
    assert "weekly-2024-10-14.csv: 2 groups." in lines[-1]
    for told in ("93.75", "North", "by each store&#39;s clocks", "weekly-2024-10-14.csv"):
        assert told in first["html"]
    data = first["data"]
    assert (data["kind"], data["schedule"], data["job"], data["rows"]) == ("answer", "weekly", job.id, 2)
    assert data["totals"][0]["availability (%)"] == "93.75"


@pytest.mark.parametrize("kind", KINDS)
def test_any_answer_in_any_form(kind: str, settings: Settings, records: Engine, jobs: Jobs) -> None:
    options = {} if kind in {"now", "audit"} else {"window": ["last-week"]}
    for form in FORMS:
        job = job_of(jobs, schedule(kind, form=form, options=options))
        result = Work(settings, records).run(job)
        file = report_file(settings, job.id, form)
        assert file.stat().st_size > 0
        assert notices_of(records)[-1]["message"]["files"][0]["name"] == f"weekly-2024-10-14.{form}"
        if form == "parquet":
            assert len(pl.read_parquet(file)) == result["rows"] > 0


def test_it_waits_for_the_polls_of_the_window(settings: Settings, records: Engine, jobs: Jobs) -> None:
    """A window that ends now: the newest poll is years old, so they have not come."""
    now = by_the_database(records)
    job = job_of(jobs, replace(WEEKLY, grace="2h"), at=now)
    work = Work(settings, records)
    with pytest.raises(PutBackError) as put_back:
        work.run(job)
    assert timedelta() < put_back.value.after <= timedelta(seconds=15)
    assert not notices_of(records)
    assert jobs.postpone(job, timedelta(), put_back.value.parameters)
    Lake(settings.lake).ingest(polls_of(settings, now + timedelta(seconds=1)))
    again = claimed(jobs)
    assert again.attempts == 1  # what was put back does not count
    work.run(again)
    (notice,) = notices_of(records)
    assert "The polls end" not in notice["message"]["text"]


def polls_of(settings: Settings, *at: datetime, stores: tuple[str, ...] = ("north", "south")) -> Path:
    rows = [f"{store},active,{each:%Y-%m-%d %H:%M:%S} UTC" for store in stores for each in at]
    file = Path(settings.lake).parent / "more.csv"
    file.write_text("\n".join(["store_id,status,timestamp_utc", *rows, ""]))
    return file


def test_a_calendar_window_needs_no_polls_after_its_end(settings: Settings, records: Engine, jobs: Jobs) -> None:
    """Last week ended at midnight: that there is no poll after the tick does not matter."""
    Lake(settings.lake).ingest(polls_of(settings, datetime(2024, 10, 21, 5, tzinfo=UTC)))
    job = job_of(jobs, replace(WEEKLY, grace="7d"), at=TICK + timedelta(days=7))
    Work(settings, records).run(job)
    (notice,) = notices_of(records)
    assert notice["message"]["severity"] == "info"


@pytest.mark.parametrize(("grace", "waits"), [("0", True), ("2h", False)])
def test_when_they_did_not_come_the_message_says_how_far_they_reach(
    grace: str, *, waits: bool, settings: Settings, records: Engine, jobs: Jobs
) -> None:
    job = job_of(jobs, replace(WEEKLY, grace=grace), at=TICK + timedelta(days=7), waits=waits)
    assert Work(settings, records).run(job)["missing"] == 2
    (notice,) = notices_of(records)
    message = notice["message"]
    assert message["title"] == "weekly: report as of Mon 2024-10-21 07:00 CDT, with polls missing"
    assert message["severity"] == "warning"
    assert (
        "The polls end at Mon 2024-10-14 07:05 CDT, before the windows do, at Mon 2024-10-21 00:00 CDT."
        in (message["text"])
    )
    assert "2 of 2 stores were last polled more than 3h before Mon 2024-10-21 00:00 CDT" in message["text"]
    assert message["data"]["polls_until"] == "2024-10-14T12:05:00+00:00"


def test_the_grace_ends(settings: Settings, records: Engine, jobs: Jobs) -> None:
    """It is counted from when the job was queued; so what is made up for after a stop waits as well."""
    job = job_of(jobs, replace(WEEKLY, grace="2h"), at=by_the_database(records))
    work = Work(settings, records)
    with pytest.raises(PutBackError):
        work.run(job)
    work.run(replace(job, queued_at=job.queued_at - 2 * 3600 * 1_000_000))
    (notice,) = notices_of(records)
    assert "They were waited for, for 2h." in notice["message"]["text"]


def test_polls_of_some_stores_are_told(settings: Settings, records: Engine, jobs: Jobs) -> None:
    at = datetime(2024, 10, 21, 12, tzinfo=UTC)
    Lake(settings.lake).ingest(polls_of(settings, at, stores=("north",)))
    Work(settings, records).run(job_of(jobs, WEEKLY, at=at))
    (notice,) = notices_of(records)
    text = notice["message"]["text"]
    assert "1 of 2 stores were last polled more than 3h before" in text
    assert "south (Mon 2024-10-14 07:05 CDT)." in text
    assert notice["message"]["data"]["late_stores"] == 1


def test_it_waits_until_what_was_in_the_inbox_is_in_the_lake(settings: Settings, records: Engine, jobs: Jobs) -> None:
    inbox, work = Inbox(records, most=10**9), Work(settings, records)
    batch = Batch(pl.DataFrame([("north", TICK, True)], schema=POLLS, orient="row"))
    inbox.put([batch])
    job = job_of(jobs, WEEKLY)
    with pytest.raises(PutBackError) as put_back:
        work.run(job)
    reached_at = put_back.value.parameters["reached_at"]
    assert reached_at is not None
    waiting = replace(job, parameters=put_back.value.parameters)
    with pytest.raises(PutBackError) as again:
        work.run(waiting)
    assert again.value.parameters["reached_at"] == reached_at
    inbox.drop(inbox.take(10))
    inbox.put([batch])  # came later, and others always will
    work.run(waiting)
    assert len(notices_of(records)) == 1


def test_one_that_was_canceled_tells_nobody(settings: Settings, records: Engine, jobs: Jobs) -> None:
    job = job_of(jobs, WEEKLY)
    jobs.cancel("schedule", job.id)
    Work(settings, records).run(job)
    assert not notices_of(records)


def test_one_that_died_after_it_told_tells_nobody_again(settings: Settings, records: Engine, jobs: Jobs) -> None:
    Jobs(records, lease=timedelta(), max_queued=9)
    job = job_of(jobs, WEEKLY)
    work = Work(settings, records)
    result = work.run(job)
    lapsed = Jobs(records, lease=timedelta(), max_queued=9)
    assert lapsed.renew(job, None)  # the lease of a process that is dead
    again = claimed(jobs)
    assert again.id == job.id
    assert work.run(again) == result
    assert len(notices_of(records)) == 1


def test_what_cannot_be_answered_is_told(settings: Settings, records: Engine, jobs: Jobs) -> None:
    job = job_of(jobs, schedule(options={"group_by": ["regoin"]}))
    with pytest.raises(InputError):
        Work(settings, records).run(job)
    (notice,) = notices_of(records)
    message = notice["message"]
    assert message["title"].startswith("weekly: no report as of ")
    assert "It could not be made: " in message["text"]
    assert "region" in message["text"]
    assert (message["severity"], message["files"]) == ("warning", [])
    assert not report_file(settings, job.id).exists()


def test_what_was_not_foreseen_is_told_without_its_words(
    settings: Settings, records: Engine, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("storemon.watch.schedules.work.zones_of", breaks)
    with pytest.raises(ZeroDivisionError):
        Work(settings, records).run(job_of(jobs, WEEKLY))
    (notice,) = notices_of(records)
    assert "the log of the service says more" in notice["message"]["text"]
    assert "secret" not in notice["message"]["text"]


def test_a_lake_out_of_reach_is_waited_for_as_polls_are(
    settings: Settings, records: Engine, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise LakeError("the disk is not mounted")

    monkeypatch.setattr(KeptLake, "snapshot", breaks)
    job, work = job_of(jobs, WEEKLY), Work(settings, records)
    with pytest.raises(PutBackError):
        work.run(job)
    assert not notices_of(records)
    with pytest.raises(LakeError):
        work.run(replace(job, queued_at=0))
    (notice,) = notices_of(records)
    assert "the disk is not mounted" in notice["message"]["text"]


def test_without_any_polls_it_says_so(settings: Settings, records: Engine, jobs: Jobs, tmp_path: Path) -> None:
    job = job_of(jobs, schedule("outages", grace="0"))
    Work(replace(settings, lake=str(tmp_path / "nothing")), records).run(job)
    (notice,) = notices_of(records)
    assert "There are no polls." in notice["message"]["text"]


def test_a_window_of_which_nothing_is_known_is_told(settings: Settings, records: Engine, jobs: Jobs) -> None:
    asked = schedule(cron="0 7 * * *", options={"window": ["2020-01", "last-week"]}, form="csv")
    result = Work(settings, records).run(job_of(jobs, asked))
    assert result["missing"] == 1
    told = notices_of(records)[0]["message"]["text"]
    assert "! Nothing is known of the window 2020-01: coverage is 0.00 %" in told


def test_what_stores_are_called_is_no_markup(settings: Settings, records: Engine, jobs: Jobs) -> None:
    evil = "<script>alert(1)</script>"
    Lake(settings.lake).ingest(polls_of(settings, TICK - timedelta(days=6), stores=(evil,)))
    Work(settings, records).run(job_of(jobs, schedule(cron="0 7 * * *")))
    (notice,) = notices_of(records)
    assert "<script>" not in notice["message"]["html"]
    assert "&lt;script&gt;alert(1)" in notice["message"]["html"]
