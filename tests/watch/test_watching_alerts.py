"""A story of two stores, watched: what is in the records and in the outbox after each look, on each database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from storemon import Frames, InputError
from storemon.engine.question import Question
from storemon.records.opening import opened_records
from storemon.records.tables import ALERTS, SILENCES
from storemon.rules.file import read_text
from storemon.rules.rule import Rule
from storemon.settings import Settings
from storemon.units.instants import EPOCH
from storemon.watch.alerts.kept import Alerts, Kept
from storemon.watch.alerts.looking import Looked, Looking
from storemon.watch.alerts.silences import Silences
from storemon.watch.alerts.telling import Teller
from storemon.watch.outbox import Outbox

NINE = datetime(2024, 10, 14, 9, tzinfo=UTC)  # a Monday, on which both stores open at nine
HOURS = [(store, day, "09:00", "17:00") for store in ("a", "b") for day in range(7)]
DOWN = """
[channels.ops]
to = "mail:ops@example.org"
[[rules]]
name = "down"
when = "down for 15m"
channels = ["ops"]
"""
GROUP = """
[[rules]]
name = "region"
when = "2 stores down by region"
channels = ["ops"]
"""
Polls = list[tuple[str, str, datetime]]


def at(text: str, day: int = 0) -> datetime:
    hour, minute = text.split(":")
    return NINE.replace(hour=int(hour), minute=int(minute)) + timedelta(days=day)


def polls(store: str, **states: str) -> Polls:
    """Make polls of ``active="8:50 9:10"`` and so on."""
    return [(store, state, at(time)) for state, times in states.items() for time in times.split()]


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    address = "sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    records = opened_records(Settings.load(reports=tmp_path / "reports", database=address))
    yield records
    records.dispose()


class Live:
    def __init__(self, records: Engine) -> None:
        self.records, self.alerts, self.outbox, self.silences = (
            records,
            Alerts(records),
            Outbox(records),
            Silences(records),
        )

    def look(self, when: datetime, known: Polls, text: str = DOWN) -> Looked | None:
        """Look as of an instant, as another process than the last time."""
        return self._look(when, known, read_text(text).rules)

    def _look(self, when: datetime, known: Polls, rules: list[Rule]) -> Looked | None:
        frames = Frames(
            polls={
                name: [poll[place] for poll in known]
                for place, name in enumerate(("store_id", "status", "timestamp_utc"))
            },
            hours={
                name: [row[place] for row in HOURS]
                for place, name in enumerate(("store_id", "day", "start_time_local", "end_time_local"))
            },
            zones={"store_id": ["a", "b"], "timezone_str": ["UTC", "UTC"]},
            stores={"store_id": ["a", "b"], "region": ["West", "West"]},
        )
        looking = Looking(self.records, self.alerts, Teller(self.alerts, self.outbox))
        return looking.look(frames, Question(when), rules)

    def events(self, alert: Kept) -> list[str]:
        return [event.what for event in self.alerts.events(alert.id)]

    def sent(self) -> list[tuple[str, list[str]]]:
        """List what was put into the outbox: of which kind, and of which subjects."""
        subjects = {alert.id: alert.subject for alert in self.alerts.newest(100)}
        return [(one.kind, [subjects[each] for each in one.alerts]) for one in reversed(self.outbox.newest(100))]


@pytest.fixture
def live(records: Engine) -> Live:
    return Live(records)


UP = polls("a", active="8:50 9:10") + polls("b", active="8:50 9:10 10:00 11:00 12:00")
DOWN_AT_930 = polls("a", inactive="9:30 9:50 10:10")


def test_an_alert_fires_once_and_is_resolved_once(live: Live) -> None:
    assert live.look(at("9:20"), UP) == Looked(1, 0, 0, 0)
    assert live.look(at("9:40"), UP + DOWN_AT_930) == Looked(1, 0, 0, 0)
    assert live.look(at("9:50"), UP + DOWN_AT_930) == Looked(1, 1, 0, 1)
    (alert,) = live.alerts.open()
    assert EPOCH + timedelta(microseconds=alert.fired_at) == at("9:45")
    assert alert.facts["zone"] == "UTC"
    assert alert.facts["tags"] == {"region": "West"}
    assert alert.facts["facts"] == {
        "last_polled_at": at("9:50").isoformat(),
        "since": at("9:30").isoformat(),
        "open_time_s": 20 * 60,
        "started_after": at("9:10").isoformat(),
        "first_inactive_at": at("9:30").isoformat(),
    }
    assert live.look(at("10:00"), UP + DOWN_AT_930) == Looked(1, 0, 0, 0)
    up_again = UP + DOWN_AT_930 + polls("a", active="10:30")
    assert live.look(at("10:45"), up_again) == Looked(1, 0, 1, 1)
    assert live.look(at("11:00"), up_again) == Looked(1, 0, 0, 0)
    assert live.alerts.open() == []
    (alert,) = live.alerts.newest(10)
    assert alert.resolved_at is not None
    assert EPOCH + timedelta(microseconds=alert.resolved_at) == at("10:30")
    assert live.events(alert) == ["fired", "told", "resolved", "told over"]
    assert live.sent() == [("fired", ["a"]), ("resolved", ["a"])]


def test_what_came_and_went_between_two_looks_is_told_too(live: Live) -> None:
    live.look(at("9:20"), UP)
    assert live.look(at("12:00"), UP + DOWN_AT_930 + polls("a", active="10:30")) == Looked(1, 1, 1, 2)
    (alert,) = live.alerts.newest(10)
    assert [EPOCH + timedelta(microseconds=each or 0) for each in (alert.fired_at, alert.resolved_at)] == [
        at("9:45"),
        at("10:30"),
    ]


def test_closing_time_neither_fires_nor_resolves_and_an_acknowledgement_stays(live: Live) -> None:
    late = UP + polls("a", inactive="16:50")
    live.look(at("9:20"), UP)
    live.look(at("9:00", day=1), late)
    assert live.alerts.open() == []
    live.look(at("9:10", day=1), late)
    (alert,) = live.alerts.open()
    assert EPOCH + timedelta(microseconds=alert.fired_at) == at("9:05", day=1)
    acknowledged = live.alerts.acknowledge(alert.id, "ada", "I look into it")
    assert acknowledged is not None
    assert acknowledged.acknowledged_by == "ada"
    live.look(at("9:15", day=1), late)
    (alert,) = live.alerts.open()
    assert alert.acknowledged_by == "ada"
    live.look(at("18:00", day=1), late)
    assert len(live.alerts.open()) == 1
    assert live.events(alert) == ["fired", "told", "acknowledged"]
    assert live.alerts.acknowledge("none", "ada", "x") is None
    with pytest.raises(InputError, match="there is no reason"):
        live.alerts.acknowledge(alert.id, "ada", " ")


def test_what_nobody_knows_resolves_nothing(live: Live) -> None:
    known = UP + DOWN_AT_930
    live.look(at("9:50"), known)
    live.look(at("10:30", day=7), known)
    (alert,) = live.alerts.open()
    assert alert.stale
    assert live.events(alert) == ["fired", "told", "stale"]
    live.look(at("12:00", day=7), [*known, ("a", "active", at("11:00", day=7))])
    assert live.alerts.open() == []


def test_a_group_lists_its_members_and_what_outlasts_it_is_told(live: Live) -> None:
    both = UP[:2] + polls("b", active="8:50 9:10") + polls("a", inactive="9:30") + polls("b", inactive="9:40")
    live.look(at("9:20"), both, DOWN + GROUP)
    assert live.look(at("10:00"), both, DOWN + GROUP) == Looked(2, 3, 0, 1)
    assert live.sent() == [("fired", ["region=West"])]
    half = both + polls("b", active="10:10")
    assert live.look(at("10:20"), half, DOWN + GROUP) == Looked(2, 0, 2, 2)
    assert live.sent() == [("fired", ["region=West"]), ("resolved", ["region=West"]), ("fired", ["a"])]
    told = {alert.subject: live.events(alert) for alert in live.alerts.newest(10)}
    assert told == {
        "region=West": ["fired", "told", "resolved", "told over"],
        "a": ["fired", "listed", "told"],
        "b": ["fired", "listed", "resolved"],
    }
    (group,) = (alert for alert in live.alerts.newest(10) if alert.kind == "group")
    assert group.facts["facts"] == {"open": 2, "down": 2, "members": ["a", "b"]}


def test_a_silence_keeps_back_and_what_still_fires_at_its_end_is_told(live: Live) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    silence = live.silences.add({"region": "West", "rule": "down"}, None, later, "ada", "we move house")
    live.silences.add({"region": "East"}, None, later, "ada", "another")
    assert live.look(at("9:50"), UP + DOWN_AT_930) == Looked(1, 1, 0, 0)
    (alert,) = live.alerts.open()
    assert live.look(at("9:55"), UP + DOWN_AT_930) == Looked(1, 0, 0, 0)
    assert live.events(alert) == ["fired", "silenced"]
    assert live.silences.end(silence.id)
    assert not live.silences.end(silence.id)
    assert live.look(at("10:00"), UP + DOWN_AT_930) == Looked(1, 0, 0, 1)
    assert live.sent() == [("fired", ["a"])]
    silence = live.silences.add({"subject": "a"}, None, later, "ada", "it will be over")
    up_again = UP + DOWN_AT_930 + polls("a", active="10:30")
    assert live.look(at("10:40"), up_again) == Looked(1, 0, 1, 0)
    assert live.silences.end(silence.id)
    assert live.look(at("10:50"), up_again) == Looked(1, 0, 0, 1)
    assert live.sent() == [("fired", ["a"]), ("resolved", ["a"])]
    for wrong in (later - timedelta(days=1), datetime.now(UTC)):
        with pytest.raises(InputError, match="over before it begins"):
            live.silences.add({}, None, wrong, "ada", "x")


def test_a_silence_that_runs_out_by_itself_is_noticed(live: Live) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    live.silences.add({"severity": "warning"}, None, later, "ada", "we move house")
    live.look(at("9:50"), UP + DOWN_AT_930)
    with live.records.connect() as connection:  # two hours later
        ended = (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1) - 1
        connection.execute(update(SILENCES).values(ends_at=ended))
        connection.execute(update(ALERTS).values(due_at=ended))
    assert live.look(at("10:00"), UP + DOWN_AT_930) == Looked(1, 0, 0, 1)


def test_rules_that_go_close_their_alerts_and_those_that_come_find_what_goes_on(live: Live) -> None:
    other = DOWN.replace('"down"', '"other"')
    live.look(at("9:50"), UP + DOWN_AT_930)
    assert live.look(at("10:00"), UP + DOWN_AT_930, other) == Looked(1, 1, 0, 2)
    (alert,) = live.alerts.open()
    assert (alert.rule, EPOCH + timedelta(microseconds=alert.fired_at)) == ("other", at("9:45"))
    assert {kind for kind, _ in live.sent()} == {"fired", "resolved"}
    (gone,) = (each for each in live.alerts.newest(10) if each.rule == "down")
    assert live.events(gone) == ["fired", "told", "dropped", "told over"]
    (over,) = (each.message for each in live.outbox.newest(10) if each.kind == "resolved")
    assert over.title == "[closed] store a is not watched any more by down"  # nobody knows that it is up
    assert over.data["alerts"][0]["dropped"]
    assert live.alerts.looked_at().keys() == {"other"}


def test_a_rule_that_asks_about_nobody_is_not_watched_and_loses_no_alert(live: Live) -> None:
    live.look(at("9:50"), UP + DOWN_AT_930)
    unknown = DOWN + 'where = "region=Wset"\n'
    assert live.look(at("10:00"), UP + DOWN_AT_930, unknown) == Looked(0, 0, 0, 0)
    assert len(live.alerts.open()) == 1


def test_a_look_that_comes_too_late_changes_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    live.look(at("9:20"), UP)
    other, asked = Live(live.records), Alerts.open

    def meanwhile(alerts: Alerts) -> list[Kept]:
        """Let another process look between the first and the last step of a look."""
        monkeypatch.setattr(Alerts, "open", asked)
        assert other.look(at("9:50"), UP + DOWN_AT_930) == Looked(1, 1, 0, 1)
        return asked(alerts)

    monkeypatch.setattr(Alerts, "open", meanwhile)
    assert live.look(at("9:55"), UP + DOWN_AT_930) is None
    assert live.sent() == [("fired", ["a"])]
    assert live.look(at("9:55"), UP + DOWN_AT_930) == Looked(1, 0, 0, 0)
