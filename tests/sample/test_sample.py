import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from storemon import sample
from storemon.sample import draws, lives
from storemon.sample import hours as hours_file
from storemon.sample import polls as polls_file
from storemon.sample import write as write_file
from storemon.sample import zones as zones_file

FILES = ("menu_hours.csv", "store_status.csv", "stores.csv", "timezones.csv")
STORES, DAYS = 1_000, 14
WEEK = timedelta(days=7)
WEEK_AT = sample.NEWEST_AT - WEEK


def all_hours(stores: int, seed: int) -> pl.DataFrame:
    return pl.concat(hours_file.hours(stores, seed))


def all_zones(stores: int, seed: int) -> pl.DataFrame:
    return pl.concat(zones_file.zones(stores, seed))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def runs(polled_at: pl.Series) -> list[int]:
    """Heights of the longest stretches in order of time: each is one block, or a few that happen to follow on."""
    breaks = (polled_at.diff() < timedelta(0)).fill_null(value=False).cum_sum()
    heights: list[int] = breaks.rle().struct.field("len").to_list()
    return heights


@pytest.fixture(scope="module")
def polls() -> pl.DataFrame:
    return pl.concat(polls_file.polls(STORES, DAYS, 1)).sort("store_id", "polled_at")


@pytest.fixture(scope="module")
def real_hours() -> pl.DataFrame:
    return all_hours(3_678, 1)


def test_bytes_stay_what_they_are(tmp_path: Path) -> None:
    assert sample.write_sample(tmp_path, stores=40, days=5, seed=1) == (1683, 397, 48, 49)
    assert digests(tmp_path) == {
        "menu_hours.csv": "14a7c59499c351d51481f6eb3b18cbfef69759e2d4ae13900224642cb1f98df2",
        "store_status.csv": "0c8ff2c6ca7d3d26727a88292623690fc94aa591a0ef184463a35de8dca54c3a",
        "stores.csv": "ca887ed2a865f476b1d208fd95334f3586fb2860a83159b6aa25492fee9e1d16",
        "timezones.csv": "503e15e734ae5383e5714418e0b8c09fa210fa04ab16318d6f4680d352eab6ea",
    }


def test_seed_alone_decides(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("two", 2), ("minus", -1)):
        sample.write_sample(tmp_path / name, stores=20, days=2, seed=seed)
    assert digests(tmp_path / "one") == digests(tmp_path / "again")
    for name in FILES:
        assert len({digests(tmp_path / folder)[name] for folder in ("one", "two", "minus")}) == 3


def test_words_are_exact_and_a_permutation() -> None:
    def word(key: int, salt: int, number: int) -> int:
        mixed = (key + number * 0x9E3779B1 + salt) & 0xFFFFFFFF
        mixed = (mixed ^ mixed >> 16) * 0x21F0AAAD & 0xFFFFFFFF
        mixed = (mixed ^ mixed >> 15) * 0x735A2D97 & 0xFFFFFFFF
        return mixed ^ mixed >> 15

    keys = pl.Series([0, 1, 2**16, 2**31, 2**32 - 1], dtype=pl.UInt64)
    numbers = pl.Series([0, 2**32 - 1, 2**31, 7, 2**32 - 1], dtype=pl.UInt64)
    expected = [word(key, 2**32 - 1, number) for key, number in zip(keys, numbers, strict=True)]
    assert draws.words_of(keys, 2**32 - 1, numbers).to_list() == expected
    assert draws.words_of(draws.upto(100_000), 5).n_unique() == 100_000
    assert sorted(draws.shuffled(1_000, 5)) == list(range(1_000))


