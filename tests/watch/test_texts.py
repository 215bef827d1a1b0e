"""What notices say, against texts that were read and found good: ``GOLDEN=1`` writes them anew, to be read again."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import structlog

from storemon.errors import InputError
from storemon.watch.messages import Message
from storemon.watch.texts import MOST_ALERTS, digest_of, message_of, require_templates, trial_message
from tests.watch.told import FACTS, alert, message

GOLDEN = Path(__file__).parent / "golden"
LINK = "https://storemon.example.org/alerts/1"
OVER = "2024-10-14T20:20:00Z"


def many(count: int, **other: Any) -> list[dict[str, Any]]:
    return [alert(id=f"a{n}", subject=f"{n:04}", tags={"name": f"Acme {n}"}, **other) for n in range(count)]


CASES: dict[str, Message] = {
    "down": message_of("n", "fired", "down", [alert()], link=LINK),
    "down-repeated": message_of("n", "repeated", "down", [alert()]),
    "down-escalated": message_of("n", "escalated", "down", [alert()]),
    "down-flapping": message_of("n", "flapping", "down", [alert()]),
    "down-resolved": message_of("n", "resolved", "down", [alert(resolved_at=OVER)], link=LINK),
    "down-nothing-known": message_of("n", "fired", "down", [alert(facts={}, tags={}, share=None, zone=None)]),
    "down-never-up": message_of("n", "fired", "down", [alert(facts={**FACTS["down"], "started_after": None})]),
    "down-many": message_of("n", "fired", "down", many(33), link=LINK),
    "down-many-resolved": message_of("n", "resolved", "down", many(2, resolved_at=OVER)),
    "silent": message_of("n", "fired", "silent", [alert("silent")]),
    "below": message_of("n", "fired", "below", [alert("below")]),
    "burn": message_of("n", "fired", "burn", [alert("burn")]),
    "group": message_of("n", "fired", "group", [alert("group")]),
    "group-of-many": message_of(
        "n", "fired", "group", [alert("group", facts={**FACTS["group"], "members": [f"{n}" for n in range(26)]})]
    ),
    "digest": digest_of([message_of("n1", "fired", "down", many(3)), message_of("n2", "fired", "x", [alert("group")])]),
    "test": trial_message("n", "ops"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_reads(name: str) -> None:
    told = CASES[name]
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN"):
        file.write_text(f"{told.title}\n\n{told.text}\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == f"{told.title}\n\n{told.text}\n"


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.links += [value for name, value in attributes if name in {"href", "src"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & {*self.open}:
            self.words += data.split()


def words_of(html: str) -> _Words:
    read = _Words()
    read.feed(html)
    assert read.open == []
    return read


@pytest.mark.parametrize("name", CASES)
def test_a_mail_says_the_same(name: str) -> None:
    told = CASES[name]
    read = words_of(told.html)
    shown = {word.strip(":") for word in read.words}
    assert {word.strip(":,-[]") for word in told.text.split()} - {word.strip(":,-[]") for word in shown} <= {
        "",
        LINK,
        "More",
    }
    assert read.links == ([LINK] if LINK in told.text else [])


def test_nothing_in_a_mail_comes_from_a_tag() -> None:
    evil = "<script>alert(1)</script>"
    told = message_of("n", "fired", evil, [alert(tags={"name": evil, evil: evil}, subject=evil)], link='x"><b>')
    assert "<script" not in told.html
    assert "<b>" not in told.html
    own = message_of("n", "fired", "down", [alert(tags={"name": evil})], templates={"text": "{{ alert.name }}"})
    assert own.text == f"{evil} (4711)"
    assert "<script" not in own.html


def test_what_a_program_reads() -> None:
    told = CASES["down"]
    assert told.data == {"kind": "fired", "rule": "down", "count": 1, "alerts": [alert()], "link": LINK}
    assert told.severity == "critical"
    assert CASES["down-resolved"].severity == "info"
    assert message_of("n", "fired", "x", [alert(severity="info"), alert(severity="warning")]).severity == "warning"


def test_no_more_alerts_than_can_be_sent() -> None:
    told = message_of("n", "fired", "down", [alert()] * (MOST_ALERTS + 5))
    assert (told.data["count"], len(told.data["alerts"])) == (MOST_ALERTS + 5, MOST_ALERTS)
    assert "and 9,985 more" in told.text
    assert len(told.html) < 30_000


def test_titles_are_one_line() -> None:
    told = message_of(
        "n", "fired", "down", [alert(tags={"name": "a\nb"})], templates={"title": "x\n\n{{ alert.name }}"}
    )
    assert told.title == "x a b (4711)"


def test_the_same_notices_make_the_same_digest() -> None:
    notices = [message("n1"), message("n2")]
    assert digest_of(notices).id == digest_of(notices).id
    assert digest_of(notices).id != digest_of(notices[:1]).id


def test_templates_of_a_rule() -> None:
    templates = {
        "title": "{{ severity | upper }} {{ rule }}: {{ count }}",
        "text": "{% for each in alerts %}{{ each.name }} in {{ each.tags.region }}"
        "{% for tag, value in each.tags | items if tag == 'city' %}, {{ value }}{% endfor %}; {% endfor %}{{ link }}",
    }
    require_templates(templates)
    told = message_of("n", "fired", "down", [alert(), alert(subject="2")], templates=templates, link=LINK)
    assert told.title == "CRITICAL down: 2"
    assert told.text == f"Acme Loop (4711) in West, Chicago; Acme Loop (2) in West, Chicago; {LINK}"
    assert re.search(r"Acme Loop \(4711\) in West", told.html)
    usual = message_of("n", "fired", "down", [alert()], templates={"text": "See the runbook.\n{{ text }}", "title": ""})
    assert usual.title == CASES["down"].title
    assert usual.text.startswith("See the runbook.\nWhere     brand Acme")


def test_a_template_that_fails_loses_no_notice() -> None:
    templates = {"title": "{{ alert.tags.colour }}", "text": "{{ alert.facts.since.x.y }}"}
    require_templates(templates)
    with structlog.testing.capture_logs() as logged:
        told = message_of("n", "fired", "down", [alert()], templates=templates)
    assert told.title == CASES["down"].title
    assert told.text.startswith("Where     brand Acme")
    assert "(The template of this rule was not used: " in told.text
    assert [line["template"] for line in logged] == ["title", "text"]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ alrt.name }}", "text: there is no name in templates 'alrt'; did you mean alert"),
        ("{{ alert.name", "this template can't be read: line 1"),
        ("{% set x = 1 %}", "may not have {% set %}, as in line 1"),
        ("\n{{ range(10) }}", "may not have calls of functions, as in line 2"),
        ("{{ text.format(1) }}", "calls of functions"),
        ("{{ ''.__class__.__mro__ | string }}{{ lipsum() }}", "calls of functions"),
        ("{{ 'x' * 1000000000 }}", "products"),
        ("{{ 9 ** 9 ** 9 }}", "powers"),
        ("{{ '%1000000000d' % 1 }}", "remainders"),
        ("{% macro x() %}{% endmacro %}", "{% macro %}"),
        ("{% include 'notice.txt' %}", "{% include %}"),
        ("{{ text | center(1000000000) }}", "No filter named 'center'"),
        ("{% for a in alerts %}" * 3 + "{% endfor %}" * 3, "no more than 2 deep"),
        ("x" * 6000, "5,000 are enough"),
    ],
)
def test_templates_that_are_refused(template: str, why: str) -> None:
    with pytest.raises(InputError) as failed:
        require_templates({"text": template})
    assert why in str(failed.value)
    assert message_of("n", "fired", "down", [alert()], templates={"text": template}).text.startswith(
        "Where     brand Acme"
    )


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in text %}{% for b in text %}{{ text }}{% endfor %}{% endfor %}",
        "{{ text | join(text | join(text | join(text | join(text)))) }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ alert | round }}",
    ],
)
def test_templates_that_do_too_much_are_cut_off(template: str) -> None:
    told = message_of("n", "fired", "down", [alert()], templates={"text": template})
    assert "The template of this rule was not used" in told.text
    assert len(told.text) < 5000
