"""Sizes of memory as people write them."""

from pathlib import Path
from unittest.mock import patch

import pytest

from storemon import InputError
from storemon.units import sizes
from storemon.units.sizes import parse_size

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
    "0%",
    "101%",
    "%",
)


@pytest.mark.parametrize("text", READ)
def test_read(text: str) -> None:
    assert parse_size(text) == READ[text]


@pytest.mark.parametrize("text", NOT_READ)
def test_not_read(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a size; write it like 2GiB, 512MiB, 1\.5GB or 50%"):
        parse_size(text)


def test_a_share_of_what_a_container_may_take(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    with patch.object(sizes, "_LIMIT", limit):
        of_machine = parse_size("50%")
        limit.write_text("max\n")
        assert parse_size("50%") == of_machine
        limit.write_text("1048576\n")
        assert parse_size("50%") == 524_288


def test_a_share_of_the_machine() -> None:
    told = Path("/proc/meminfo").read_text().split()
    machine = 1024 * int(told[told.index("MemTotal:") + 1])
    assert parse_size("100%") <= machine * 1.01
    assert parse_size("50 %") == pytest.approx(parse_size("100%") / 2, abs=1)
