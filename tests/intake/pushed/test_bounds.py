"""What a body may not have: ids that nobody could ask about, more than can be read at a time, what says a thing twice."""

import json
from typing import get_args

import pytest

from storemon.intake.pushed.polls import LONGEST_ID
from storemon.intake.pushed.reading import Format, read_one
from storemon.questions.options import LONGEST
from tests.intake.pushed.bodies import NOW, body_of, read_of, rejects, with_care

FORMS: tuple[Format, ...] = get_args(Format)
AT = "2024-10-03T23:33:20Z"
TOO_LONG = "store_id has more than 500 characters"
CONTROLS = "store_id has a control character in it, such as the end of a line"


def at_of(form: Format) -> str:
    return "1727998400000000000" if form == "line" else AT


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("store_id", "reason"), [("é" * 501, TOO_LONG), ("a\x1bb", CONTROLS), ("a\x85", CONTROLS)])
def test_ids_that_are_not_taken(form: Format, store_id: str, reason: str) -> None:
    body = body_of(form, [(store_id, "active", at_of(form)), ("é" * 500, "active", at_of(form))])
    read = read_of(body, form)
    assert [row[2] for row in rejects(read)] == [reason]
    assert read.polls["store_id"].to_list() == ["é" * 500]
    with with_care():
        assert read_of(body, form).rejected.equals(read.rejected)


@pytest.mark.parametrize("store_id", ["a" * 501, "a\n", "\0", "a\rb"])
def test_one_that_is_not_taken(store_id: str) -> None:
    body = json.dumps({"store_id": store_id, "status": "active", "timestamp_utc": AT}).encode()
    assert read_one(body, NOW) is None
    assert len(rejects(read_of(body, "json"))) == 1


def test_what_is_taken_can_be_asked_about() -> None:
    assert LONGEST_ID == LONGEST
