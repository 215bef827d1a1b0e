"""An answer's rows in, a file out: whole, or not at all."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import uuid4

import polars as pl

from storemon.errors import FileError, InputError
from storemon.views.answer import About, Legend
from storemon.views.forms import FORMS, NOTHING, Form, pieces

T = TypeVar("T")


def is_document(path: Path) -> bool:
    """Tell by its ending whether a file is to be pages that are read."""
    return path.suffix.lower() == ".pdf" and not path.is_dir()


def form_of(path: Path) -> Form:
    """Tell by its ending in which form a file is written: one without an ending, or a device, as CSV.

    Raises:
        InputError: it is a folder, or the ending is another one.

    """
    if path.is_dir():
        raise InputError(f"--out {path} is a folder; name the file to write, like {path / 'report.csv'}")
    ending = path.suffix.lower().removeprefix(".")
    for form in FORMS:
        if ending == form:
            return form
    if not ending or (path.exists() and not path.is_file()):
        return "csv"
    if is_document(path):
        raise InputError(f"--out {path}: only a report is written as PDF: storemon report --out {path}")
    endings = ", ".join(f".{form}" for form in FORMS[:-1])
    raise InputError(f"--out {path}: there is no form {path.suffix!r}; let it end in {endings} or .{FORMS[-1]}")


def export(frames: Iterable[pl.DataFrame], form: Form, legend: Legend, file: BinaryIO, about: About = NOTHING) -> int:
    """Write rows in a form, as `storemon.views.forms.pieces` does, one frame after the other; count them."""
    count = 0

    def counted() -> Iterator[pl.DataFrame]:
        nonlocal count
        for frame in frames:
            count += len(frame)
            yield frame

    file.writelines(pieces(counted(), form, legend, about))
    return count


def write(path: Path, content: bytes, *, what: str = "report") -> None:
    """Write what is there already, as `save` does."""
    save(path, lambda file: file.write(content), what=what)


def save(path: Path, fill: Callable[[BinaryIO], T], *, what: str = "report") -> T:
    """Let ``fill`` write to ``path``: whoever opens it sees all of it, or what was there before. A link is followed.

    ``what`` it is, an error tells.

    Raises:
        FileError: the file cannot be written; nothing is left behind.

    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:  # a device or a pipe, /dev/null say: a rename would put a file in its place
                return fill(file)
        return _replace(path.resolve(), fill)
    except OSError as error:
        raise FileError(f"{path}: the {what} cannot be written: {error.strerror}") from error


def remove_parts(path: Path) -> None:
    """Remove what a killed process left of its attempts to write ``path``."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)


def _replace(path: Path, fill: Callable[[BinaryIO], T]) -> T:
    # Each writer has a name of its own: two that make the same report must not write into each other's file.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    with part.open("xb") as file:
        try:
            filled = fill(file)
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    _sync(path.parent)
    return filled


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
