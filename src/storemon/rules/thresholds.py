"""Rules that hold where a line is over another: of availability, of burn rates, and of groups that are down.

What lies in a window that rolls is a line from one bend to the next; see `storemon.engine.rolling`. So is each side of
a threshold. Where the difference changes its sign in between, the line is cut; then each piece says one thing.
"""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import polars as pl

from storemon.engine.rolling import NOW
from storemon.rules.conditions import Below, Burn, Condition, Group
from storemon.rules.values import CLEAR, HOLDS, NEITHER, UNKNOWN

_MICROSECOND = timedelta(microseconds=1)
_PLACE = ("row", "starts_at", "ends_at")


class _Test:
    """Whether a sum of lines is at least ``least``: true or false from a piece's start on, with one change in it."""

    def __init__(self, terms: dict[str, int], least: int) -> None:
        # The largest windows of the largest groups times the finest percentages do not fit into 64 bits.
        value = [pl.col(name).cast(pl.Int128) * factor for name, factor in terms.items()]
        slope = [pl.col(f"{name}_slope").cast(pl.Int128) * factor for name, factor in terms.items()]
        self._value, self._slope = pl.sum_horizontal(value) - least, pl.sum_horizontal(slope)

    @property
    def at_start(self) -> pl.Expr:
        return self._value >= 0

    @property
    def before_end(self) -> pl.Expr:
        return self._value + self._slope * (pl.col("ends_at") - pl.col("starts_at") - 1) >= 0

    def changes(self, pieces: pl.DataFrame) -> pl.DataFrame:
        """Pick the pieces in which it changes, and tell ``after`` how many microseconds."""
        some = pieces.filter(self.at_start != self.before_end).with_columns(value=self._value, slope=self._slope)
        falls = pl.col("value") // (0 - pl.col("slope")) + 1
        rises = (pl.col("slope") - pl.col("value") - 1) // pl.col("slope")
        after = pl.when(pl.col("value") >= 0).then(falls).otherwise(rises)
        return some.with_columns(after=after.cast(pl.Int64)).drop("value", "slope")


