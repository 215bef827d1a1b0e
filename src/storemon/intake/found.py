"""Which files of a folder are loaded, and as what; and which are not, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storemon.errors import FileError
from storemon.intake.files.opened import stem_of
from storemon.intake.forms.known import FORMS, POLLS_FORM, Form
from storemon.intake.load import header_in
from storemon.intake.reading import Reading

_BY_STEM: Mapping[str, Form] = {form.file_name.removesuffix(".csv"): form for form in FORMS}


@dataclass(frozen=True)
class Found:
    """The files to load, each with its form where its name tells that, and those that are not used, with the reason."""

    files: tuple[tuple[Form | None, Path], ...]
    unused: tuple[tuple[Path, str], ...] = ()


def find(path: Path, told: Reading) -> Found:
    """Find the files of a folder by their names, or else by their columns; a file that is named alone is the only one.

    Raises:
        FileError: there are no polls in the folder, or two files for one table; or it cannot be read.

    """
    try:
        names = sorted(file.name for file in path.iterdir()) if path.is_dir() else None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    if names is None:
        return Found(((_BY_STEM.get(stem_of(path) or ""), path),))
    found: dict[Form, list[Path]] = {}
    unused: list[tuple[Path, str]] = []
    for file in (path / name for name in names if not name.startswith(".")):
        try:
            found.setdefault(_form_of(file, told), []).append(file)
        except FileError as error:
            unused.append((file, str(error).removeprefix(f"{file} ").removeprefix(f"{file}: ")))
    for form, files in found.items():
        if len(files) > 1:
            raise FileError(
                f"{path} has both {files[0].name} and {files[1].name}; remove the one that does not count, or load one "
                f"after the other: storemon ingest FILE (each is read as {form.table.name})"
            )
    if POLLS_FORM not in found:
        others = "".join(f"\nnot used: {file} {reason}" for file, reason in unused)
        raise FileError(
            f"{path} has no {POLLS_FORM.file_name}; to load another file alone, name it: storemon ingest "
            f"{path}/FILE.csv (polls may have any name with the columns {', '.join(POLLS_FORM.columns)}){others}"
        )
    return Found(tuple((form, found[form][0]) for form in FORMS if form in found), tuple(unused))


def _form_of(file: Path, told: Reading) -> Form:
    """Find the form of a file in a folder.

    Raises:
        FileError: it has none; the text says why.

    """
    stem = stem_of(file)
    if stem is not None and stem in _BY_STEM:
        return _BY_STEM[stem]  # a file of that name must be one: what is wrong with it is told when it is loaded
    if file.is_dir():
        raise FileError("is a folder; load it by itself: storemon ingest FOLDER")
    if stem is None:
        raise FileError("is no CSV, NDJSON, Parquet or Excel file, by its ending")
    return header_in(file, told).form
