"""Rows put aside while a file is read: the same rows come back, and nothing stays behind."""

import gc
import tempfile
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storemon import FileError
from storemon.lake.gathered import Gathered

SCHEMA = pl.Schema({"store_id": pl.Categorical(), "n": pl.Int64(), "text": pl.String()})
BY = pl.col("n") % 3


def frame(rows: list[tuple[str, int, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.text(max_size=3))), max_size=30),
    st.sampled_from([None, 0, 60, 500]),
    st.booleans(),
)
def test_what_goes_in_comes_out(parts: list[list[tuple[str, int, str]]], limit: int | None, by: bool) -> None:  # noqa: FBT001
    gathered = Gathered(SCHEMA, limit, by=BY if by else None)
    for part in parts:
        gathered.add(frame(part))
    rows = [row for part in parts for row in part]
    assert len(gathered) == len(rows)
    groups = sorted({n % 3 for _, n, _ in rows}) if by else [None] * bool(rows)
    assert gathered.groups() == groups
    for group in groups:
        expected = [row for row in rows if group is None or row[1] % 3 == group]
        for _ in range(2):
            assert pl.concat(gathered.pieces(group)).schema == SCHEMA
            assert [row for piece in gathered.pieces(group) for row in piece.rows()] == expected
        assert gathered.count(group) == len(expected)
    assert sorted(gathered.read().rows()) == sorted(rows)
    assert gathered.read().schema == SCHEMA


def test_pieces_are_small_and_the_file_has_no_name(tmp_path: Path) -> None:
    with patch.object(tempfile, "tempdir", str(tmp_path)):
        gathered = Gathered(SCHEMA, 10_000)
        for nth in range(100):
            gathered.add(frame([("a", nth, "a text of some length")] * 50))
        pieces = list(gathered.pieces())
        assert len(pieces) > 10
        assert max(piece.estimated_size() for piece in pieces) < 20_000
        assert not list(tmp_path.iterdir()), "a killed process would leave it"


def test_the_temporary_folder_is_full() -> None:
    with Path("/dev/full").open("wb") as full, patch.object(tempfile, "TemporaryFile", return_value=full):
        gathered = Gathered(SCHEMA, 0)
        with pytest.raises(FileError, match=r"No space left on device; make room there, name another folder in TMPDIR"):
            gathered.add(frame([("a", 1, "x" * 10_000)] * 10))


def test_which_id_a_code_stands_for_is_not_forgotten() -> None:
    """Not even when no other row in the process has an id any more, and new ids come."""
    gathered = Gathered(SCHEMA, 0)
    for nth, store_id in enumerate("abc"):
        gathered.add(frame([(store_id, nth, "")]))
        gc.collect()
    assert gathered.read()["store_id"].cast(str).to_list() == [*"abc"]
