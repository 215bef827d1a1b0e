"""Sizes of memory."""

from pathlib import Path

import pytest

from storemon.errors import InputError
from storemon.sizes import half_of_machine, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("2GiB", 2 << 30),
        ("512MiB", 512 << 20),
        ("512m", 512 << 20),
        (" 1.5 GB ", 3 << 29),
        ("4k", 4096),
        ("1T", 1 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "0", "0.0GiB", "-1G", "1e9", "2 GiBs", "half", "1,5G"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match="like 2GiB or 512MiB"):
        parse_size(text)


def test_half_of_the_machine() -> None:
    with Path("/proc/meminfo").open() as told:
        total = int(next(told).split()[1]) * 1024
    assert half_of_machine() == pytest.approx(total / 2, rel=0.01)
