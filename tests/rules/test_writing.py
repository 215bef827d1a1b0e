"""A rule is written as it could be read: what is told of it can be sent again."""

import pytest

from storemon.rules.file import read_rule, read_text
from storemon.rules.writing import written

RULES = [
    'when = "down for 1h30m"',
    'when = "silent for 2d"\nwhere = ["brand=Acme", "region="]\nchannels = "ops"\nseverity = "info"',
    'when = "availability < 98.25% over 7d"',
    'when = "availability < 98% over 7d"\ncoverage = "75%"\nrecover = "98.5%"\nby = "region"',
    'when = "burn > 6 of 99.95% over 1d and 4h"',
    'when = "burn > 14.4 of 99.5% over 1h and 5m"\nrecover = "2.5"\nrecovery = "5m"\ngrouping = "2m"',
    'when = "5 stores and 30% down by region, city"',
    'when = "30% down by region"\nflapping = "never"',
    'when = "1 store down"\nflapping = "2 in 1h"\nrepeat = "4h"\nrepeats = 7',
    'when = "down for 15m"\nescalate = [{after = "30m", channels = ["boss"]}, {after = "1h", channels = ["ops"]}]',
    'when = "down for 15m"\ntitle = "{{ count }} down"\ntext = "Look."',
]
CHANNELS = '[channels.ops]\nto = "folder:x"\n[channels.boss]\nto = "folder:y"\n'


@pytest.mark.parametrize("parts", RULES)
def test_what_is_written_is_the_same_rule(parts: str) -> None:
    (rule,) = read_text(f'{CHANNELS}[[rules]]\nname = "one"\n{parts}\n').rules
    told = written(rule)
    assert read_rule(told) == rule
    assert all(told.values())
    for name in told.keys() - {"name", "when", "severity"}:  # and nothing is said that is so anyway
        left_out = {name, "repeats"} if name == "repeat" else {name}
        assert read_rule({key: part for key, part in told.items() if key not in left_out}) != rule


def test_little_is_said_of_a_simple_rule() -> None:
    (rule,) = read_text('[[rules]]\nname = "one"\nwhen = "down  for 15m"\n').rules
    assert written(rule) == {"name": "one", "when": "down for 15m", "severity": "warning"}
