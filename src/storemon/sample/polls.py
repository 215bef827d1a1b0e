"""The store_status.csv of a sample: the polls chunk by chunk, in memory that does not grow with their number."""

from collections.abc import Iterator

import polars as pl

from storemon.sample.draws import WORDS, salt_for, shuffled, upto, words_of
from storemon.sample.ids import STORES_A_CHUNK, require, store_ids
from storemon.sample.lives import DAY_SLOTS, lives, polled

CHUNK_ROWS = 1 << 18  # no chunk of polls has more
_BLOCK, _BLOCK_SLACK = 650, 350  # rows: from 300 to 1,000


def polls(stores: int, days: int, seed: int, *, hourly: bool = False) -> Iterator[pl.DataFrame]:
    """Yield the polls in chunks of at most CHUNK_ROWS: `store_id, status` as text, `polled_at` in UTC microseconds.

    A chunk is made of blocks of 300 to 1,000 rows (its last may be shorter), each in order of time; neither the blocks
    nor the chunks are in any order. Raises ValueError, at the call, if `stores` or `days` is below 1.
    """
    require(stores=stores, days=days)
    return _polls(stores, days * DAY_SLOTS, seed, hourly=hourly)


def _polls(stores: int, slots: int, seed: int, *, hourly: bool) -> Iterator[pl.DataFrame]:
    all_lives = lives(stores, slots, seed)
    height = min(stores, STORES_A_CHUNK)
    width = CHUNK_ROWS // height
    corners = [(store, slot) for store in range(0, stores, height) for slot in range(0, slots, width)]
    salt = salt_for(seed, "order")
    for number in shuffled(len(corners), salt):
        store, slot = corners[number]
        some = all_lives.slice(store, height)
        some = some.with_columns(store_ids(upto(some.height) + store, seed))
        times = pl.DataFrame({"slot": upto(min(width, slots - slot)) + slot})
        rows = polled(some.join(times, how="cross"), seed, hourly=hourly)
        status = pl.when("active").then(pl.lit("active")).otherwise(pl.lit("inactive")).alias("status")
        in_time = rows.sort("polled_at", "key", "active", descending=[False, False, True])
        yield _in_blocks(in_time.select("store_id", status, "polled_at"), salt ^ (number + 1))


def _in_blocks(rows: pl.DataFrame, salt: int) -> pl.DataFrame:
    """Cut the rows into blocks and shuffle these."""
    row = upto(rows.height)
    turn = row // _BLOCK
    slack = words_of(turn, salt) % _BLOCK_SLACK * (turn > 0)
    block = turn - (row % _BLOCK < slack).cast(pl.UInt64)
    return rows[(words_of(block, salt + 1) * WORDS + row).sort() % WORDS]


def as_text(chunk: pl.DataFrame) -> pl.DataFrame:
    """Write `polled_at` the way the real file does: the fraction without its trailing zeros, or none at all."""
    text = pl.col("polled_at").dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    trimmed = text.str.strip_chars_end("0").str.strip_chars_end(".")
    return chunk.select("store_id", "status", timestamp_utc=trimmed + " UTC")
