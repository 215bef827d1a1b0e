"""Files of rules."""

from datetime import timedelta
from pathlib import Path

import pytest

from storemon.errors import FileError, InputError
from storemon.rules.conditions import Group, parse_condition
from storemon.rules.file import read_file, read_rule, read_text
from storemon.rules.rule import Flapping, Rule, Step

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WHOLE = """
[channels.ops]
to = "mail:ops@example.org"
[channels.boss]
to = "mail:boss@example.org"

[[rules]]
name = "down"
when = "down for 15m"
where = ["brand=Acme", "region="]
by = "region"
severity = "critical"
channels = ["ops"]
recovery = "5m"
grouping = "2m"
repeat = "4h"
repeats = 2
escalate = [{ after = "30m", channels = ["boss"] }, { after = "1h", channels = "boss ops".split }]
flapping = "never"
title = "{{ count }} down"
"""


def test_every_part_is_read() -> None:
    text = WHOLE.replace('"boss ops".split', '["boss", "ops"]')
    rules, channels = read_text(text)
    assert rules == [
        Rule(
            name="down",
            condition=parse_condition("down for 15m")[0],
            where={"brand": "Acme", "region": ""},
            by=("region",),
            severity="critical",
            channels=("ops",),
            recovery=5 * MINUTE,
            grouping=2 * MINUTE,
            repeat=4 * HOUR,
            repeats=2,
            escalate=(Step(30 * MINUTE, ("boss",)), Step(HOUR, ("boss", "ops"))),
            flapping=None,
            title="{{ count }} down",
        )
    ]
    assert channels == {"ops": {"to": "mail:ops@example.org"}, "boss": {"to": "mail:boss@example.org"}}


def test_what_is_left_out_has_its_default() -> None:
    assert read_rule({"name": "down", "when": "down for 15m"}) == Rule(
        name="down", condition=parse_condition("down for 15m")[0]
    )
    assert Rule(name="x", condition=Group(1, parse_condition("5% down")[0].share)).flapping == Flapping(5, 6 * HOUR)  # type: ignore[union-attr]


def test_every_mistake_is_told_at_once_where_it_is() -> None:
    with pytest.raises(InputError) as caught:
        read_text(
            """
            [[rules]]
            name = "a"
            when = "dwon for 15m"
            [[rules]]
            name = "b"
            whne = "down for 15m"
            [[rules]]
            name = "a b"
            when = "down for 15m"
            channels = ["opps"]
            [[rules]]
            name = "a b"
            when = "down for 15m"
            [[rules]]
            when = "down for 15m"
            [channels.ops]
            to = "x"
            [chanels.other]
            """,
            "rules.toml",
        )
    lines = str(caught.value).splitlines()
    assert lines == [
        "rules.toml: there is no table 'chanels'; did you mean channels?",
        "rules.toml: rule 1, 'a': when: 'dwon for 15m' is not a condition; did you mean something like 'down for 15m'?",
        "rules.toml: rule 2, 'b': there is no part of a rule 'whne'; did you mean when or where?",
        "rules.toml: rule 3, 'a b': there is no channel 'opps'; did you mean ops?",
        "rules.toml: rule 4, 'a b': another rule has this name; give it one of its own",
        "rules.toml: rule 5: it lacks `name`",
    ]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"name": ""}, "is not a name"),
        ({"name": " a"}, "is not a name"),
        ({"name": "a\nb"}, "is not a name"),
        ({"name": "a" * 101}, "is not a name"),
        ({"name": 7}, "Expected `str`"),
        ({"severity": "critcal"}, "did you mean critical?"),
        ({"where": "region"}, "where: 'region' is not a condition"),
        ({"where": ["region=West", "region=East"]}, "where: region cannot be both"),
        ({"recovery": "5"}, "recovery: '5' is not a duration"),
        ({"repeats": 3}, "repeats is how often it is told again"),
        ({"repeat": "4h", "repeats": 0}, "repeats is how often it is told again"),
        ({"escalate": [{"after": "1h", "channels": []}]}, "escalate: each step has a time"),
        (
            {"escalate": [{"after": "1h", "channels": ["a"]}, {"after": "30m", "channels": ["b"]}]},
            "escalate: each step comes later",
        ),
        ({"escalate": [{"after": "1h", "chanels": ["a"]}]}, "chanels"),
        ({"flapping": "often"}, "flapping: 'often' can't be read"),
        ({"flapping": "0 in 6h"}, "can't be read"),
        ({"flapping": "5 in 6"}, "flapping: '6' is not a duration"),
        ({"by": ["region", "region"]}, "by names a tag twice"),
        ({"when": "5 stores down by region", "by": "city"}, "named twice"),
    ],
)
def test_a_rule_is_refused_with_a_reason(parts: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_rule({"name": "a", "when": "down for 15m", **parts})
    assert told in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="name a file of rules with --rules"):
        read_file(tmp_path / "rules.toml")
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"\xff\xfe[")
    with pytest.raises(FileError, match="not written in UTF-8"):
        read_file(odd)
    odd.write_text("[[rules]\n")
    with pytest.raises(InputError, match=r"no TOML: .*line 1"):
        read_file(odd)
    odd.write_text('rules = "all"\nchannels = 3\n')
    with pytest.raises(InputError, match="each rule begins with") as caught:
        read_file(odd)
    assert "each channel begins with" in str(caught.value)


def test_a_mark_at_the_beginning_and_other_ends_of_lines_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(b'\xef\xbb\xbf[[rules]]\r\nname = "a"\r\nwhen = "down for 15m"\r\n')
    assert [rule.name for rule in read_file(file).rules] == ["a"]


def test_what_is_too_deep_to_be_read_is_refused() -> None:
    with pytest.raises(InputError, match="too many tables or lists within each other"):
        read_text("a = " + "[" * 100_000)
