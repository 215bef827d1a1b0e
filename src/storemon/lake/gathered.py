"""Rows of a file that is being read: in memory up to a limit, past that in a temporary file.

The temporary file has no name, so it is gone with the process, however that ends. It lies in the system's temporary
folder, or in the one that the variable ``TMPDIR`` names.
"""

import io
import tempfile
import weakref
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import IO, Self

import polars as pl

from storemon.errors import FileError

_NAME = "gathered_by"
_COPIED = 8  # frames at a time, for each may keep much more in memory than its rows: the batch it was narrowed from


class Gathered:
    """Frames of one schema, gathered one after another, and given back group by group; within one, in their order."""

    def __init__(self, schema: pl.Schema, limit: int | None = None, *, by: pl.Expr | None = None) -> None:
        """Begin without rows.

        Args:
            schema: of all frames.
            limit: the bytes that are held in memory; all of them where it is None.
            by: of which group a row is; by default there is one group, None.

        """
        self.schema = schema
        # Polars forgets which text a code of a categorical column stands for when the last such column goes.
        self._nothing = pl.DataFrame(schema=schema)
        self._limit = limit
        self._by = by
        self._held: list[pl.DataFrame] = []
        self._fresh = 0
        self._bytes: float = 0
        self._counts: Counter[Hashable] = Counter()
        self._groups: dict[Hashable, list[pl.DataFrame | tuple[int, int]]] = {}
        """Of each group its pieces: frames, or where in the file they begin and end."""

    @classmethod
    def of(cls, frames: Iterable[pl.DataFrame], schema: pl.Schema, *, by: pl.Expr | None = None) -> Self:
        """Gather frames that are in memory."""
        gathered = cls(schema, by=by)
        for frame in frames:
            gathered.add(frame)
        return gathered

    def __len__(self) -> int:
        """Count the rows."""
        return self._counts.total() + sum(map(len, self._held))

    def count(self, group: Hashable) -> int:
        """Count the rows of a group."""
        self._settle()
        return self._counts[group]

    def add(self, frame: pl.DataFrame) -> None:
        """Take in a frame's rows.

        Raises:
            FileError: the temporary file cannot be written.

        """
        if frame.is_empty():
            return
        self._held.append(frame)
        self._fresh += 1
        if self._fresh == _COPIED:
            self._held[-_COPIED:] = [pl.concat(self._held[-_COPIED:], rechunk=True)]
            self._fresh = 0
        self._bytes += frame.estimated_size()
        if self._limit is not None and self._bytes > self._limit:
            try:
                self._put_aside()
            except OSError as error:
                raise FileError(
                    f"{tempfile.gettempdir()}: rows that exceed the memory cannot be written: {error.strerror}; "
                    "make room there, name another folder in TMPDIR, or allow more memory"
                ) from error

    def groups(self) -> list[Hashable]:
        """List the groups, in their order."""
        self._settle()
        return sorted(self._groups)  # type: ignore[type-var]

    def pieces(self, group: Hashable = None) -> Iterator[pl.DataFrame]:
        """Give a group's rows, a piece of at most the limit at a time."""
        self._settle()
        for piece in self._groups.get(group, ()):
            yield piece if isinstance(piece, pl.DataFrame) else self._read(*piece)

    def read(self) -> pl.DataFrame:
        """Give all rows at once, in the order of the groups."""
        return pl.concat([self._nothing, *(piece for group in self.groups() for piece in self.pieces(group))])

    @cached_property
    def _file(self) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it is of use for as long as the rows are
        weakref.finalize(self, file.close)
        return file

    def _settle(self) -> None:
        """Put what is held into its groups, in memory."""
        for group, rows in self._taken():
            self._groups.setdefault(group, []).append(rows)

    def _put_aside(self) -> None:
        """Put what is held into its groups, in the file."""
        for group, rows in self._taken():
            codes = rows.with_columns(pl.col(pl.Categorical).to_physical())
            written = io.BytesIO()
            codes.write_ipc(written)
            begins = self._file.seek(0, io.SEEK_END)
            self._file.write(written.getbuffer())
            self._groups.setdefault(group, []).append((begins, self._file.tell()))
        self._file.flush()

    def _taken(self) -> Iterator[tuple[Hashable, pl.DataFrame]]:
        if not self._held:
            return
        rows = pl.concat(self._held, rechunk=self._by is None)
        self._held, self._fresh, self._bytes = [], 0, 0
        if self._by is None:
            self._counts[None] += len(rows)
            yield None, rows
            return
        parts = rows.with_columns(self._by.alias(_NAME)).partition_by(_NAME, include_key=False, as_dict=True)
        del rows
        while parts:  # each is let go of when it has been taken
            (group,), part = parts.popitem()
            self._counts[group] += len(part)
            yield group, part

    def _read(self, begins: int, ends: int) -> pl.DataFrame:
        self._file.seek(begins)
        codes = pl.read_ipc(io.BytesIO(self._file.read(ends - begins)))
        return codes.select(
            pl.col(name).cat.to(dtype) if isinstance(dtype, pl.Categorical) else name
            for name, dtype in self.schema.items()
        )