def test_files_hold_what_the_frames_hold(tmp_path: Path) -> None:
    summary = sample.write_sample(tmp_path, stores=30, days=3, seed=4)
    written = {name: pl.read_csv(tmp_path / name) for name in FILES}
    assert summary == tuple(written[FILES[at]].height for at in (1, 0, 3, 2))
    assert written["menu_hours.csv"].equals(all_hours(30, 4))
    assert written["timezones.csv"].equals(all_zones(30, 4))
    polls = pl.concat(polls_file.polls(30, 3, 4))
    assert polls.schema == {"store_id": pl.String, "status": pl.String, "polled_at": pl.Datetime("us", "UTC")}
    text = written["store_status.csv"]
    assert text.columns == ["store_id", "status", "timestamp_utc"]
    instants = text["timestamp_utc"].str.to_datetime("%Y-%m-%d %H:%M:%S%.f UTC", time_unit="us", time_zone="UTC")
    assert text.select("store_id", "status", polled_at=instants).equals(polls)


def test_fractions_lose_their_trailing_zeros() -> None:
    instants = [sample.NEWEST_AT.replace(second=20, microsecond=us) for us in (412748, 155080, 100000, 10, 0)]
    chunk = pl.DataFrame({"store_id": "a", "status": "active", "polled_at": instants})
    assert polls_file.as_text(chunk)["timestamp_utc"].str.strip_prefix("2024-10-14 23:55:").to_list() == [
        "20.412748 UTC",
        "20.15508 UTC",
        "20.1 UTC",
        "20.00001 UTC",
        "20 UTC",
    ]


def test_store_ids_are_distinct_uuids(polls: pl.DataFrame) -> None:
    ids = polls["store_id"].unique().to_list()
    assert len(ids) == STORES
    assert all(str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4 for text in ids)


def test_who_has_hours_zones_and_polls() -> None:
    polled = set(pl.concat(polls_file.polls(3_678, 1, 1))["store_id"])
    zoned, keeping = set(all_zones(3_678, 1)["store_id"]), set(all_hours(3_678, 1)["store_id"])
    assert (len(polled), len(polled - keeping), len(polled - zoned)) == (3_678, 54, 1)
    assert (len(zoned - polled), len(keeping - polled), len(keeping)) == (882, 842, 4_466)


def test_polls_are_as_frequent_as_the_real_ones(polls: pl.DataFrame) -> None:
    gap, hour = pl.col("polled_at").diff().over("store_id"), timedelta(hours=1)
    found = polls.select(mean=gap.mean() / hour, long=(gap > 8 * hour).sum()).row(0, named=True)
    assert 7.5 < polls.height / STORES / DAYS < 9
    assert 2.4 < found["mean"] < 3.1
    assert found["long"] > 3 * STORES


def test_stores_come_late_and_fall_silent(polls: pl.DataFrame) -> None:
    age = sample.NEWEST_AT - pl.col("polled_at")
    ages = polls.group_by("store_id").agg(first=age.max(), last=age.min())
    first, last, day, week = pl.col("first"), pl.col("last"), timedelta(days=1), timedelta(days=7)
    found = ages.select(
        newest=last.min(),
        oldest=first.max(),
        not_last_hour=(last > timedelta(hours=1)).mean(),
        silent=(last > week).mean(),
        silent_longer=(last > 9 * day).sum(),
        late=(first < week).sum(),
        last_day=(first < day).sum(),
    ).row(0, named=True)
    assert found["newest"] == timedelta(0)
    assert 13.9 * day < found["oldest"] <= DAYS * day
    assert found["not_last_hour"] > 0.5
    assert 279 / 3_678 < found["silent"] < 0.1
    assert found["silent_longer"] > 20
    assert found["late"] > 5
    assert found["last_day"] > 1


