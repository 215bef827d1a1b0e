import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from storemon.errors import ChannelError
from storemon.watch.channels.alertmanager import Alertmanager, posted
from storemon.watch.channels.posting import read_url
from storemon.watch.messages import Message
from storemon.watch.texts import message_of, trial_message
from tests.service.waiting import eventually, until
from tests.watch.told import alert

AHEAD = timedelta(minutes=5)
PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIGURATION = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Alertmanager, at a port of its own."""
    if PROGRAM is None:
        pytest.skip("Alertmanager is not installed: Debian's package prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "am.yml").write_text(CONFIGURATION)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["--config.file=am.yml", "--storage.path=data", "--cluster.listen-address="]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, *options, f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stderr=log, stdout=log
        )
    try:
        until(lambda: (ready := eventually(f"{url}/-/ready")) and ready.status_code == 200)
        yield url
    finally:
        process.kill()
        process.wait()


def alerts_of(server: str, **labels: str) -> list[dict[str, Any]]:
    asked = [f'{name}="{value}"' for name, value in labels.items()]
    found: list[dict[str, Any]] = (
        httpx.get(f"{server}/api/v2/alerts", params={"filter": asked}).raise_for_status().json()
    )
    return found


def now(**shift: int) -> str:
    return (datetime.now(UTC) + timedelta(**shift)).isoformat()


def test_an_alert_is_there_with_all_that_is_known(server: str) -> None:
    fired_at = now(minutes=-20)
    told = message_of("n1", "fired", "down", [alert(fired_at=fired_at)], link="https://storemon.example.org/alerts/1")
    Alertmanager(read_url(server)).send(told)
    (found,) = alerts_of(server, alertname="down")
    assert found["labels"] == {
        "alertname": "down",
        "severity": "critical",
        "subject": "4711",
        "name": "Acme Loop",
        "brand": "Acme",
        "region": "West",
        "city": "Chicago",
    }
    assert found["annotations"]["summary"] == "Acme Loop (4711) is down"
    assert "The last active poll was at Mon 14 Oct 2024, 13:55 CDT" in found["annotations"]["description"]
    assert found["generatorURL"] == "https://storemon.example.org/alerts/1"
    assert datetime.fromisoformat(found["startsAt"]) == datetime.fromisoformat(fired_at).replace(
        microsecond=datetime.fromisoformat(found["startsAt"]).microsecond
    )
    ahead = datetime.fromisoformat(found["endsAt"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < ahead <= AHEAD


def test_what_is_kept_ends_by_itself_and_what_is_resolved_at_once(server: str) -> None:
    way = Alertmanager(read_url(server))
    both = [alert(subject=name, rule="kept", fired_at=now(minutes=-9)) for name in ("a", "b")]
    way.keep(both, timedelta(hours=1))
    assert {found["labels"]["subject"] for found in alerts_of(server, alertname="kept")} == {"a", "b"}
    way.keep(
        [both[0] | {"link": "https://storemon.example.org/alerts/a"}, both[1] | {"resolved_at": now(seconds=-1)}],
        timedelta(hours=1),
    )
    until(lambda: len(alerts_of(server, alertname="kept")) == 1)
    assert alerts_of(server, alertname="kept")[0]["generatorURL"] == "https://storemon.example.org/alerts/a"
    way.keep([both[0] | {"rule": "left alone"}], timedelta(seconds=2))
    assert len(alerts_of(server, alertname="left alone")) == 1
    until(lambda: alerts_of(server, alertname="left alone") == [])


def test_the_tags_of_groups_and_odd_ones_are_labels(server: str) -> None:
    tags = {"1st": "x", "a b": "1", "a-b": "2", "severity": "low", "empty": "", "größe": "groß"}
    Alertmanager(read_url(server)).keep([alert("group", tags=tags, fired_at=now(minutes=-9))], AHEAD)
    (found,) = alerts_of(server, alertname="group")
    assert found["labels"] == {
        "alertname": "group",
        "severity": "critical",
        "subject": "region=West",
        "tag_1st": "x",
        "a_b": "1",
        "a_b_": "2",
        "tag_severity": "low",
        "gr__e": "groß",
    }


def test_a_great_many_are_posted_in_parts(server: str) -> None:
    many = [alert(subject=f"{n}", rule="many", fired_at=now(minutes=-9)) for n in range(1234)]
    Alertmanager(read_url(server)).keep(many, AHEAD)
    assert len(alerts_of(server, alertname="many")) == 1234


def test_a_test_is_an_alert_of_its_own(server: str) -> None:
    Alertmanager(read_url(f"{server}/")).send(trial_message("n1", "am"))
    (found,) = alerts_of(server, alertname="storemon_test")
    assert found["annotations"]["summary"] == "A test of the channel am"
    assert datetime.fromisoformat(found["endsAt"]) - datetime.now(UTC) <= timedelta(minutes=1)


def test_what_is_no_alert_is_refused() -> None:
    with pytest.raises(ChannelError, match="takes alerts only") as failed:
        Alertmanager(read_url("http://127.0.0.1:1")).send(Message("n1", "t", "x", data={"kind": "answer"}))
    assert not failed.value.again


def test_an_alertmanager_that_is_not_there_may_come_back() -> None:
    with pytest.raises(ChannelError, match="can't be reached") as failed:
        Alertmanager(read_url("http://127.0.0.1:1")).keep([alert()], AHEAD)
    assert failed.value.again


def test_nothing_is_posted_for_no_alerts() -> None:
    Alertmanager(read_url("http://127.0.0.1:1")).keep([], AHEAD)


def test_facts_that_are_missing_are_not_told() -> None:
    told = posted(alert(facts={}, share=None, tags={}, zone=None), AHEAD)
    assert told["annotations"] == {
        "summary": "store 4711 is down",
        "description": "Since: Mon 14 Oct 2024, 19:20 UTC. Rule: down, critical.",
    }
