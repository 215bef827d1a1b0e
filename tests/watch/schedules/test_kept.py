"""Ticks in the records, on SQLite and PostgreSQL: each starts one job, and of missed ones only the newest does."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine, update

from storemon.errors import InputError
from storemon.records.jobs import Jobs
from storemon.records.tables import SCHEDULES
from storemon.settings import Settings
from storemon.watch.schedules.kept import Schedules
from storemon.watch.schedules.ticking import Ticking
from tests.service.waiting import until
from tests.watch.schedules.scheduled import (
    NO_CHANNELS,
    by_the_database,
    jobs_of,
    schedule,
    set_next,
    ticks_of,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def schedules(records: Engine) -> Schedules:
    return Schedules(records)


@pytest.fixture
def jobs(records: Engine) -> Jobs:
    return Jobs(records, lease=timedelta(minutes=1), max_queued=100)


def full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def test_a_schedule_is_kept_listed_and_forgotten(records: Engine, schedules: Schedules) -> None:
    assert schedules.put("b", schedule(), NO_CHANNELS)
    assert schedules.put("a", schedule("now"), NO_CHANNELS, author="key")
    assert [kept.name for kept in schedules.list()] == ["a", "b"]
    kept = schedules.get("a")
    assert kept
    assert (kept.schedule, kept.author, kept.paused) == (schedule("now"), "key", False)
    assert kept.next_at == full_hour(by_the_database(records)) + HOUR
    assert schedules.remove("a")
    assert not schedules.remove("a")
    assert schedules.get("a") is None


def test_what_is_wrong_is_not_kept(schedules: Schedules) -> None:
    with pytest.raises(InputError):
        schedules.put("a", schedule(cron="x"), NO_CHANNELS)
    with pytest.raises(InputError):
        schedules.put("../a", schedule(), NO_CHANNELS)
    assert not schedules.list()


def test_a_tick_starts_one_job_at_its_instant(records: Engine, schedules: Schedules) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    assert not schedules.due()
    assert schedules.start("hourly") is None
    tick = full_hour(by_the_database(records))
    set_next(records, "hourly", tick)
    assert schedules.due() == ["hourly"]
    job = schedules.start("hourly")
    assert schedules.start("hourly") is None
    assert not schedules.due()
    (started,) = jobs_of(records, "hourly")
    assert (started["id"], started["dedupe_key"]) == (job, f"schedule:hourly:{int(tick.timestamp())}000000")
    assert ticks_of(records, "hourly") == [tick]
    kept = schedules.get("hourly")
    assert kept
    assert kept.next_at == tick + HOUR


def test_of_missed_ticks_only_the_newest_is_made_up_for(records: Engine, schedules: Schedules) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    now = by_the_database(records)
    set_next(records, "hourly", full_hour(now) - 400 * DAY)
    assert schedules.start("hourly")
    assert schedules.start("hourly") is None
    assert ticks_of(records, "hourly") == [full_hour(now)]


def test_the_same_tick_never_starts_two_jobs(records: Engine, schedules: Schedules) -> None:
    """Not even when the clock goes back, or the schedule is made anew."""
    schedules.put("hourly", schedule(), NO_CHANNELS)
    tick = full_hour(by_the_database(records))
    for _ in range(2):
        set_next(records, "hourly", tick)
        schedules.start("hourly")
    schedules.remove("hourly")
    schedules.put("hourly", schedule(), NO_CHANNELS)
    set_next(records, "hourly", tick)
    assert schedules.start("hourly") is None
    assert ticks_of(records, "hourly") == [tick]


def test_after_a_pause_none_is_made_up_for(records: Engine, schedules: Schedules) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    now = by_the_database(records)
    assert schedules.pause("hourly")
    set_next(records, "hourly", full_hour(now))
    assert not schedules.due()
    assert schedules.start("hourly") is None
    assert schedules.resume("hourly")
    assert not schedules.due()
    assert not jobs_of(records, "hourly")
    kept = schedules.get("hourly")
    assert kept
    assert (kept.paused, kept.next_at) == (False, full_hour(now) + HOUR)
    assert not schedules.pause("another")
    assert not schedules.resume("another")


def test_to_resume_what_is_not_paused_loses_no_tick(records: Engine, schedules: Schedules) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    set_next(records, "hourly", full_hour(by_the_database(records)))
    schedules.resume("hourly")
    assert schedules.start("hourly")


def test_to_write_the_same_again_loses_no_tick_and_another_time_is_from_now_on(
    records: Engine, schedules: Schedules
) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    tick = full_hour(by_the_database(records))
    set_next(records, "hourly", tick)
    assert not schedules.put("hourly", schedule("outages"), NO_CHANNELS)
    assert schedules.due() == ["hourly"]
    assert not schedules.put("hourly", schedule("outages", cron="30 * * * *"), NO_CHANNELS)
    assert not schedules.due()
    schedules.pause("hourly")
    schedules.put("hourly", schedule("now"), NO_CHANNELS)
    kept = schedules.get("hourly")
    assert kept
    assert kept.paused


def test_to_remove_one_ends_what_it_has_started(records: Engine, schedules: Schedules, jobs: Jobs) -> None:
    for name in ("hourly", "other"):
        schedules.put(name, schedule(), NO_CHANNELS)
        set_next(records, name, full_hour(by_the_database(records)))
        schedules.start(name)
    running = jobs.claim("schedule", "us")
    assert running
    schedules.remove("hourly")
    assert [job["state"] for job in jobs_of(records, "hourly")] == ["canceled"]
    assert [job["state"] for job in jobs_of(records, "other")] == ["queued"]
    assert not jobs.renew(running, 0.5)


def test_one_that_cannot_be_read_holds_up_no_other(records: Engine, schedules: Schedules) -> None:
    for name in ("broken", "sound"):
        schedules.put(name, schedule(), NO_CHANNELS)
        set_next(records, name, full_hour(by_the_database(records)))
    with records.connect() as connection:
        connection.execute(update(SCHEDULES).where(SCHEDULES.c.name == "broken").values(written={"newer": True}))
    assert Ticking(records).tick() == 1
    assert [len(jobs_of(records, name)) for name in ("broken", "sound")] == [0, 1]


def test_of_many_threads_one_starts_each_tick(records: Engine, schedules: Schedules) -> None:
    schedules.put("hourly", schedule(), NO_CHANNELS)
    tick = full_hour(by_the_database(records))
    with ThreadPoolExecutor(8) as pool:
        for n in range(5):
            set_next(records, "hourly", tick - n * DAY)
            with records.connect() as connection:
                # Each round is a tick of its own: it is told by an hour of its own.
                row = schedule(cron=f"0 {(tick - n * HOUR).hour} * * *")
                connection.execute(update(SCHEDULES).values(written=msgspec.to_builtins(row)))
            started = [job for job in pool.map(lambda _: schedules.start("hourly"), range(16)) if job]
            assert len(started) == 1
    assert len(jobs_of(records, "hourly")) == 5


WATCHING = """
import sys, time
from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.schedules.ticking import Ticking
ticking = Ticking(opened_records(Settings.load()))
print("ready", flush=True)
while True:
    ticking.tick()
    time.sleep(0.001)