def open_instants(zones: pl.DataFrame, hours: pl.DataFrame, polls: pl.DataFrame) -> pl.DataFrame:
    """Sample the last week each ten minutes: `store_id, at` of the open stores, short of overnight tails."""
    at = pl.datetime_range(WEEK_AT, sample.NEWEST_AT, "10m", closed="left", time_unit="us", eager=True).alias("at")
    placed = polls.select("store_id").unique().join(zones, on="store_id", how="left")
    placed = placed.with_columns(pl.col("timezone_str").fill_null("America/Chicago"))
    parts = placed.join(at.to_frame(), how="cross").partition_by("timezone_str")
    local = [pl.col("at").dt.convert_time_zone(part["timezone_str"][0]).dt.replace_time_zone(None) for part in parts]
    grid = pl.concat([part.with_columns(local=wall) for part, wall in zip(parts, local, strict=True)])
    grid = grid.with_columns(dayOfWeek=pl.col("local").dt.weekday().cast(pl.Int64) - 1)
    time, start, end = pl.col("local").dt.to_string("%H:%M:%S"), pl.col("start_time_local"), pl.col("end_time_local")
    is_open = (start <= time) & ((time < end) | (end <= start))
    kept = grid.join(hours, on=["store_id", "dayOfWeek"]).filter(is_open).select("store_id", "at").unique()
    always = grid.join(hours, on="store_id", how="anti").select("store_id", "at")
    return pl.concat([kept, always]).sort("at")


def test_last_week_of_service_time_is_like_the_real_one() -> None:
    polls = pl.concat(
        chunk.filter(pl.col("polled_at") > WEEK_AT - 2 * WEEK) for chunk in polls_file.polls(STORES, 60, 1)
    )
    polls = polls.sort("polled_at")
    states = open_instants(all_zones(STORES, 1), all_hours(STORES, 1), polls)
    for strategy in ("backward", "forward"):
        told = polls.rename({"status": strategy, "polled_at": "at"})
        states = states.join_asof(told, on="at", by="store_id", strategy=strategy, tolerance="7d")
    state = pl.coalesce("backward", "forward").fill_null("unknown")
    shares = states.group_by("store_id").agg(up=(state == "active").mean(), down=(state == "inactive").mean())
    found = states.select(up=(state == "active").mean()).item()
    assert found == pytest.approx(0.62, abs=0.02)
    assert shares.filter(down=1).height == pytest.approx(STORES * 1_037 / 3_678, rel=0.03)
    assert shares.filter(up=1).height == pytest.approx(STORES * 300 / 3_678, rel=0.25)


def test_a_status_lasts(polls: pl.DataFrame) -> None:
    lasts = (pl.col("status") == pl.col("status").shift()).over("store_id")
    assert 0.9 < polls.select(lasts.mean()).item() < 0.99


def test_rows_come_in_blocks_in_no_order() -> None:
    chunks = list(polls_file.polls(3_678, 14, 1))
    starts = [chunk.select(pl.col("polled_at").min()).item() for chunk in chunks]
    assert len(starts) > 3
    assert starts not in (sorted(starts), sorted(starts, reverse=True))
    for chunk in chunks:
        heights = sorted(runs(chunk["polled_at"]))
        assert heights[1] >= 300  # but for the chunk's last
        assert len(heights) > chunk.height // 2_000
        assert heights[len(heights) // 2] < 2_000


def test_a_few_polls_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "_TWIN", 100)
    polls = pl.concat(polls_file.polls(100, 10, 1))
    doubled = polls.height - polls.unique().height
    disagreeing = polls.unique().height - polls.unique(["store_id", "polled_at"]).height
    assert 20 < doubled < 100
    assert 20 < disagreeing < 100


def test_hours_have_the_real_mix(real_hours: pl.DataFrame) -> None:
    days = real_hours.group_by("store_id", "dayOfWeek").len()
    spans = real_hours.with_columns(start=pl.col("start_time_local"), end=pl.col("end_time_local"))
    assert real_hours.columns == ["store_id", "dayOfWeek", "start_time_local", "end_time_local"]
    assert real_hours.height == pytest.approx(35_457, rel=0.01)
    assert days.filter(pl.col("len") > 1).height == pytest.approx(4_347, rel=0.05)
    assert set(days["len"]) == {1, 2, 3, 4}
    assert spans.filter(end="23:59:59").height == pytest.approx(6_776, rel=0.05)
    assert spans.filter(end="23:59:00").height == pytest.approx(2_407, rel=0.05)
    assert spans.filter(start="00:00:00", end="23:59:59").height == pytest.approx(460, rel=0.05)
    assert spans.filter(start="00:00:00", end="00:01:00").height == 28
    assert spans.filter(start="00:00:00", end="01:00:00").height > 800
    short = days.group_by("store_id").len().filter(pl.col("len") < 7)
    assert short.height == pytest.approx(115, rel=0.05)


