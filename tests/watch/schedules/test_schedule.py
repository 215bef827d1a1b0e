import shlex
from typing import Any

import pytest

from storemon.cli.asking import asked
from storemon.errors import InputError
from storemon.questions.kinds import KINDS, given
from storemon.questions.options import question_of
from storemon.watch.channels.reading import Channels
from storemon.watch.schedules.schedule import read_schedule, require_name
from tests.watch.schedules.scheduled import NO_CHANNELS, schedule

COMMANDS = {
    "report --window last-week --group-by region": {"window": ["last-week"], "group_by": ["region"]},
    "report --overall --measures availability,downtime --wide": {
        "overall": True,
        "measures": ["availability,downtime"],
        "wide": True,
    },
    "outages --window yesterday --where 'city=St. Paul'": {"window": ["yesterday"], "where": ["city=St. Paul"]},
    "hour-of-week --from 2024-10-01 --to 2024-10-08": {"from": "2024-10-01", "to": "2024-10-08"},
    "stores --target 99.5 --breaching": {"target": "99.5", "breaching": True},
    "now --group-by region": {"group_by": ["region"]},
    "audit --window 7d": {"window": "7d"},
}


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_is_read_kept_and_written_again(words: str) -> None:
    kind, question, form = asked(tuple(shlex.split(f"{words} --format parquet")))
    assert form == "parquet"
    assert given(question) == COMMANDS[words]
    kept = schedule(kind, options=given(question)).checked(NO_CHANNELS)
    assert question_of(KINDS[kind].question, kept.question.options) == question
    assert sorted(shlex.split(kept.words())) == sorted(shlex.split(words))
    assert asked(tuple(shlex.split(kept.words()))) == (kind, question, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say behind -- what is asked"),
        (("reprot",), "did you mean report"),
        (("explain", "4711"), "there is no answer 'explain'"),
        (("report", "--windw", "1d"), "--windw"),
        (("outages", "more"), "more"),
    ],
)
def test_a_command_that_is_none_is_told(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(words)


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        ("report", {"cron": "0 7 * * MOM"}, "did you mean MON"),
        ("report", {"zone": "America/Chicgo"}, "did you mean America/Chicago"),
        ("report", {"form": "xslx"}, "did you mean xlsx"),
        ("report", {"grace": "2 hours"}, "grace=2 hours: "),
        ("report", {"grace": "8d"}, "7d at the most"),
        ("report", {"to": []}, "needs somebody to send to"),
        ("report", {"to": ["ops"]}, "there is no channel 'ops'"),
        ("report", {"to": ["maill:ops@example.org"]}, "did you mean mail"),
        ("report", {"to": ["mail:" + "a" * 600]}, "605 characters"),
        ("reprot", {}, "did you mean report"),
        ("report", {"options": {"windw": "1d"}}, "did you mean window"),
        ("report", {"options": {"window": ["lst-week"]}}, "did you mean last-week"),
        ("report", {"options": {"as_of": "2024-10-14"}}, "leave out --as-of"),
        ("report", {"options": {"measures": ["uptme"]}}, "did you mean uptime"),
        ("report", {"options": {"overall": True, "group_by": ["region"]}}, "leave one of them out"),
        ("outages", {"options": {"window": ["1d", "1d"]}}, "two windows are called"),
        ("outages", {"options": {"policy": "cary"}}, "did you mean carry"),
        ("outages", {"options": {"where": ["region"]}}, "region"),
        ("hour-of-week", {"options": {"window": ["1d", "2d"]}}, "adds up one window"),
        ("stores", {"options": {"breaching": True}}, "needs a target"),
        ("stores", {"options": {"target": "101"}}, "101"),
        ("now", {"options": {"carry_limit": "1 day"}}, "carry_limit"),
        ("audit", {"options": {"window": "week"}}, "week"),
    ],
)
def test_what_cannot_be_meant_is_told_before_it_is_kept(kind: str, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        schedule(kind, **changed).checked(NO_CHANNELS)


def test_recipients_are_channels_or_addresses_each_once() -> None:
    channels = Channels({"shelf": {"to": "folder:somewhere"}})
    kept = schedule(to=["shelf", " mail:a@example.org", "shelf"]).checked(channels)
    assert kept.to == ["shelf", "mail:a@example.org"]


@pytest.mark.parametrize("name", ["weekly", "A.b_c-1", "x" * 100, "0"])
def test_names(name: str) -> None:
    require_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "a/b", "-rf", "a b", "x" * 101, "ü", "a\n", "a\x00", "'; DROP TABLE jobs", "%s"]
)
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="can't be called"):
        require_name(name)


@pytest.mark.parametrize("written", [{}, {"cron": 7}, None, {"cron": "* * * * *", "zone": "UTC", "newer": 1}])
def test_what_a_newer_storemon_wrote_is_told(written: object) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_schedule(written)
