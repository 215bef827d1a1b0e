"""What becomes of each store of a sample: in which hours it is polled, and what the polls say.

Every value is arithmetic on the seed, the store and the hour, and nothing is carried from one poll to the next. So the
polls of any stores in any hours can be made on their own.
"""

from datetime import UTC, datetime

import polars as pl

from storemon.sample.draws import WORDS, below, salt_for, shuffled, upto, words_of
from storemon.sample.ids import scaled

NEWEST_AT = datetime(2024, 10, 14, 23, 55, 18, 727055, tzinfo=UTC)
DAY_SLOTS = 24
SLOT_US = 3_600_000_000
"""A slot is one hour, counted back from NEWEST_AT."""

# Of the stores in the real data.
_DOWN, _SILENT, _LATE = 1_037, 300, 120  # down all the last week; no poll in it; first polled long after the start

# A store has one outage in each cell of the first length, and one gap in each cell of the second, from no length to the
# longest: seconds.
_WEEK_SLOTS, _DAY_S = 168, 86_400
_OUTAGE_CELL_S, _LONGEST_OUTAGE_S = 86_400, 16_200
_GAP_CELL_S, _LONGEST_GAP_S = 172_800, 72_000
_POLLED = 427  # of a thousand slots outside the gaps
_TWIN = 200_000  # one poll in so many comes twice, every other time with the other status


def lives(stores: int, slots: int, seed: int) -> pl.DataFrame:
    """Return for each store the slots it is polled in, one that is sure to have a poll, and since when it is down."""
    names = ("key", "first", "last", "sure", "down")
    words = pl.DataFrame({name: words_of(upto(stores), salt_for(seed, name)) for name in names})
    down, silent, late = (scaled(count, stores) for count in (_DOWN, _SILENT, _LATE))
    week = min(_WEEK_SLOTS, slots // 2)
    rank, first, last = pl.col("rank"), pl.col("first_slot"), pl.col("last_slot")
    is_silent = rank.is_between(down, down + silent, closed="left")
    is_late = rank.is_between(down + silent, down + silent + late, closed="left")
    within = pl.when(rank % 8 == 0).then(DAY_SLOTS).otherwise(slots)  # some of the late come in the last day
    older = below(below(pl.col("last"), pl.col("last")), slots - week)  # the longer the silence, the rarer
    is_newest = rank == stores - 1  # surely not silent, as the shares leave stores over
    return (
        words.with_columns(rank=shuffled(stores, salt_for(seed, "rank")))
        .with_columns(
            first_slot=pl.when(is_late).then(below(pl.col("first"), within)).otherwise(slots - 1),
            last_slot=pl.when(is_silent).then(week + older).otherwise(0),
        )
        .with_columns(
            sure_slot=pl.when(is_newest).then(0).otherwise(last + below(pl.col("sure"), first - last + 1)),
            is_newest=is_newest,
            # Down for nine days at least, so that the poll carried into the last week is inactive too.
            down_s=pl.when(rank < down).then(9 * _DAY_S + below(pl.col("down"), 50 * _DAY_S)).otherwise(0),
        )
        .select("key", "first_slot", "last_slot", "sure_slot", "is_newest", "down_s")
    )


def polled(slots: pl.DataFrame, seed: int, *, hourly: bool) -> pl.DataFrame:
    """Add `polled_at` and `active` to those of these slots of stores that have a poll, a few of them twice.

    Hourly polls come in every slot between a store's first and its last.
    """
    slot, age_us, jitter = pl.col("slot"), pl.col("age_us"), pl.col("jitter")
    is_sure = slot == pl.col("sure_slot")
    due = slots.filter(slot.is_between("last_slot", "first_slot"))
    if not hourly:
        is_polled = words_of(due["key"], salt_for(seed, "polled"), due["slot"]) < _POLLED * WORDS // 1000
        due = due.filter(is_sure | is_polled)
    due = due.with_columns(jitter=words_of(due["key"], salt_for(seed, "jitter"), due["slot"]))
    due = due.with_columns(
        age_us=pl.when(is_sure & pl.col("is_newest")).then(0).otherwise(slot * SLOT_US + 1 + below(jitter, SLOT_US))
    )
    if not hourly:
        due = due.filter(is_sure | ~_covered(due, _GAP_CELL_S, _LONGEST_GAP_S, salt_for(seed, "gap")))
    in_outage = _covered(due, _OUTAGE_CELL_S, _LONGEST_OUTAGE_S, salt_for(seed, "outage"))
    due = due.with_columns(
        polled_at=pl.lit(NEWEST_AT, pl.Datetime("us", "UTC")) - age_us.cast(pl.Int64).cast(pl.Duration("us")),
        active=(age_us // 1_000_000 >= pl.col("down_s")) & ~in_outage,
    )
    twins = due.filter(jitter % _TWIN == 0)
    return pl.concat([due, twins.with_columns(active=pl.col("active") ^ (jitter // _TWIN % 2 == 0))])


def _covered(due: pl.DataFrame, cell_s: int, longest_s: int, salt: int) -> pl.Series:
    """Say which polls are in the stretch that their store draws for their cell; short stretches are the commonest."""
    phased_s = due["age_us"] // 1_000_000 + due["key"] % cell_s
    word = words_of(due["key"], salt, phased_s // cell_s)
    root = word % 256
    length = root * root * longest_s // 65_536
    start = word // 256 % (cell_s - length)
    at = phased_s % cell_s
    return (at >= start) & (at < start + length)