"""


def test_many_processes_start_each_tick_once_though_some_are_killed(
    records: Engine, settings: Settings, schedules: Schedules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREMON_REPORTS", str(settings.reports))
    monkeypatch.setenv("STOREMON_DATABASE", str(settings.database))
    names = [f"s{n}" for n in range(60)]
    for name in names:
        schedules.put(name, schedule(), NO_CHANNELS)
    tick = full_hour(by_the_database(records))
    watching = [subprocess.Popen([sys.executable, "-c", WATCHING], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for process in watching:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        for place, name in enumerate(names):
            set_next(records, name, tick)
            if place in (20, 40):
                watching[place // 20 - 1].kill()  # -9, in the middle of whatever it is at
        until(lambda: all(len(jobs_of(records, name)) == 1 for name in names))
        assert not schedules.due()
    finally:
        for process in watching:
            process.kill()
            process.communicate()
    assert all(ticks_of(records, name) == [tick] for name in names)


def test_a_thread_starts_what_is_due_and_stops(records: Engine, schedules: Schedules) -> None:
    ticking = Ticking(records)
    ticking.start()
    try:
        schedules.put("hourly", schedule(), NO_CHANNELS)
        set_next(records, "hourly", full_hour(by_the_database(records)))
        until(lambda: jobs_of(records, "hourly"))
        assert not ticking.has_ended()
    finally:
        ticking.stop()
    assert not ticking.has_ended()
    assert len(jobs_of(records, "hourly")) == 1
