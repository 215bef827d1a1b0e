"""The first line of a CSV: what kind of file it is, and where the columns are that matter."""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from storemon.errors import FileError
from storemon.lake.forms import FORMS, Form


@dataclass(frozen=True)
class Header:
    """Which form a file has, how many columns, and the position of each one the form needs."""

    form: Form
    width: int
    positions: tuple[int, ...]


def read_header(path: Path, form: Form | None = None) -> Header:
    """Find the form's columns in the file's first line; without a ``form``, find the form too.

    Raises:
        FileError: the file is missing, a folder, unreadable, binary, without a header or short of a column.

    """
    head = head_of(path)
    if b"\0" in head:
        raise FileError(f"{path} is not a CSV: there is binary data in it; save it as text in UTF-8")
    names = [name.strip() for name in next(csv.reader(head.decode("utf-8-sig", "replace").splitlines()[:1]), [])]
    if not any(names):
        raise FileError(f"{path} is empty; its first line must name the columns")
    lacking: dict[str, list[str]] = {}
    for candidate in (form,) if form else FORMS:
        found = [next((names.index(alias) for alias in aliases if alias in names), None) for aliases in candidate.columns]
        positions = tuple(position for position in found if position is not None)
        if len(positions) == len(found):
            return Header(candidate, len(names), positions)
        lacking[candidate.file_name] = [
            " or ".join(aliases) for aliases, position in zip(candidate.columns, found, strict=True) if position is None
        ]
    nearest = min(lacking, key=lambda file_name: len(lacking[file_name]))
    raise FileError(
        f"{path} has no column {' and none called '.join(lacking[nearest])}, which a {nearest} must have; "
        f"its columns are: {', '.join(names)}"
    )


def open_binary(path: Path) -> IO[bytes]:
    """Open a CSV, plain or gzipped."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def head_of(path: Path) -> bytes:
    """Read the first 64 KiB.

    Raises:
        FileError: the file is missing, a folder or unreadable.

    """
    try:
        with open_binary(path) as file:
            return file.read(1 << 16)
    except FileNotFoundError:
        raise FileError(f"{path} does not exist; check the name (storemon sample DIR writes samples)") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder where a CSV file should be") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} cannot be read: {error}") from error
