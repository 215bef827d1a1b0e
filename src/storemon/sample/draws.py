"""What is drawn for a sample: by whole-number arithmetic on a seed, which no library's next version can change."""

import hashlib

import polars as pl

WORDS = 1 << 32  # a word is drawn evenly from the whole numbers below


def salt_for(seed: int, purpose: str) -> int:
    """Give each purpose words of its own."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:4])


def upto(count: int) -> pl.Series:
    """Return the numbers below `count`."""
    return pl.int_range(count, dtype=pl.UInt64, eager=True)


def words_of(key: pl.Series, salt: int, number: pl.Series | int = 0) -> pl.Series:
    """Draw a word for each key below 2^32: a permutation of the keys, another one for each salt and number.

    The multipliers and shifts are those of the generator "splitmix32". Kept to 32 bits in 64, no product overflows.
    """
    word = (key + number * 0x9E3779B1 + salt) % WORDS
    word = (word ^ (word // (1 << 16))) * 0x21F0AAAD % WORDS
    word = (word ^ (word // (1 << 15))) * 0x735A2D97 % WORDS
    return word ^ (word // (1 << 15))


def below(word: pl.Expr, bound: pl.Expr | int) -> pl.Expr:
    """Scale a word to the whole numbers below a bound of at most 2^32."""
    return word * bound // WORDS


def shuffled(count: int, salt: int) -> pl.Series:
    """Return the numbers below `count` in no order."""
    return (words_of(upto(count), salt) * WORDS + upto(count)).sort() % WORDS


def dealt(table: pl.Series, places: pl.Series) -> pl.Series:
    """Give each place an entry of the table, every entry its share; the places are 0, 1, 2 and so on, in any order."""
    return table[places * table.len() // places.len()]
