"""The latest runs: as anybody would find them in all polls, whatever came in which order and was kept when."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storemon import ConflictError, Lake
from storemon.engine.seen import SeenSnapshot
from storemon.lake import runs
from storemon.lake.kept import KeptLake
from storemon.lake.polls import read_roster
from storemon.lake.schemas import LATEST_RUNS, POLLS
from storemon.lake.tables import Opened, Tables
from tests.examples import examples

DAY, NOW = timedelta(days=1), datetime(2025, 1, 1, tzinfo=UTC)
START = datetime(2024, 10, 1, tzinfo=UTC)
Poll = tuple[str, datetime, bool]
Run = tuple[str, datetime, datetime, bool]

INSTANTS = st.one_of(
    st.integers(0, 40).map(lambda hours: START + timedelta(hours=hours)),
    st.integers(0, 30).map(lambda days: START + days * DAY),
    st.integers(0, 30).map(lambda days: START + days * DAY + timedelta(microseconds=1)),
    st.just(START - 200 * DAY),
)
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), INSTANTS, st.booleans()), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)


def looked_for(polls: Sequence[Poll]) -> list[Run]:
    """Look for the runs one by one, from the newest poll of each store back to the run that says otherwise."""
    found = []
    for store, of_store in groupby(sorted(polls), key=lambda poll: poll[0]):
        states: dict[datetime, bool] = {}
        for _, at, active in of_store:
            states[at] = states.get(at, True) and active
        of_all: list[Run] = []
        for at, active in states.items():
            if of_all and of_all[-1][3] == active and at - of_all[-1][2] <= DAY:
                of_all[-1] = (store, of_all[-1][1], at, active)
            else:
                of_all.append((store, at, at, active))
        latest = [of_all.pop()]
        while of_all and latest[0][3] == latest[-1][3]:
            latest.insert(0, of_all.pop())
        found += latest
    return found


def told(tables: Tables, found: pl.DataFrame) -> list[Run]:
    """Name the stores; of the run that says otherwise only the end is promised."""
    roster = read_roster(tables.open(POLLS)).select("store_key", "store_id")
    rows = found.join(roster, on="store_key", validate="m:1", maintain_order="left")
    return sure(rows.select("store_id", "starts_at", "ends_at", "active").sort("store_id", "starts_at").rows())


def sure(latest: Sequence[Run]) -> list[Run]:
    newest = {store: active for store, _, _, active in latest}
    return [
        (store, starts_at if active == newest[store] else ends_at, ends_at, active)
        for store, starts_at, ends_at, active in latest
    ]


def ingest(folder: Path, polls: Sequence[Poll]) -> Lake:
    file = folder / "store_status.csv"
    rows = (
        f"{store},{'active' if active else 'inactive'},{at:%Y-%m-%d %H:%M:%S.%f} UTC" for store, at, active in polls
    )
    file.write_text("\n".join(["store_id,status,timestamp_utc", *rows]) + "\n")
    lake = Lake(folder / "lake")
    (loaded,) = lake.ingest(file, now=NOW).tables
    assert not loaded.rejected
    return lake


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=BATCHES, keeps=st.lists(st.booleans(), min_size=4, max_size=4), compacted=st.booleans())
def test_in_any_order_and_kept_when_it_may_be(batches: list[list[Poll]], keeps: list[bool], *, compacted: bool) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        folder, so_far = Path(name), list[Poll]()
        tables = Tables(folder / "lake")
        for batch, keep in zip(batches, keeps, strict=False):
            so_far += batch
            patched.setattr("storemon.intake.ingest.keep_runs", runs.keep_runs if keep else lambda _: None)
            lake = ingest(folder, batch)
            if compacted:
                patched.setattr("storemon.lake.kept.keep_runs", lambda _: None)
                lake.compact()
            polls = tables.open(POLLS)
            expected = sure(looked_for(so_far))
            assert told(tables, runs.find_runs(polls)) == expected
            assert told(tables, runs.latest_runs(tables, polls)) == expected


def test_up_to_an_instant(tmp_path: Path) -> None:
    polls = [("a", START + hour * timedelta(hours=1), hour % 30 < 20) for hour in range(100)]
    lake, keys = ingest(tmp_path, polls), pl.Series("store_key", [0], dtype=pl.Int32)
    for hour in range(0, 100, 7):
        until = START + hour * timedelta(hours=1)
        expected = sure(looked_for([poll for poll in polls if poll[1] <= until]))
        assert told(Tables(lake.path), lake.snapshot().runs(until, DAY, keys)) == expected


def test_what_is_believed_for_less_than_a_day_has_shorter_runs(tmp_path: Path) -> None:
    polls = [("a", START + hours * timedelta(hours=1), True) for hours in (0, 1, 2, 5, 6)]
    lake, keys = ingest(tmp_path, polls), pl.Series("store_key", [0], dtype=pl.Int32)
    found = lake.snapshot().runs(NOW, timedelta(hours=2), keys)
    assert [(starts_at.hour, ends_at.hour) for starts_at, ends_at in found.select("starts_at", "ends_at").rows()] == [
        (0, 2),
        (5, 6),
    ]


def kept_of(lake: Lake) -> tuple[Tables, Opened]:
    tables = Tables(lake.path)
    return tables, tables.open(POLLS)


@pytest.fixture
def looked_anew(monkeypatch: pytest.MonkeyPatch) -> list[pl.Series | None]:
    """Note whenever runs are looked for in the polls, and of which stores."""
    noted: list[pl.Series | None] = []
    find: Callable[..., pl.DataFrame] = runs.find_runs

    def noting(polls: Opened, **how: object) -> pl.DataFrame:
        noted.append(how.get("keys"))  # type: ignore[arg-type]
        return find(polls, **how)

    monkeypatch.setattr(runs, "find_runs", noting)
    return noted


def test_they_are_not_looked_for_again(tmp_path: Path, looked_anew: list[pl.Series | None]) -> None:
    lake = ingest(tmp_path, [("a", START, True), ("b", START, False)])
    assert looked_anew == [None], "the first ingestion finds them"
    ingest(tmp_path, [("a", START + DAY, True), ("c", START, True)])
    runs.latest_runs(*kept_of(lake))
    assert looked_anew == [None]


def test_a_late_poll_has_those_of_its_store_looked_for(tmp_path: Path, looked_anew: list[pl.Series | None]) -> None:
    ingest(tmp_path, [(store, START + hours * timedelta(hours=1), True) for store in "ab" for hours in (0, 2)])
    ingest(tmp_path, [("a", START + timedelta(hours=1), True)])
    assert looked_anew == [None], "it says what its neighbours do"
    lake = ingest(tmp_path, [("b", START + timedelta(hours=1), False)])
    _, keys = looked_anew
    assert keys is not None
    assert keys.to_list() == [1]
    found = runs.latest_runs(*kept_of(lake)).filter(store_key=1)
    assert found["active"].to_list() == [False, True]
    assert found["starts_at"].to_list() == [START + timedelta(hours=1), START + timedelta(hours=2)]


def test_what_was_let_go_of_tells_nothing_any_more(tmp_path: Path) -> None:
    polls = [("a", START, False), *(("a", START + days * DAY, True) for days in range(1, 5)), ("b", START, True)]
    lake = ingest(tmp_path, polls)
    lake.prune(date(2024, 10, 4))
    left = [poll for poll in polls if poll[1] >= START + 3 * DAY]
    assert told(Tables(lake.path), runs.latest_runs(*kept_of(lake))) == sure(looked_for(left))


def test_those_of_another_lake_are_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = ingest(tmp_path / "other", [("a", START, False)])
    lake = ingest(tmp_path, [("a", START, True)])
    (lake.path / "latest_runs").rename(tmp_path / "away")
    (other.path / "latest_runs").rename(lake.path / "latest_runs")
    assert runs.latest_runs(*kept_of(lake))["active"].to_list() == [True]
    assert Lake(lake.path).snapshot().newest_poll() == START


def test_an_older_snapshot_has_no_newer_runs(tmp_path: Path) -> None:
    lake, keys = ingest(tmp_path, [("a", START, True)]), pl.Series("store_key", [0], dtype=pl.Int32)
    versions = lake.snapshot().versions
    ingest(tmp_path, [("a", START + DAY, False)])
    assert lake.snapshot(versions).runs(NOW, DAY, keys)["active"].to_list() == [True]
    assert lake.snapshot().runs(NOW, DAY, keys)["active"].to_list() == [True, False]


def test_who_is_slower_lets_the_other_have_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = ingest(tmp_path, [("a", START, True)])
    tables = Tables(lake.path)
    before = tables.open(LATEST_RUNS).version

    def lost(*_: object, **__: object) -> None:
        raise ConflictError("another process was faster")

    monkeypatch.setattr(Tables, "commit", lost)
    monkeypatch.setattr(runs, "_base", lambda *_: None)
    runs.keep_runs(tables)
    assert tables.open(LATEST_RUNS).version == before


def test_who_may_see_some_stores_has_theirs(tmp_path: Path) -> None:
    ingest(tmp_path, [("a", START, True), ("b", START, False)])
    (tmp_path / "stores.csv").write_text("store_id,region\na,West\n")
    lake = Lake(tmp_path / "lake")
    lake.ingest(tmp_path / "stores.csv", now=NOW)
    seen = SeenSnapshot(KeptLake(lake.path).snapshot(), (("region", "West"),))
    both = pl.Series("store_key", [0, 1], dtype=pl.Int32)
    assert seen.runs(NOW, DAY, both)["store_key"].to_list() == [0]
