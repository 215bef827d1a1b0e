"""A realistic sample of the three CSVs, made from a seed alone.

Every value is whole-number arithmetic on the seed, the store and the hour: no generator that a library could change,
and nothing carried from one poll to the next. So the same call gives the same bytes on any machine, and the polls come
chunk by chunk, in memory that does not grow with their number.
"""

import functools
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

NEWEST_AT = datetime(2024, 10, 14, 23, 55, 18, 727055, tzinfo=UTC)
CHUNK_ROWS = 1 << 18  # no chunk of polls has more

# Stores in the real data, where 3,678 are polled; a sample has as many in proportion.
_REAL = 3_678
_NEVER_POLLED, _NEVER_POLLED_NO_HOURS, _NO_HOURS = 882, 40, 54
_DOWN, _SILENT, _LATE = 1_037, 300, 120  # down all the last week; no poll in it; first polled long after the start

# A slot is one hour, counted back from NEWEST_AT. A store has one outage in each cell of the first length, and one gap
# in each cell of the second, from no length to the longest: seconds.
_SLOT_US, _DAY_SLOTS, _WEEK_SLOTS, _DAY_S = 3_600_000_000, 24, 168, 86_400
_OUTAGE_CELL_S, _LONGEST_OUTAGE_S = 86_400, 16_200
_GAP_CELL_S, _LONGEST_GAP_S = 172_800, 72_000
_POLLED = 427  # of a thousand slots outside the gaps
_TWIN = 200_000  # one poll in so many comes twice, every other time with the other status
_STORES_A_CHUNK = 1 << 15
_BLOCK, _BLOCK_SLACK = 650, 350  # rows: from 300 to 1,000

_ZONES = {
    "America/Chicago": 3003,
    "America/New_York": 1119,
    "America/Los_Angeles": 209,
    "America/Denver": 114,
    "America/Phoenix": 59,
    "America/Indiana/Indianapolis": 44,
    "America/Boise": 7,
    "America/Detroit": 2,
    "Pacific/Honolulu": 2,
}

# How many stores keep which hours: Monday to Thursday | Friday | Saturday | Sunday, each as the one before where left
# out, - for closed. The real mix, but for the overnight and the overlapping hours, which are the last two.
_WEEKS = """
370 10:00-22:30
310 10:30-21:30
270 10:30-21:00
240 10:00-22:30 | 10:00-23:30 | 10:00-23:30 | 10:00-22:30
202 10:30-21:10
220 10:45-21:45 | 10:45-22:45 | 10:45-22:45 | 10:45-21:45
170 10:30-23:59:59
200 06:30-23:30
160 10:00-21:30
150 10:00-22:50
130 10:30-21:00 | 10:30-22:00 | 10:30-22:00 | 10:30-21:00
90 11:00-21:00 | 11:00-22:00 | 11:00-22:00 | 11:00-21:00
80 10:00-21:50
80 11:00-23:00
70 06:30-23:30 | 06:30-23:30 | 06:30-23:30 | 07:30-23:30
60 10:45-22:00
59 09:00-19:25 | 09:00-20:25 | 09:00-20:55 | 09:00-19:25
95 10:30-23:59
50 11:00-23:59
60 11:00-23:00 | 11:00-23:59 | 11:00-23:59 | 11:00-23:00
38 00:00-23:59
66 00:00-23:59:59
110 10:00-23:00 | 10:00-23:59:59 | 10:00-23:59:59 | 10:00-23:00
330 10:00-23:59:59 | 10:00-23:59:59 | 00:00-01:00,10:00-23:59:59 | 00:00-01:00,10:00-23:59:59
185 10:00-23:59 | 10:00-23:59:59 | 00:00-01:00,10:00-23:59:59 | 00:00-01:00,10:00-23:59
60 11:00-20:45 | 11:00-23:59:59 | 00:00-01:45,11:00-23:59:59 | 00:00-01:45,11:00-20:45
30 10:30-22:30 | 00:00-02:30,10:30-23:59:59 | 00:00-02:30,10:30-23:59:59 | 00:00-02:30,12:00-22:30
130 06:30-10:19,10:20-23:30
95 00:00-02:00,10:30-23:59:59
85 00:00-05:00,10:00-23:59:59
85 00:00-04:00,16:00-23:59:59 | 00:00-04:00,11:00-23:59:59
14 06:30-10:19,10:20-21:49,21:50-23:30
2 07:00-10:00,11:00-14:00,15:00-17:00,18:00-22:00 | 11:00-22:00
40 11:00-20:45 | 11:00-21:45 | 11:00-21:45 | -
40 11:00-19:45 | 11:00-20:00 | 11:00-20:00 | -
20 - | 00:00-11:59,18:00-23:59 | 00:00-05:00,18:00-23:59 | 00:00-05:00
15 - | 06:00-07:00 | - | -
4 00:00-00:01
45 18:00-02:00
12 10:00-15:00,14:00-22:00
"""

