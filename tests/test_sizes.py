"""Sizes of memory as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storemon import InputError
from storemon.sizes import format_size, parse_size

READ = {
    "2GiB": 2 << 30,
    "512MiB": 512 << 20,
    "1.5GB": 1_500_000_000,
    " 64 kib ": 64 << 10,
    "3KB": 3000,
    "1tb": 10**12,
    "1TiB": 1 << 40,
    "7B": 7,
    "0.5KiB": 512,
    "2.0GB": 2_000_000_000,
}
NOT_READ = (
    "",
    "2",
    "GiB",
    "2G",
    "2 Gi",
    "-1GiB",
    "1,5GB",
    "1e9B",
    "0MiB",
    "0.4B",
    "2GiB 1MiB",
    ".5GB",
    "٢GiB",
    "9" * 99,
)


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    assert parse_size(text) == READ[text]


@pytest.mark.parametrize("text", NOT_READ)
def test_not_read(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a size; write it like 2GiB, 512MiB or 1\.5GB"):
        parse_size(text)


@given(st.integers(1, 1 << 59))
def test_written_as_it_is_read(size: int) -> None:
    assert parse_size(format_size(size)) == size


def test_written_briefly() -> None:
    assert [format_size(size) for size in (512 << 20, 2 << 30, 1_500_000_000, 1)] == ["512MiB", "2GiB", "1500MB", "1B"]
