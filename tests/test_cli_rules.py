"""Rules, alerts and silences on the command line: checked, replayed, listed, acknowledged, silenced, watched."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

import storemon as package
from storemon.answers.alerts import replay
from storemon.records.opening import opened_records
from storemon.settings import Settings
from tests.conftest import COMMAND, Storemon, environment
from tests.service.waiting import until
from tests.watch.alerting import FIRED_AT, alert, put

FILE = """
[channels.ops]
to = "folder:shelf"

[[rules]]
name = "down"
when = "down for 15m"
severity = "critical"
channels = "ops"
escalate = [{ after = "30m", channels = ["ops"] }]

[[rules]]
name = "many"
when = "2 stores and 20% down by region"
"""
COLUMNS = ["rule", "subject", "kind", "severity", "fired_at", "resolved_at", "stale", "notices"]


@pytest.fixture
def there(sampled: Path, tmp_path: Path) -> Path:
    """A folder with rules, and the sample's lake."""
    (tmp_path / "rules.toml").write_text(FILE)
    (tmp_path / "parquet").symlink_to(sampled / "parquet")
    return tmp_path


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Engine]:
    opened = opened_records(Settings.load(reports=tmp_path / "reports", database="sqlite"))
    yield opened
    opened.dispose()


def test_a_check_tells_what_each_rule_asks_about(there: Path, storemon: Storemon) -> None:
    regions = len(package.report(package.Lake(there / "parquet"), group_by=["region"]))
    checked = storemon("rules", "check")
    assert (checked.status, checked.err) == (0, "")
    assert checked.out.decode().splitlines() == [
        f"channel ops: folder, {there}/shelf",
        "rule down: down for 15m; critical; tells ops, ops after 30m; asks about 8 stores",
        f"rule many: 2 stores and 20% down by region; warning; tells nobody; asks about {regions} groups",
    ]
    assert not (there / "reports").exists()  # it touches nothing


def test_a_check_warns_of_a_rule_that_asks_about_nothing(there: Path, storemon: Storemon) -> None:
    (there / "rules.toml").write_text('[[rules]]\nname = "x"\nwhen = "down for 15m"\nwhere = "regoin=West"\n')
    checked = storemon("rules", "check")
    assert checked.status == 0
    assert b"rule x: down for 15m, regoin=West; warning; tells nobody; asks about nothing\n" in checked.out
    assert "the rule 'x' asks about nothing for now: there is no tag 'regoin'; did you mean region?" in checked.err
    assert storemon("rules", "check", "--lake", "elsewhere").out.endswith(b"tells nobody\n")  # there is no lake


def test_a_check_tells_each_mistake_where_it_is(there: Path, storemon: Storemon) -> None:
    (there / "rules.toml").write_text(
        '[[rules]]\nname = "one"\nwhen = "dwn for 15m"\n[[rules]]\nname = "two"\nwhen = "silent for 2h"\n'
        'chanels = "x"\n'
    )
    checked = storemon("rules", "check")
    assert (checked.status, checked.out) == (2, b"")
    assert "rules.toml: rule 1, 'one': when: 'dwn for 15m' is not a condition; did you mean" in checked.err
    assert "rules.toml: rule 2, 'two': there is no part of a rule 'chanels'; did you mean channels" in checked.err
    for wrong, said in (
        ('title = "{{ x"', "rule 'one': title"),
        ('severity = "grave"', "there is no severity 'grave'"),
        ('channels = "nobody"', "there is no channel 'nobody'"),
        ("[channels.x]\nto = 'ftp://x'", "channels.x: there is no kind of channel 'ftp'"),
    ):
        (there / "rules.toml").write_text(f'[[rules]]\nname = "one"\nwhen = "silent for 2h"\n{wrong}\n')
        checked = storemon("rules", "check")
        assert (checked.status, checked.out) == (2, b"")
        assert said in checked.err
    missing = storemon("rules", "check", "--rules", "nowhere.toml")
    assert (missing.status, "name a file of rules with --rules" in missing.err) == (2, True)