_WORDS = 1 << 32  # a word is drawn evenly from the whole numbers below


class SampleSummary(NamedTuple):
    """Rows written to each file, without its header."""

    polls: int
    hours: int
    zones: int


def write_sample(folder: Path, *, stores: int = 3678, days: int = 60, seed: int = 1) -> SampleSummary:
    """Write `timezones.csv`, `menu_hours.csv` and `store_status.csv` into `folder`, which is made if it is missing.

    `stores` stores are polled over the `days` days that end at NEWEST_AT. Each file appears by atomic rename when all
    three are complete, the polls last; a failure before that changes none. Raises ValueError if `stores` or `days` is
    below 1 and OSError if the folder cannot be written.
    """
    files = {
        "timezones.csv": _zones(stores, seed),
        "menu_hours.csv": _hours(stores, seed),
        "store_status.csv": map(_as_text, polls(stores, days, seed)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: folder / f".{name}.{secrets.token_hex(4)}.part" for name in files}
    try:
        rows = {name: _write(parts[name], frames) for name, frames in files.items()}
        for name, part in parts.items():
            part.replace(folder / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return SampleSummary(polls=rows["store_status.csv"], hours=rows["menu_hours.csv"], zones=rows["timezones.csv"])


def polls(stores: int, days: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the polls in chunks of at most CHUNK_ROWS: `store_id, status` as text, `polled_at` in UTC microseconds.

    A chunk is made of blocks of 300 to 1,000 rows (its last may be shorter), each in order of time; neither the blocks
    nor the chunks are in any order. Raises ValueError, at the call, if `stores` or `days` is below 1.
    """
    _require(stores=stores, days=days)
    return _polls(stores, days * _DAY_SLOTS, seed)


def hours(stores: int, seed: int) -> pl.DataFrame:
    """Return the rows of `menu_hours.csv`, about 8 for each store: `dayOfWeek` as Int64, the rest as text.

    Raises ValueError if `stores` is below 1.
    """
    return pl.concat(_hours(stores, seed))


def zones(stores: int, seed: int) -> pl.DataFrame:
    """Return the rows of `timezones.csv`, one for each store with a zone, grouped by zone; both columns are text.

    Raises ValueError if `stores` is below 1.
    """
    return pl.concat(_zones(stores, seed))


def _polls(stores: int, slots: int, seed: int) -> Iterator[pl.DataFrame]:
    lives = _lives(stores, slots, seed)
    height = min(stores, _STORES_A_CHUNK)
    width = CHUNK_ROWS // height
    corners = [(store, slot) for store in range(0, stores, height) for slot in range(0, slots, width)]
    salt = _salt(seed, "order")
    for number in _shuffled(len(corners), salt):
        store, slot = corners[number]
        some = lives.slice(store, height)
        some = some.with_columns(_store_ids(_upto(some.height) + store, seed))
        times = pl.DataFrame({"slot": _upto(min(width, slots - slot)) + slot})
        yield _in_blocks(_polled(some.join(times, how="cross"), seed), salt ^ (number + 1))


def _lives(stores: int, slots: int, seed: int) -> pl.DataFrame:
    """Return for each store the slots it is polled in, one that is sure to have a poll, and since when it is down."""
    names = ("key", "first", "last", "sure", "down")
    words = pl.DataFrame({name: _word(_upto(stores), _salt(seed, name)) for name in names})
    down, silent, late = (_scaled(count, stores) for count in (_DOWN, _SILENT, _LATE))
    week = min(_WEEK_SLOTS, slots // 2)
    rank, first, last = pl.col("rank"), pl.col("first_slot"), pl.col("last_slot")
    is_silent = rank.is_between(down, down + silent, closed="left")
    is_late = rank.is_between(down + silent, down + silent + late, closed="left")
    within = pl.when(rank % 8 == 0).then(_DAY_SLOTS).otherwise(slots)  # some of the late come in the last day
    older = _below(_below(pl.col("last"), pl.col("last")), slots - week)  # the longer the silence, the rarer
    is_newest = rank == stores - 1  # surely not silent, as the shares leave stores over
    return (
        words.with_columns(rank=_shuffled(stores, _salt(seed, "rank")))
        .with_columns(
            first_slot=pl.when(is_late).then(_below(pl.col("first"), within)).otherwise(slots - 1),
            last_slot=pl.when(is_silent).then(week + older).otherwise(0),
        )
        .with_columns(
            sure_slot=pl.when(is_newest).then(0).otherwise(last + _below(pl.col("sure"), first - last + 1)),
            is_newest=is_newest,
            # Down for nine days at least, so that the poll carried into the last week is inactive too.
            down_s=pl.when(rank < down).then(9 * _DAY_S + _below(pl.col("down"), 50 * _DAY_S)).otherwise(0),
        )
        .select("key", "first_slot", "last_slot", "sure_slot", "is_newest", "down_s")
    )


def _polled(slots: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the polls in these slots of these stores, in order of time."""
    slot, age_us, jitter = pl.col("slot"), pl.col("age_us"), pl.col("jitter")
    is_sure = slot == pl.col("sure_slot")
    is_polled = _word(slots["key"], _salt(seed, "polled"), slots["slot"]) < _POLLED * _WORDS // 1000
    due = slots.filter(slot.is_between("last_slot", "first_slot") & (is_sure | is_polled))
    due = due.with_columns(jitter=_word(due["key"], _salt(seed, "jitter"), due["slot"]))
    due = due.with_columns(
        age_us=pl.when(is_sure & pl.col("is_newest")).then(0).otherwise(slot * _SLOT_US + 1 + _below(jitter, _SLOT_US))
    )
    due = due.filter(is_sure | ~_covered(due, _GAP_CELL_S, _LONGEST_GAP_S, _salt(seed, "gap")))
    in_outage = _covered(due, _OUTAGE_CELL_S, _LONGEST_OUTAGE_S, _salt(seed, "outage"))
    due = due.with_columns(is_down=(age_us // 1_000_000 < pl.col("down_s")) | in_outage)
    twins = due.filter(jitter % _TWIN == 0).with_columns(is_down=pl.col("is_down") ^ (jitter // _TWIN % 2 == 0))
    return (
        pl.concat([due, twins])
        .sort("age_us", "key", "is_down", descending=[True, False, False])
        .select(
            "store_id",
            status=pl.when("is_down").then(pl.lit("inactive")).otherwise(pl.lit("active")),
            polled_at=pl.lit(NEWEST_AT, pl.Datetime("us", "UTC")) - age_us.cast(pl.Int64).cast(pl.Duration("us")),
        )
    )


def _covered(due: pl.DataFrame, cell_s: int, longest_s: int, salt: int) -> pl.Series:
    """Say which polls are in the stretch that their store draws for their cell; short stretches are the commonest."""
    phased_s = due["age_us"] // 1_000_000 + due["key"] % cell_s
    word = _word(due["key"], salt, phased_s // cell_s)
    root = word % 256
    length = root * root * longest_s // 65_536
    start = word // 256 % (cell_s - length)
    at = phased_s % cell_s
    return (at >= start) & (at < start + length)


def _in_blocks(rows: pl.DataFrame, salt: int) -> pl.DataFrame:
    """Cut the rows into blocks and shuffle these."""
    row = _upto(rows.height)
    turn = row // _BLOCK
    slack = _word(turn, salt) % _BLOCK_SLACK * (turn > 0)
    block = turn - (row % _BLOCK < slack).cast(pl.UInt64)
    return rows[(_word(block, salt + 1) * _WORDS + row).sort() % _WORDS]


def _hours(stores: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield the hours of so many stores at a time, a store's rows together or in two places."""
    _require(stores=stores)
    salt = _salt(seed, "hours")
    without = _scaled(_NO_HOURS, stores)  # the first of the stores polled, and of the others the last
    count = stores + _never_polled(stores) - _scaled(_NEVER_POLLED_NO_HOURS, stores) - without
    weights, rows = _weeks()
    weeks = pl.Series([week for week, weight in enumerate(weights) for _ in range(weight)])
    kept = pl.DataFrame({"store": _shuffled(count, salt) + without, "week": _dealt(weeks, _shuffled(count, salt + 1))})
    for some in kept.iter_slices(_STORES_A_CHUNK):
        open_days = some.with_columns(_store_ids(some["store"], seed)).join(rows, on="week")
        place = open_days["store"] * 2 + (open_days["part"] & open_days["store"])
        yield open_days.sort(
            _word(place, salt), _word(open_days["store"], salt, open_days["row"]), "store_id", "row"
        ).select("store_id", "dayOfWeek", "start_time_local", "end_time_local")


def _zones(stores: int, seed: int) -> Iterator[pl.DataFrame]:
    _require(stores=stores)
    names = pl.Series([name for name, weight in _ZONES.items() for _ in range(weight)])
    placed = _shuffled(stores + _never_polled(stores), _salt(seed, "zones"))
    placed = placed.filter(placed >= max(1, stores // _REAL))  # the first stores have none
    roll = pl.DataFrame({"store": placed, "timezone_str": _dealt(names, _upto(placed.len()))})
    for some in roll.iter_slices(_STORES_A_CHUNK):
        yield some.select(_store_ids(some["store"], seed), "timezone_str")


def _weeks() -> tuple[list[int], pl.DataFrame]:
    """Return the weight of each week, and the rows of all, numbered; `part` is 1 at the weekend."""
    weights, rows = [], list[tuple[int, int, int, int, str, str]]()
    for week, line in enumerate(_WEEKS.strip().splitlines()):
        weight, _, days = line.partition(" ")
        weights.append(int(weight))
        parts = days.split(" | ")
        parts += parts[-1:] * (4 - len(parts))
        for day, part in enumerate(parts[:1] * 3 + parts):
            for span in part.split(",") if part != "-" else ():
                start, end = (f"{time}:00"[:8] for time in span.split("-"))
                rows.append((week, len(rows), day // 5, day, start, end))
    names = ["week", "row", "part", "dayOfWeek", "start_time_local", "end_time_local"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return weights, frame.cast({"row": pl.UInt64, "part": pl.UInt64})


def _as_text(chunk: pl.DataFrame) -> pl.DataFrame:
    """Write `polled_at` the way the real file does: the fraction without its trailing zeros, or none at all."""
    text = pl.col("polled_at").dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    trimmed = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return chunk.select("store_id", "status", timestamp_utc=trimmed + " UTC")


def _write(path: Path, frames: Iterable[pl.DataFrame]) -> int:
    """Write the frames to a new CSV file and return the count of their rows."""
    rows = 0
    with path.open("xb") as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0)
            rows += frame.height
    return rows


def _require(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")


def _scaled(count: int, stores: int) -> int:
    return count * stores // _REAL


def _never_polled(stores: int) -> int:
    return max(1, _scaled(_NEVER_POLLED, stores))


def _store_ids(store: pl.Series, seed: int) -> pl.Series:
    """Return UUIDs of version 4, all distinct: the first word is a permutation of the stores."""
    words = [_word(store, _salt(seed, f"id {place}")) for place in range(4)]
    quads = [quad for word in words for quad in (word // 65_536, word % 65_536)]
    quads[3] = quads[3] % 4_096 + 0x4000
    quads[4] = quads[4] % 16_384 + 0x8000
    return pl.select(
        pl.format("{}{}-{}-{}-{}-{}{}{}", *(pl.lit(_quads()[quad]) for quad in quads)).alias("store_id")
    ).to_series()


@functools.cache
def _quads() -> pl.Series:
    return pl.Series([f"{quad:04x}" for quad in range(65_536)])


def _salt(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:4])


def _upto(count: int) -> pl.Series:
    return pl.int_range(count, dtype=pl.UInt64, eager=True)


def _word(key: pl.Series, salt: int, number: pl.Series | int = 0) -> pl.Series:
    """Draw a word for each key below 2^32: a permutation of the keys, another one for each salt and number.

    The multipliers and shifts are those of the generator "splitmix32". Kept to 32 bits in 64, no product overflows.
    """
    word = (key + number * 0x9E3779B1 + salt) % _WORDS
    word = (word ^ (word // (1 << 16))) * 0x21F0AAAD % _WORDS
    word = (word ^ (word // (1 << 15))) * 0x735A2D97 % _WORDS
    return word ^ (word // (1 << 15))


def _below(word: pl.Expr, bound: pl.Expr | int) -> pl.Expr:
    """Scale a word to the whole numbers below a bound of at most 2^32."""
    return word * bound // _WORDS


def _shuffled(count: int, salt: int) -> pl.Series:
    """Return the numbers below `count` in no order."""
    return (_word(_upto(count), salt) * _WORDS + _upto(count)).sort() % _WORDS


def _dealt(table: pl.Series, places: pl.Series) -> pl.Series:
    """Give each place an entry of the table, every entry its share; the places are 0, 1, 2 and so on, in any order."""
    return table[places * table.len() // places.len()]
