"""Backups: the records, the lake's files and those of the reports, in one archive.

It is of one moment though the service goes on. The records are read first, in one transaction; then the lake is fixed.
So no record names a version that is not in the archive: tables only get newer, and of the older versions those that
the records name are in it as well. Files never change, they only go: a report's when somebody deletes it meanwhile, the
lake's by a vacuum. What only an older version or a record names is told as gone; anything else ends the backup.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from storemon.backups.archive import Contents, Writer, finish, pieces_of, writing
from storemon.errors import FileError, LakeError, RecordsError
from storemon.lake.copying import copied
from storemon.lake.files import Files
from storemon.lake.place import place_of
from storemon.lake.schemas import FORMAT
from storemon.records.files import report_file
from storemon.records.opening import FORMATS, are_there, opened_records, records_place, said
from storemon.records.rows import Recorded, recorded
from storemon.settings import Settings
from storemon.views.export import remove_parts, save
from storemon.views.forms import FORMS

LAKE, REPORTS, RECORDS = "lake/", "reports/", "records/"
"""What the names of an archive's files begin with."""


class BackedUp(NamedTuple):
    """What a backup came to: the archive's list, and what is gone of what should be in it."""

    contents: Contents
    gone: Sequence[str]


def back_up(settings: Settings, file: Path) -> BackedUp:
    """Write a backup to a file: all of it is there under its name, or what was there before.

    Raises:
        FileError: the file cannot be written.
        LakeError: the lake cannot be read, or a vacuum took files of it meanwhile.
        RecordsError: there are no records, or they cannot be read.

    """
    if not are_there(settings):
        raise RecordsError(
            f"{records_place(settings)}: there are no records; name the service's folder with --reports, or "
            "make them with: storemon migrate"
        )

    def fill(opened: BinaryIO) -> BackedUp:
        if S_ISREG(os.fstat(opened.fileno()).st_mode):
            os.fchmod(opened.fileno(), 0o600)  # there are hashes of keys in it
        with ExitStack() as stack, writing(opened) as writer:
            made_at = datetime.now(UTC).isoformat()
            then = _recorded(settings, stack)
            gone = [*_add_lake(settings, writer, then.versions), *_add_reports(settings, writer, then.reports)]
            for name, lines in then.lines.items():
                size = lines.tell()
                lines.seek(0)
                writer.add(f"{RECORDS}{name}.ndjson", size, pieces_of(lines))
            contents = Contents(
                lake=FORMAT,
                records=FORMATS[-1],
                storemon=version("storemon"),
                made_at=made_at,
                rows=dict(then.rows),
                files=dict(writer.files),
            )
            finish(writer, contents)
        return BackedUp(contents, gone)

    remove_parts(file)
    return save(file, fill, what="backup")


def _recorded(settings: Settings, stack: ExitStack) -> Recorded:
    records = opened_records(settings)
    try:
        return recorded(records, stack)
    except SQLAlchemyError as error:
        raise RecordsError(f"{records_place(settings)}: the records cannot be read: {said(error)}") from error
    finally:
        records.dispose()


def _add_lake(settings: Settings, writer: Writer, versions: Sequence[Mapping[str, int]]) -> Sequence[str]:
    """Add the lake's files; tell what is gone of those that only older versions need."""
    files, found = Files(place_of(settings.lake)), copied(settings.lake, versions)
    for name, size in found.files.items():
        try:
            writer.add(f"{LAKE}{name}", size, files.pieces(name))
        except LakeError as error:
            raise LakeError(f"{error}; if a vacuum took it just now, make the backup again") from error
    return found.gone


def _add_reports(settings: Settings, writer: Writer, reports: Sequence[str]) -> Iterator[str]:
    """Add the files of reports; tell which reports have none."""
    for report_id in reports:
        added = [_add_report(writer, report_file(settings, report_id, form)) for form in FORMS]
        if not any(added):
            yield f"the file of the report {report_id}"


def _add_report(writer: Writer, path: Path) -> bool:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FileError(f"{path}: the report cannot be read: {error.strerror}") from error
    with file:
        status = os.fstat(file.fileno())
        writer.add(f"{REPORTS}{path.name}", status.st_size, pieces_of(file), changed_at=status.st_mtime)
    return True
