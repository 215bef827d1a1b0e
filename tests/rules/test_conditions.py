"""Conditions as people write them."""

from datetime import timedelta
from fractions import Fraction

import pytest

from storemon.errors import InputError
from storemon.rules.conditions import Below, Burn, Condition, Down, Group, Silent, parse_condition

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "condition", "by"),
    [
        ("down for 15m", Down(timedelta(minutes=15)), ()),
        ("  Down  FOR 1h30m ", Down(timedelta(minutes=90)), ()),
        ("silent for 2h", Silent(2 * HOUR), ()),
        (
            "availability < 98% over 7d",
            Below(Fraction(98, 100), 7 * DAY, Fraction(1, 2), Fraction(98, 100)),
            (),
        ),
        (
            "burn > 6 of 99.5% over 24h and 4h",
            Burn(Fraction(6), Fraction(995, 1000), DAY, 4 * HOUR, Fraction(6)),
            (),
        ),
        (
            "burn > 14.4 of 99.9% over 5m and 1h",
            Burn(Fraction(144, 10), Fraction(999, 1000), HOUR, timedelta(minutes=5), Fraction(144, 10)),
            (),
        ),
        ("5 stores and 30% down by region", Group(5, Fraction(3, 10)), ("region",)),
        ("1 store down by region, city", Group(1, Fraction(0)), ("region", "city")),
        ("12.5% down", Group(1, Fraction(1, 8)), ()),
    ],
)
def test_words_are_read(text: str, condition: Condition, by: tuple[str, ...]) -> None:
    assert parse_condition(text) == (condition, by)


@pytest.mark.parametrize(
    "text",
    [
        "down for 15m",
        "silent for 2h",
        "availability < 99.95% over 1d12h",
        "burn > 14.4 of 99.9% over 1h and 5m",
        "5 stores and 30% down",
        "1 store down",
        "12.5% down",
    ],
)
def test_what_is_written_is_what_was_read(text: str) -> None:
    assert str(parse_condition(text)[0]) == text


def test_thresholds_to_recover_are_better() -> None:
    below, _ = parse_condition("availability < 98% over 7d", coverage="80%", recover="98.5")
    assert below == Below(Fraction(98, 100), 7 * DAY, Fraction(8, 10), Fraction(985, 1000))
    burn, _ = parse_condition("burn > 6 of 99.5% over 24h and 4h", recover="3")
    assert isinstance(burn, Burn)
    assert burn.recover == 3


@pytest.mark.parametrize(
    ("text", "named", "told"),
    [
        ("dwon for 15m", {}, "did you mean something like 'down for 15m'?"),
        ("down", {}, "is not a condition"),
        ("down for 0m", {}, "no time at all"),
        ("down for 15", {}, "is not a duration"),
        ("availability < 0% over 7d", {}, "is not a percentage above 0"),
        ("availability < 101% over 7d", {}, "is not a percentage above 0"),
        ("availability < 98% over 401d", {}, "longer than a rule can look back"),
        ("availability < 98% over 7d", {"recover": "97%"}, "is worse than 98%"),
        ("burn > 0 of 99.5% over 1d and 4h", {}, "must be above 0"),
        ("burn > 6 of 100% over 1d and 4h", {}, "nothing to burn"),
        ("burn > 6 of 99.5% over 1d and 4h", {"recover": "7"}, "is no better"),
        ("0 stores down by region", {}, "with one store at the least"),
        ("5 stores down by region,", {}, "empty tag"),
        ("down for 15m", {"coverage": "50%"}, "coverage goes with availability only"),
        ("silent for 15m", {"recover": "50%"}, "recover goes with availability and burn rates only"),
        ("", {}, "is not a condition"),
    ],
)
def test_mistakes_are_told_with_what_was_meant(text: str, named: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        parse_condition(text, **named)
