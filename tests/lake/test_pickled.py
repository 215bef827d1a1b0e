"""A snapshot goes to other processes as its lake's place and versions: whoever gets it opens the lake by itself."""

import pickle
from pathlib import Path

from storemon import Lake, report
from tests.lake.files import folder

POLLS = ["a,active,2024-10-14 11:00:00 UTC", "b,inactive,2024-10-14 12:00:00 UTC"]


def pickled(lake: Lake) -> bytes:
    snapshot = lake.snapshot()
    report(snapshot)  # by now it has read its logs and its small tables
    return pickle.dumps(snapshot)


def test_it_is_a_place_and_versions_only(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "few", polls=POLLS[:1]))
    before, data = lake.snapshot(), pickled(lake)
    lake.ingest(folder(tmp_path / "more", polls=POLLS, hours=[f"{n},1,09:00,17:00" for n in range(10_000)]))
    got = pickle.loads(data)  # noqa: S301 - our own bytes
    assert got.versions == before.versions
    assert report(got).equals(report(before))
    assert max(len(data), len(pickled(lake))) < 1000


def test_who_gets_it_twice_opens_the_lake_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.ingest(folder(tmp_path / "few", polls=POLLS[:1]))
    first, second = (pickle.loads(pickled(lake)) for _ in range(2))  # noqa: S301 - our own bytes
    assert first is second
    lake.ingest(folder(tmp_path / "more", polls=POLLS))
    third = pickle.loads(pickled(lake))  # noqa: S301 - our own bytes
    assert third.newest_poll() > first.newest_poll()
