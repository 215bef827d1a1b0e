"""Stores with a life that a seed draws: shifts and nights, outages, regions that go down, a poller that is silent."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

REGIONS = ("North", "East", "South", "West")
_ZONES = ("America/Chicago", "Asia/Kolkata")
_SHIFTS: Sequence[Sequence[int]] = ((), (40, 20), (70, 35), (25, 5, 25, 20))
"""Seconds in which a store is open, closed, open, …, over and over; one without any is always open."""
_EVERY = 5
"""Seconds between two polls of a store."""
_BEFORE, _AFTER = timedelta(minutes=10), timedelta(minutes=40)
"""For how long there are shifts around the week itself."""

Stretch = tuple[float, float]


class Poll(NamedTuple):
    """One observation."""

    store: str
    at: datetime
    active: bool
    is_published: bool
    """Whether it takes the way by the broker, and not that by the service."""


@dataclass
class Store:
    """A store; its stretches are in seconds since the week began."""

    name: str
    region: str
    zone: str
    shifts: Sequence[int]
    offset: float
    down: list[Stretch] = field(default_factory=list)
    silent: list[Stretch] = field(default_factory=list)


class Fleet:
    """All stores. When the week is over, each stays as it is then: down, or never heard of again."""

    def __init__(self, seed: int, stores: int, begins_at: datetime, seconds: float) -> None:
        draw = Random(seed)  # noqa: S311 - it is to be the same each time
        self.begins_at, self.seconds = begins_at, seconds
        self.stores = [
            Store(
                f"store-{n:02}",
                REGIONS[n % len(REGIONS)],
                _ZONES[n // 2 % len(_ZONES)],
                _SHIFTS[n // 3 % len(_SHIFTS)],
                draw.uniform(0.5, _EVERY),
            )
            for n in range(stores)
        ]
        for n, store in enumerate(self.stores):
            flaps = n % 15 == 7
            up, down = (25, 19) if flaps else (120, 22)
            store.down += _spells(draw, seconds, up, (0.6 * down, 1.4 * down) if flaps else (4, 2 * down))
            store.silent += _spells(draw, seconds, 240, (15, 90))
        for region, begins, ends in _of_regions(draw, seconds, 60, (20, 50)):
            for store in self.stores:
                if store.region == region and draw.random() < 0.7:
                    store.down.append((begins + draw.uniform(0, 4), ends + draw.uniform(0, 4)))
        for region, begins, ends in _of_regions(draw, seconds, 100, (20, 80)):
            for store in self.stores:
                if store.region == region:
                    store.silent.append((begins, ends))

    def polls(self, since: float, until: float) -> list[Poll]:
        """Give the polls from one second to another, all but those that the poller missed."""
        return [poll for store in self.stores for poll in self._of(store, since, until)]

    def write(self, folder: Path) -> None:
        """Write the CSVs: shifts, zones, tags, and one poll of each store at the beginning."""
        folder.mkdir()
        at = self.begins_at.isoformat()
        polls = [(store.name, "active", at) for store in self.stores]
        _write(folder / "store_status.csv", ("store_id", "status", "timestamp_utc"), polls)
        _write(folder / "timezones.csv", ("store_id", "timezone_str"), ((each.name, each.zone) for each in self.stores))
        _write(folder / "stores.csv", ("store_id", "region"), ((each.name, each.region) for each in self.stores))
        hours = [row for store in self.stores for row in self._hours(store)]
        _write(folder / "menu_hours.csv", ("store_id", "dayOfWeek", "start_time_local", "end_time_local"), hours)

    def _of(self, store: Store, since: float, until: float) -> Iterator[Poll]:
        nth = max(0, int((since - store.offset) / _EVERY))
        while (second := store.offset + _EVERY * nth) < until:
            known = min(second, self.seconds)
            if second >= since and not _within(store.silent, known):
                at, is_active = self.begins_at + timedelta(seconds=second), not _within(store.down, known)
                yield Poll(store.name, at, is_active, (nth + self.stores.index(store)) % 2 == 0)
            nth += 1

    def _hours(self, store: Store) -> Iterator[tuple[object, ...]]:
        zone, at = ZoneInfo(store.zone), (self.begins_at - _BEFORE).replace(microsecond=0)
        ends_at = self.begins_at + timedelta(seconds=self.seconds) + _AFTER
        while store.shifts and at < ends_at:
            for nth, length in enumerate(store.shifts):
                opens, at = at.astimezone(zone), at + timedelta(seconds=length)
                if nth % 2 == 0:
                    yield store.name, opens.weekday(), f"{opens:%H:%M:%S}", f"{at.astimezone(zone):%H:%M:%S}"


def _spells(draw: Random, seconds: float, mean_gap: float, lengths: Stretch) -> Iterator[Stretch]:
    begins = draw.expovariate(1 / mean_gap)
    while begins < seconds:
        ends = begins + draw.uniform(*lengths)
        yield begins, ends
        begins = ends + draw.expovariate(1 / mean_gap)


def _of_regions(draw: Random, seconds: float, mean_gap: float, lengths: Stretch) -> Iterator[tuple[str, float, float]]:
    for begins, ends in _spells(draw, seconds, mean_gap, lengths):
        yield draw.choice(REGIONS), begins, ends


def _within(stretches: Sequence[Stretch], second: float) -> bool:
    return any(begins <= second < ends for begins, ends in stretches)


def _write(place: Path, names: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with place.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(names)
        writer.writerows(rows)
