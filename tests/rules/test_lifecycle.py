"""Alerts of stretches, each case a line that can be checked by hand."""

import polars as pl
import pytest

from storemon.rules.lifecycle import alerts_of
from storemon.rules.values import CLEAR, HOLDS, NEITHER, UNKNOWN

OF = {"h": HOLDS, "c": CLEAR, "u": UNKNOWN, "n": NEITHER}
SCHEMA = {"row": pl.Int64, "starts_at": pl.Int64, "ends_at": pl.Int64, "value": pl.Int8, "open_us": pl.Int64}


def line(text: str, closed: str = "", row: int = 0) -> pl.DataFrame:
    """Make a stretch of each letter, one microsecond long; those marked x are closed."""
    rows = [
        (row, at, at + 1, OF[letter], 0 if closed[at : at + 1] == "x" else 1)
        for at, letter in enumerate(text)
        if letter != " "
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("text", "recovery", "alerts"),
    [
        ("cccc", 0, []),
        ("cchh", 0, [(2, None, False)]),
        ("hhcc", 0, [(0, 2, False)]),
        ("chchc", 0, [(1, 2, False), (3, 4, False)]),
        ("huuu", 0, [(0, None, True)]),
        ("hnnn", 0, [(0, None, False)]),
        ("huch", 0, [(0, 2, False), (3, None, False)]),
        ("uhuh", 0, [(1, None, False)]),
        ("hhccc", 3, [(0, 2, False)]),
        ("hhcc", 3, [(0, None, False)]),
        ("hcchccc", 3, [(0, 4, False)]),
        ("hcucuc", 3, [(0, 1, False)]),
        ("hccnnch", 3, [(0, 1, False), (6, None, False)]),
        ("huccc", 3, [(0, 2, False)]),
        ("cchccc", 3, [(2, 3, False)]),
    ],
)
def test_a_line_makes_alerts(text: str, recovery: int, alerts: list[tuple[int, int | None, bool]]) -> None:
    found = alerts_of(line(text), recovery)
    assert found.select("fired_at", "resolved_at", "stale").rows() == alerts


def test_closed_time_does_not_count_towards_the_recovery() -> None:
    assert alerts_of(line("hcccc", " xxx "), 2).select("resolved_at", "quiet_since", "quiet_us").rows() == [
        (None, 1, 1)
    ]
    assert alerts_of(line("hccccc", " xxx  "), 2).select("resolved_at").item() == 1


@pytest.mark.parametrize("recovery", [0, 1, 2, 3])
@pytest.mark.parametrize("text", ["cchhcchchcccuch", "hucchuuucchcnnc", "ccccchhhhhhhhhh", "hchchcuhcchccch"])
def test_a_look_at_a_time_comes_to_the_same_as_all_at_once(text: str, recovery: int) -> None:
    whole, told = alerts_of(line(text), recovery), []
    for cut in range(1, len(text)):
        before = alerts_of(line(text).head(cut), recovery)
        still = before.filter(pl.col("resolved_at").is_null())
        after = alerts_of(line(text).tail(-cut), recovery, still.select("row", "fired_at", "quiet_since", "quiet_us"))
        both = pl.concat([before.filter(pl.col("resolved_at").is_not_null()), after])
        told.append(both.select("fired_at", "resolved_at", "stale").rows())
        assert after["known"].to_list() == [True] * len(still) + [False] * (len(after) - len(still))
    assert told == [whole.select("fired_at", "resolved_at", "stale").rows()] * (len(text) - 1)


def test_subjects_do_not_meddle() -> None:
    both = pl.concat([line("hc"), line("ch", row=1), line("cc", row=2)])
    assert alerts_of(both, 0).select("row", "fired_at", "resolved_at").rows() == [(0, 0, 1), (1, 1, None)]