def test_a_replay_in_every_form(there: Path, storemon: Storemon) -> None:
    wanted = replay(package.Lake(there / "parquet").snapshot(), there / "rules.toml", windows=["5d"])
    assert len(wanted.alerts) > 5
    told = storemon("rules", "replay", "--window", "5d", "--out", "alerts.parquet")
    assert (told.status, told.err) == (0, "")
    found = pl.read_parquet(there / "alerts.parquet")
    assert found.columns == COLUMNS
    assert found.rows() == wanted.alerts.rows()
    first, *summary = told.out.decode().splitlines()
    assert first.startswith(f"alerts.parquet: {len(found):,} alerts as of 2024-10-14 23:55:18")
    notices = wanted.notices.filter(rule="down", channel="ops")
    down = next(line for line in summary if line.startswith("down"))
    assert down.split()[:4] == ["down", str(len(found.filter(rule="down"))), "ops", str(len(notices))]
    assert "tells nobody" in next(line for line in summary if line.startswith("many"))
    storemon("rules", "replay", "--window", "5d", "--out", "alerts.json")
    assert [[*row] for row in json.loads((there / "alerts.json").read_text())] == [COLUMNS] * len(found)


@pytest.mark.usefixtures("there")
def test_a_replay_that_is_piped_is_a_table_for_programs(storemon: Storemon) -> None:
    piped = storemon("rules", "replay", "--window", "5d", "--where", "region=South", "--every", "5m")
    assert piped.status == 0
    assert pl.read_csv(piped.out).columns == COLUMNS
    assert "busiest_hour" in piped.err  # what it comes to is for people
    nothing = storemon("rules", "replay", "--as-of", "2024-10-01")
    assert nothing.out.decode() == ",".join(COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rules replay --policy nearest", "leave out --policy"),
        ("rules replay --every 0m", "'0m' is no time at all"),
        ("rules replay --window 1d --window 2d", "alerts are told in one window"),
        ("rules replay --out .", "folder"),
        ("rules replay --where regoin=West", "did you mean region"),
        ("rules check --window 3d", "go with replay only"),
        ("rules list --out x.csv", "go with replay only"),
        ("alerts show", "name the alert by its id"),
        ("alerts show 1234", "'1234' is not an id"),
        ("alerts show 12345678", "there is no alert '12345678'"),
        ("alerts show %%%%%%%%", "is not an id"),
        ("alerts list 12345678", "storemon alerts show"),
        ("alerts list --reason x", "--reason does not go with list"),
        ("alerts show 12345678 --rule x", "--rule does not go with show"),
        ("silences end", "name the silence by its id"),
        ("silences end 12345678", "there is no silence"),
        ("silences end 12345678 --for 2h", "--for does not go with end"),
        ("silences add", "say what is silent"),
        ("silences add --where region=South --for 2h", "say why"),
        ("silences add --where region=South --reason x", "say how long"),
        ("silences add --where region=South --reason x --for 2h --until 2999-01-01", "one of them"),
        ("silences add --where region=South --reason x --until 2001-01-01", "over before it begins"),
        ("silences add --where regoin=South --reason x --for 2h", "did you mean region"),
        ("silences add --where region=Soth --reason x --for 2h", "did you mean South"),
        ("silences add --where rule=dwn --reason x --for 2h", "did you mean down"),
        ("silences add --where subject=4711 --reason x --for 2h", "there is no store and no group '4711'"),
        ("silences add --where severity=grave --reason x --for 2h", "there is no severity 'grave'"),
        ("silences add --where region=South --reason x --for 99999999d", ""),
        ("silences list --reason x", "--reason does not go with list"),
        ("watch --every never", "'never' is not a duration"),
        ("watch --rules nowhere.toml", "nowhere.toml"),
    ],
)
def test_what_is_asked_wrongly_is_told(there: Path, storemon: Storemon, line: str, said: str) -> None:
    assert there
    ran = storemon(*line.split())
    assert (ran.status, ran.out) == (2, b"") or "99999999d" in line
    assert said in ran.err
    assert ran.err.startswith("storemon: ") or "99999999d" in line


def test_alerts_are_listed_shown_and_acknowledged(records: Engine, storemon: Storemon) -> None:
    one, over = alert("4711", tags={"region": "West"}), alert("8", rule="other", resolved_at=FIRED_AT + 60_000_000)
    over.closed_at = FIRED_AT
    put(records, one, over)
    listed = storemon("alerts", "list", "--rule", "down").out.decode()
    assert re.fullmatch(rf"{one.id}  open +critical  down  4711  2024-10-14 18:20:00 UTC\n", listed)
    assert "closed" in storemon("alerts", "list", "--state", "closed", "--subject", "8").out.decode()
    assert storemon("alerts", "--state", "acknowledged").err == "storemon: there are no such alerts\n"
    shown = storemon("alerts", "show", one.id[:8].upper()).out.decode()
    assert "tags         region=West\n" in shown
    assert shown.endswith("2024-10-14 18:20:00 UTC  fired: down for 15m\n")
    done = storemon("alerts", "acknowledge", one.id[:8], "--reason", "on it", "--author", "ann")
    assert (done.status, done.out.decode()) == (0, f"{one.id}: acknowledged\n")
    assert "acknowledged: ann, on it\n" in storemon("alerts", "show", one.id).out.decode()
    late = storemon("alerts", "acknowledge", over.id, "--reason", "late")
    assert (late.status, "the alert is over" in late.err) == (2, True)
    assert storemon("alerts", "list", "--top", "1").err.startswith("storemon: these are the last 1")


