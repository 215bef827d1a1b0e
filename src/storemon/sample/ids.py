"""The stores of a sample, which are numbers from 0: how many there are, and their ids."""

import functools

import polars as pl

from storemon.sample.draws import salt_for, words_of

# Stores in the real data, where 3,678 are polled; a sample has as many in proportion.
REAL = 3_678
_NEVER_POLLED = 882
STORES_A_CHUNK = 1 << 15


def require(**counts: int) -> None:
    """Raise ValueError if one of the counts is below 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")


def scaled(count: int, stores: int) -> int:
    """Scale a count of stores of the real data."""
    return count * stores // REAL


def never_polled(stores: int) -> int:
    """Count the stores that come on top of those that are polled."""
    return max(1, scaled(_NEVER_POLLED, stores))


def store_ids(store: pl.Series, seed: int) -> pl.Series:
    """Return UUIDs of version 4, all distinct: the first word is a permutation of the stores."""
    words = [words_of(store, salt_for(seed, f"id {place}")) for place in range(4)]
    quads = [quad for word in words for quad in (word // 65_536, word % 65_536)]
    quads[3] = quads[3] % 4_096 + 0x4000
    quads[4] = quads[4] % 16_384 + 0x8000
    return pl.select(
        pl.format("{}{}-{}-{}-{}-{}{}{}", *(pl.lit(_quads()[quad]) for quad in quads)).alias("store_id")
    ).to_series()


@functools.cache
def _quads() -> pl.Series:
    return pl.Series([f"{quad:04x}" for quad in range(65_536)])
