"""The rules in force: what a file that changes, breaks or goes away leaves in force."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from storemon.records.opening import opened_records
from storemon.settings import Settings
from storemon.watch.book import Book

ONE = '[[rules]]\nname = "one"\nwhen = "down for 15m"\n'
TWO = '[[rules]]\nname = "two"\nwhen = "down for 1h"\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Engine]:
    records = opened_records(Settings.load(reports=tmp_path / "reports"))
    yield records
    records.dispose()


def names(book: Book) -> list[str]:
    return [rule.name for rule in book.in_force().rules]


def test_a_file_that_breaks_or_goes_away_leaves_its_rules_in_force(place: Path, records: Engine) -> None:
    book = Book(Settings.load(rules=place), records)
    assert names(book) == []
    place.write_text(ONE)
    assert names(book) == ["one"]
    with capture_logs() as logs:
        place.write_text(f"{ONE}x = [")
        assert names(book) == ["one"]
        place.unlink()
        assert names(book) == names(book) == ["one"]
        place.write_text(ONE + TWO)
        assert names(book) == ["one", "two"]
    told = [line["event"] for line in logs]
    assert told == [*["rules not read anew: those of before stay in force"] * 2, "rules read again"]
    assert "it is gone" in logs[1]["reason"]
    place.write_text("")
    assert names(book) == []


def test_the_same_file_that_is_back_is_told_too(place: Path, records: Engine) -> None:
    place.write_text(ONE)
    book = Book(Settings.load(rules=place), records)
    assert names(book) == ["one"]
    away = place.rename(place.with_name("away"))
    assert names(book) == ["one"]
    away.rename(place)
    with capture_logs() as logs:
        assert names(book) == ["one"]
    assert [line["event"] for line in logs] == ["rules read again"]