def test_an_id_must_tell_one_from_all_others(records: Engine, storemon: Storemon) -> None:
    put(records, alert("1", id="12345678-0000-4000-8000-000000000001"))
    put(records, alert("2", id="12345678-0000-4000-8000-000000000002"))
    assert "several alerts begin with '12345678'" in storemon("alerts", "show", "12345678").err
    assert b"subject      2\n" in storemon("alerts", "show", "12345678-0000-4000-8000-000000000002").out


def test_what_a_terminal_would_obey_is_shown(records: Engine, storemon: Storemon) -> None:
    one = alert("\x1b[2J4711", tags={"region": "\x1b]0;x\x07"})
    put(records, one)
    for command in (("alerts", "list"), ("alerts", "show", one.id)):
        assert b"\x1b" not in storemon(*command).out


def test_silences_are_added_listed_and_ended(there: Path, storemon: Storemon) -> None:
    where = ("--where", "region=South", "--where", "rule=down")
    added = storemon("silences", "add", *where, "--for", "2h", "--reason", "new tills", "--author", "ann")
    assert added.status == 0, added.err
    silence, begins, ends, matching, why = re.split(r"  | to ", added.out.decode().strip())
    assert (matching, why) == ("region=South,rule=down", "ann: new tills")
    length = datetime.fromisoformat(ends.removesuffix(" UTC")) - datetime.fromisoformat(begins.removesuffix(" UTC"))
    assert abs(length - timedelta(hours=2)) <= timedelta(seconds=5)
    assert storemon("silences").out == added.out
    later = ("--from", "2998-01-01", "--until", "2999-01-01", "--reason", "x")
    assert b"2998-01-01 00:00:00 UTC to 2999" in storemon("silences", "add", "--where", "severity=info", *later).out
    assert storemon("silences", "end", silence[:8]).out.decode().startswith(f"{silence}: ended")
    assert "has ended already" in storemon("silences", "end", silence).err
    assert silence not in storemon("silences", "list").out.decode()
    assert silence in storemon("silences", "list", "--ended").out.decode()
    assert there.exists()


def test_rules_in_force_are_listed(there: Path, storemon: Storemon) -> None:
    assert storemon("rules", "list").out.decode().splitlines() == [
        "down: down for 15m; critical; tells ops, ops after 30m; rules.toml",
        "many: 2 stores and 20% down by region; warning; tells nobody; rules.toml",
    ]
    (there / "rules.toml").unlink()
    assert storemon("rules", "list").err == "storemon: there are no rules, neither in rules.toml nor sent\n"


def test_watching_finds_and_tells(tmp_path: Path, storemon: Storemon) -> None:
    """A store goes down, and comes up again; the folder hears of both, and Ctrl-C ends it."""
    now = datetime.now(UTC)

    def polled(status: str, ago: timedelta) -> None:
        at = f"{now - ago:%Y-%m-%d %H:%M:%S} UTC"
        (tmp_path / "polls.csv").write_text(f"store_id,status,timestamp_utc\n4711,{status},{at}\n")
        assert storemon("ingest", "polls.csv").status == 0

    (tmp_path / "rules.toml").write_text(FILE)
    polled("active", timedelta(hours=2))
    polled("inactive", timedelta(hours=1))
    watching = subprocess.Popen(
        [*COMMAND, "watch", "--every", "1s", "--behind", "1s"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: b"open" in storemon("alerts").out)
        until(lambda: len([*(tmp_path / "shelf").glob("*.txt")]) >= 1)
        polled("active", timedelta(seconds=2))
        until(lambda: b"closed" in storemon("alerts").out)
    finally:
        watching.send_signal(signal.SIGINT)
        _, log = watching.communicate(timeout=60)
    assert watching.returncode == 0, log
    lines = [json.loads(line) for line in log.splitlines()]
    looks = [line for line in lines if line["event"] == "rules judged"]
    assert [sum(line[name] for line in looks) for name in ("fired", "resolved")] == [1, 1]
    assert "Traceback" not in log