def windows_of(condition: Condition) -> dict[str, int]:
    """Name the windows that a condition looks back over, with their lengths in microseconds."""
    if isinstance(condition, Below):
        return {"over": condition.over // _MICROSECOND}
    if isinstance(condition, Burn):
        return {"long": condition.long // _MICROSECOND, "short": condition.short // _MICROSECOND}
    return {}


def judged(pieces: pl.DataFrame, condition: Below | Burn | Group, kept: pl.Series) -> pl.DataFrame:
    """Tell what a condition says of subjects: ``row, starts_at, ends_at, value, open_us``, in order.

    Args:
        pieces: as `storemon.engine.rolling.rolled` gives them.
        condition: the condition.
        kept: the rows that are told of in any case; of the others those of which it holds, or that are not clear at
            first.

    Returns:
        Stretch by stretch, its value as in `storemon.rules.values`, and how much of it is open time: time in which any
        store of the subject is open.

    """
    if isinstance(condition, Group):
        value, many = _group(condition), pl.col(f"downtime_{NOW}") >= condition.stores
        return _told(_worth_it(pieces, many, value, kept), value)
    holds, others, value = _below(condition) if isinstance(condition, Below) else _burn(condition)
    may_hold = pl.all_horizontal(test.at_start | test.before_end for test in holds)
    return _told(_cut(_worth_it(pieces, may_hold, value, kept), [*holds, *others]), value)


def _group(condition: Group) -> pl.Expr:
    opened, down = (pl.col(f"{slope}_{NOW}") for slope in ("service", "downtime"))
    many = down * condition.share.denominator >= opened * condition.share.numerator
    return pl.when(opened == 0).then(NEITHER).when((down >= condition.stores) & many).then(HOLDS).otherwise(CLEAR)


def _below(condition: Below) -> tuple[list["_Test"], list["_Test"], pl.Expr]:
    holds = _Test(_down_share("over", 1 - condition.threshold), 1)
    clear = _Test(_negated(_down_share("over", 1 - condition.recover)), 0)
    known, share = _known("over"), condition.coverage
    enough = {"uptime_over": share.denominator, "downtime_over": share.denominator, "service_over": -share.numerator}
    covered = _Test(enough, 0)
    value = (
        pl.when(~(known.at_start & covered.at_start))
        .then(_nothing_known("over"))
        .when(holds.at_start)
        .then(HOLDS)
        .when(clear.at_start)
        .then(CLEAR)
        .otherwise(NEITHER)
    )
    return [holds], [clear, known, covered], value


def _burn(condition: Burn) -> tuple[list["_Test"], list["_Test"], pl.Expr]:
    most, better = (factor * (1 - condition.target) for factor in (condition.factor, condition.recover))
    windows = ("long", "short")
    holds = [_Test(_down_share(window, most), 0) for window in windows]
    clear = [_Test(_negated(_down_share(window, better)), 1) for window in windows]
    known = [_known(window) for window in windows]
    value = (
        pl.when(~known[0].at_start)
        .then(_nothing_known("long"))
        .when(~known[1].at_start)
        .then(_nothing_known("short"))
        .when(pl.all_horizontal(test.at_start for test in holds))
        .then(HOLDS)
        .when(pl.any_horizontal(test.at_start for test in clear))
        .then(CLEAR)
        .otherwise(NEITHER)
    )
    return holds, [*clear, *known], value


def _nothing_known(window: str) -> pl.Expr:
    """Tell that nobody knows, but where there is nothing to know: no open time at all."""
    return pl.when(pl.col(f"service_{window}") > 0).then(UNKNOWN).otherwise(NEITHER)


def _worth_it(pieces: pl.DataFrame, may_hold: pl.Expr, value: pl.Expr, kept: pl.Series) -> pl.DataFrame:
    """Keep the subjects of which it may hold, that are not clear at first, or that are kept in any case."""
    is_first = pl.col("row").ne_missing(pl.col("row").shift())
    telling = may_hold | (is_first & (value != CLEAR)) | pl.col("row").is_in(kept.implode())
    rows = pieces.filter(telling)["row"].unique()
    return pieces.filter(pl.col("row").is_in(rows.implode()))


def _cut(pieces: pl.DataFrame, tests: Sequence["_Test"]) -> pl.DataFrame:
    """Cut pieces where one of the tests changes."""
    lines = [name for name in pieces.columns if f"{name}_slope" in pieces.columns]
    cuts = pl.concat([test.changes(pieces) for test in tests]).with_columns(
        *(pl.col(name) + pl.col(f"{name}_slope") * pl.col("after") for name in lines),
        starts_at=pl.col("starts_at") + pl.col("after"),
    )
    both = pl.concat([pieces, cuts.drop("after")]).sort("row", "starts_at")
    goes_on = pl.col("row") == pl.col("row").shift(-1)
    ends_at = pl.when(goes_on).then(pl.col("starts_at").shift(-1)).otherwise("ends_at")
    return both.with_columns(ends_at=ends_at).filter(pl.col("starts_at") < pl.col("ends_at"))


def _told(pieces: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    open_us = pl.when(pl.col(f"service_{NOW}") > 0).then(pl.col("ends_at") - pl.col("starts_at")).otherwise(0)
    return pieces.select(*_PLACE, value=value.cast(pl.Int8), open_us=open_us)


def _known(window: str) -> _Test:
    return _Test({f"uptime_{window}": 1, f"downtime_{window}": 1}, 1)


def _down_share(window: str, share: Fraction) -> dict[str, int]:
    """Weigh downtime against a share of the time that is known: the sum is zero where it is that share."""
    up, down = -share.numerator, share.denominator - share.numerator
    return {f"uptime_{window}": up, f"downtime_{window}": down}


def _negated(terms: dict[str, int]) -> dict[str, int]:
    return {name: -factor for name, factor in terms.items()}
