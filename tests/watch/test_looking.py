"""Live against replay: looks that come now and then find the alerts that replay finds, to the microsecond."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

import storemon
from storemon.engine.question import Question
from storemon.records.opening import opened_records
from storemon.records.tables import ALERTS, EVENTS, LOOKS, NOTICES, SILENCES
from storemon.rules.file import read_text
from storemon.rules.rule import Rule
from storemon.settings import Settings
from storemon.units.instants import microseconds
from storemon.watch.alerts.kept import Alerts
from storemon.watch.alerts.looking import Looked, Looking
from storemon.watch.alerts.telling import Teller
from storemon.watch.outbox import Outbox
from tests.engine.asking import frames_of, window_as_asked
from tests.examples import examples
from tests.oracle.rules import Kind
from tests.rules.worlds import World, rules, worlds, written

KINDS: tuple[Kind, ...] = get_args(Kind)
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    records = opened_records(Settings.load(reports=tmp_path_factory.mktemp("looking")))
    yield records
    records.dispose()


def emptied(records: Engine) -> Engine:
    with records.connect() as connection:
        for table in (ALERTS, EVENTS, LOOKS, NOTICES, SILENCES):
            connection.execute(table.delete())
    return records


class Live:
    """Looks as of instants that the test chooses, and knows the polls up to there, each time as a process anew."""

    def __init__(self, records: Engine, rules: Sequence[Rule]) -> None:
        self.records, self.rules = records, rules
        self.alerts, self.outbox = Alerts(records), Outbox(records)

    def look(self, world: World, at: datetime) -> Looked | None:
        polls = [poll for poll in world.case.polls if poll[2] <= at]
        known = frames_of(replace(world.case, polls=polls))
        question = Question(at, carry_limit=world.case.carry_limit)
        return Looking(self.records, self.alerts, Teller(self.alerts, self.outbox)).look(known, question, self.rules)

    def found(self) -> list[tuple[str, str, int, int | None, bool]]:
        told = self.alerts.newest(1000)
        return sorted((each.rule, each.subject, each.fired_at, each.resolved_at, each.stale) for each in told)


def replayed(world: World, rules: Sequence[Rule], since: datetime, until: datetime) -> list[tuple[object, ...]]:
    frame = storemon.alerts(
        frames_of(world.case),
        rules,
        windows=[window_as_asked("asked", (since, until))],
        as_of=until,
        carry_limit=world.case.carry_limit,
    )
    return sorted(
        (
            row["rule"],
            row["subject"],
            microseconds(row["fired_at"]),
            None if row["resolved_at"] is None else microseconds(row["resolved_at"]),
            row["stale"],
        )
        for row in frame.iter_rows(named=True)
    )


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data(), world=worlds(max_stores=4, days=6))
def test_looks_find_what_replay_finds(records: Engine, data: st.DataObject, world: World) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    text = "".join(written(data.draw(rules(kind)), f"rule {place}") for place, kind in enumerate(kinds))
    note(text)
    read = read_text(text).rules
    length = (world.ends_at - world.starts_at) // TICK
    inside = st.integers(0, length).map(lambda us: world.starts_at + us * TICK)
    at_polls = st.sampled_from([poll[2] for poll in world.case.polls]).filter(
        lambda at: world.starts_at <= at <= world.ends_at
    )
    times = data.draw(
        st.lists(
            inside | at_polls
            if any(world.starts_at <= poll[2] <= world.ends_at for poll in world.case.polls)
            else inside,
            max_size=6,
        )
    )
    ticks = sorted({*times, world.starts_at, world.ends_at})
    live = Live(emptied(records), read)
    for tick in ticks:
        assert live.look(world, tick) is not None
    assert live.found() == replayed(world, read, ticks[0], ticks[-1])
    assert live.look(world, ticks[-1]) is None  # a look as late as this has been
