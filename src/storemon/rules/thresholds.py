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
_FITS = 1 << 61
_PLACE = ("row", "starts_at", "ends_at")


class _Test:
    """Whether a sum of lines is at least ``least``: true or false from a piece's start on, with one change in it."""

    def __init__(self, terms: dict[str, int], least: int, most: int) -> None:
        """Take the lines with their factors, and the largest value that any line has."""
        # The largest windows of the largest groups times the finest percentages do not fit into 64 bits.
        wide = pl.Int128 if most * sum(map(abs, terms.values())) >= _FITS else pl.Int64
        value = [pl.col(name).cast(wide) * factor for name, factor in terms.items()]
        slope = [pl.col(f"{name}_slope").cast(wide) * factor for name, factor in terms.items()]
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
        return _in_order([_told(_worth_it(pieces, many, value, kept), value)])
    longest = pl.max_horizontal(pl.col(f"service_{name}").max() for name in windows_of(condition))
    most: int = pieces.select(longest.fill_null(0)).item()
    holds, others, value = _below(condition, most) if isinstance(condition, Below) else _burn(condition, most)
    may_hold = pl.all_horizontal(test.at_start | test.before_end for test in holds)
    some = _worth_it(pieces, may_hold, value, kept)
    return _in_order([_told(each, value) for each in (some, *(_cut(some, test) for test in (*holds, *others)))])


def _group(condition: Group) -> pl.Expr:
    opened, down = (pl.col(f"{slope}_{NOW}") for slope in ("service", "downtime"))
    many = down * condition.share.denominator >= opened * condition.share.numerator
    return pl.when(opened == 0).then(NEITHER).when((down >= condition.stores) & many).then(HOLDS).otherwise(CLEAR)


def _below(condition: Below, most: int) -> tuple[list["_Test"], list["_Test"], pl.Expr]:
    holds = _Test(_down_share("over", 1 - condition.threshold), 1, most)
    clear = _Test(_negated(_down_share("over", 1 - condition.recover)), 0, most)
    known, share = _known("over", most), condition.coverage
    enough = {"uptime_over": share.denominator, "downtime_over": share.denominator, "service_over": -share.numerator}
    covered = _Test(enough, 0, most)
    value = pl.when(~(known.at_start & covered.at_start)).then(_nothing_known("over")).when(holds.at_start).then(HOLDS)
    if condition.recover == condition.threshold:  # where it does not hold, it is clear
        return [holds], [known, covered], value.otherwise(CLEAR)
    return [holds], [clear, known, covered], value.when(clear.at_start).then(CLEAR).otherwise(NEITHER)


def _burn(condition: Burn, most: int) -> tuple[list["_Test"], list["_Test"], pl.Expr]:
    factor, better = (rate * (1 - condition.target) for rate in (condition.factor, condition.recover))
    windows = ("long", "short")
    holds = [_Test(_down_share(window, factor), 0, most) for window in windows]
    clear = [_Test(_negated(_down_share(window, better)), 1, most) for window in windows]
    known = [_known(window, most) for window in windows]
    value = (
        pl.when(~known[0].at_start)
        .then(_nothing_known("long"))
        .when(~known[1].at_start)
        .then(_nothing_known("short"))
        .when(pl.all_horizontal(test.at_start for test in holds))
        .then(HOLDS)
    )
    if condition.recover == condition.factor:
        return holds, known, value.otherwise(CLEAR)
    is_clear = pl.any_horizontal(test.at_start for test in clear)
    return holds, [*clear, *known], value.when(is_clear).then(CLEAR).otherwise(NEITHER)


def _nothing_known(window: str) -> pl.Expr:
    """Tell that nobody knows, but where there is nothing to know: no open time at all."""
    return pl.when(pl.col(f"service_{window}") > 0).then(UNKNOWN).otherwise(NEITHER)


def _worth_it(pieces: pl.DataFrame, may_hold: pl.Expr, value: pl.Expr, kept: pl.Series) -> pl.DataFrame:
    """Keep the subjects of which it may hold, that are not clear at first, or that are kept in any case."""
    is_first = pl.col("row").ne_missing(pl.col("row").shift())
    telling = may_hold | (is_first & (value != CLEAR)) | pl.col("row").is_in(kept.implode())
    rows = pieces.filter(telling)["row"].unique()
    return pieces.filter(pl.col("row").is_in(rows.implode()))


def _cut(pieces: pl.DataFrame, test: "_Test") -> pl.DataFrame:
    """Tell what there is where a test changes within a piece."""
    lines = [name for name in pieces.columns if f"{name}_slope" in pieces.columns]
    return test.changes(pieces).with_columns(
        *(pl.col(name) + pl.col(f"{name}_slope") * pl.col("after") for name in lines),
        starts_at=pl.col("starts_at") + pl.col("after"),
    )


def _told(pieces: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    return pieces.select(*_PLACE, value=value.cast(pl.Int8), is_open=pl.col(f"service_{NOW}") > 0)


def _in_order(told: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put pieces in order, each up to the next one's start, and tell how much of each is open time."""
    ordered = pl.concat(told).sort("row", "starts_at")
    goes_on = pl.col("row") == pl.col("row").shift(-1)
    ends_at = pl.when(goes_on).then(pl.col("starts_at").shift(-1)).otherwise("ends_at")
    pieces = ordered.with_columns(ends_at=ends_at).filter(pl.col("starts_at") < pl.col("ends_at"))
    open_us = pl.when("is_open").then(pl.col("ends_at") - pl.col("starts_at")).otherwise(0)
    return pieces.select(*_PLACE, "value", open_us=open_us)


def _known(window: str, most: int) -> _Test:
    return _Test({f"uptime_{window}": 1, f"downtime_{window}": 1}, 1, most)


def _down_share(window: str, share: Fraction) -> dict[str, int]:
    """Weigh downtime against a share of the time that is known: the sum is zero where it is that share."""
    up, down = -share.numerator, share.denominator - share.numerator
    return {f"uptime_{window}": up, f"downtime_{window}": down}


def _negated(terms: dict[str, int]) -> dict[str, int]:
    return {name: -factor for name, factor in terms.items()}