def test_hours_have_what_the_format_allows_besides(real_hours: pl.DataFrame) -> None:
    overnight = real_hours.filter(pl.col("end_time_local") <= pl.col("start_time_local"))
    assert overnight["store_id"].n_unique() == pytest.approx(0.01 * 4_466, rel=0.1)
    following = real_hours.sort(pl.all()).with_columns(
        next_start=pl.col("start_time_local").shift(-1).over("store_id", "dayOfWeek")
    )
    assert following.filter(pl.col("next_start") < pl.col("end_time_local"))["store_id"].n_unique() > 5
    assert real_hours.is_duplicated().sum() == 0


def test_hours_are_in_no_order_of_stores(real_hours: pl.DataFrame) -> None:
    ids = real_hours["store_id"].rle().struct.field("value")
    assert 4_466 < ids.len() < 2 * 4_466
    assert (ids < ids.shift()).sum() == pytest.approx(ids.len() / 2, rel=0.05)


def test_zones_have_the_real_proportions() -> None:
    zones = all_zones(3_678, 1)
    counts = dict(zones["timezone_str"].value_counts().iter_rows())
    assert counts == zones_file._ZONES
    assert zones["store_id"].is_duplicated().sum() == 0


@pytest.mark.parametrize("stores", [1, 2, 13, 100])
def test_every_store_is_polled_however_few_the_days(stores: int) -> None:
    polls = pl.concat(polls_file.polls(stores, 1, 3))
    assert polls["store_id"].n_unique() == stores
    assert polls["polled_at"].max() == sample.NEWEST_AT
    assert all_hours(stores, 3).height > 0
    assert all_zones(stores, 3)["store_id"].n_unique() >= max(1, stores - 1)


def test_chunks_are_bounded_and_made_on_demand() -> None:
    assert next(polls_file.polls(3_678, 10_000, 1)).height <= polls_file.CHUNK_ROWS
    heights = [chunk.height for chunk in polls_file.polls(100_000, 1, 1)]
    assert max(heights) <= polls_file.CHUNK_ROWS
    assert len(heights) > 8


@pytest.mark.parametrize(("where", "fails"), [(write_file, "as_text"), (polls_file, "store_ids")])
def test_failure_midway_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: ModuleType, fails: str
) -> None:
    sample.write_sample(tmp_path, stores=5, days=1)
    before = digests(tmp_path)
    whole: Callable[..., object] = getattr(where, fails)
    calls: list[int] = []

    def breaks(*args: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return whole(*args)

    monkeypatch.setattr(where, fails, breaks)
    with pytest.raises(OSError, match="No space left"):
        sample.write_sample(tmp_path, stores=3_678, days=14)
    assert len(calls) == 3
    assert digests(tmp_path) == before


def test_files_appear_whole_and_the_polls_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], str]] = []
    replace = Path.replace

    def watched(part: Path, target: Path) -> Path:
        seen.append(({path.name for path in tmp_path.glob("*.csv")}, target.name))
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", watched)
    sample.write_sample(tmp_path, stores=5, days=1)
    assert [name for _, name in seen] == ["stores.csv", "timezones.csv", "menu_hours.csv", "store_status.csv"]
    assert seen[0][0] == set()
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)


@pytest.mark.parametrize(("stores", "days", "message"), [(0, 1, "stores must be at least 1, not 0"), (1, -2, "days")])
def test_counts_below_one_are_refused(tmp_path: Path, stores: int, days: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        polls_file.polls(stores, days, 1)
    with pytest.raises(ValueError, match=message):
        sample.write_sample(tmp_path / "new", stores=stores, days=days)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("make", [all_hours, all_zones])
def test_hours_and_zones_want_a_store(make: Callable[[int, int], pl.DataFrame]) -> None:
    with pytest.raises(ValueError, match="stores must be at least 1, not -1"):
        make(-1, 1)
