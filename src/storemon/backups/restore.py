"""A backup put back: everything of it, or nothing.

The archive is read twice: once to check every byte, before anything is touched, and once to put its files where the
settings say. The lake's come in the order in which none of its tables is there before the last of its files, then those
of the reports, then the records in one transaction. What was put is taken away again if that fails. A restore that was
killed is finished by another one of the same archive: what is there already must be the very same.
"""

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from storemon.backups.archive import Contents, Entry, entries, pieces_of, verified
from storemon.backups.backup import LAKE, RECORDS, REPORTS
from storemon.errors import FileError, LakeError, RecordsError
from storemon.lake.copying import is_of_lake, logged
from storemon.lake.files import Files
from storemon.lake.place import place_of
from storemon.lake.schemas import FORMAT
from storemon.records.database import alone
from storemon.records.opening import FORMATS, opened_records, records_place, said
from storemon.records.rows import KEPT, any_recorded, insert_lines
from storemon.settings import Settings
from storemon.views.export import save
from storemon.views.forms import FORMS

_REPORT = re.compile(rf"[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\.({'|'.join(FORMS)})")


def restore(settings: Settings, file: Path) -> Contents:
    """Put everything of a backup to where the settings say, and give its list.

    Raises:
        FileError: the backup is damaged, cannot be read, or is of a format that is not known; there are other reports.
        LakeError: there is another lake, or it cannot be written.
        RecordsError: there are records, or they cannot be written.

    """
    contents = verified(file, _is_ours)
    _require_known_formats(file, contents)
    lake = Files(place_of(settings.lake))
    _require_no_other_lake(settings, lake, contents)
    _require_no_other_reports(settings, contents)
    records = opened_records(settings)
    try:
        _put(settings, file, lake, records, contents)
    except SQLAlchemyError as error:
        where = records_place(settings)
        raise RecordsError(f"{where}: the records cannot be written: {said(error)}. Nothing was changed") from error
    finally:
        records.dispose()
    return contents


def _put(settings: Settings, file: Path, lake: Files, records: Engine, contents: Contents) -> None:
    with records.connect() as connection:
        _require_no_records(settings, connection)
    with ExitStack() as undo:
        with ExitStack() as transaction:
            filled = None
            for entry in entries(file, _is_ours):
                part, _, name = entry.name.partition("/")
                if part == LAKE[:-1]:
                    _put_of_lake(lake, name, entry, contents.files[entry.name].size, undo)
                elif part == REPORTS[:-1]:
                    _put_report(settings.reports / name, entry, undo)
                elif part == RECORDS[:-1]:
                    if filled is None:
                        filled = transaction.enter_context(alone(records, "a restore"))
                        _require_no_records(settings, filled)
                    insert_lines(filled, name.removesuffix(".ndjson"), entry.pieces)
        lake.settle(name.removeprefix(LAKE) for name in contents.files if name.startswith(LAKE))
        undo.pop_all()


def _put_of_lake(lake: Files, name: str, entry: Entry, size: int, undo: ExitStack) -> None:
    if lake.size(name) == size:
        return  # it is whole, as every file that is there, and of a name that no other has
    undo.callback(lake.remove, name)
    lake.put(name, entry.pieces)


def _put_report(path: Path, entry: Entry, undo: ExitStack) -> None:
    if path.exists():
        return  # it is the same
    undo.callback(path.unlink, missing_ok=True)
    save(path, lambda file: file.writelines(entry.pieces))
    os.utime(path, (entry.changed_at, entry.changed_at))  # it is a download's Last-Modified


def _is_ours(name: str) -> bool:
    """Tell whether a backup may have a file of this name."""
    part, _, rest = name.partition("/")
    if part == LAKE[:-1]:
        return is_of_lake(rest)
    if part == REPORTS[:-1]:
        return _REPORT.fullmatch(rest) is not None
    return name in {f"{RECORDS}{table}.ndjson" for table in KEPT}


def _require_known_formats(file: Path, contents: Contents) -> None:
    known: dict[str, tuple[object, Sequence[object]]] = {
        "lake": (contents.lake, [FORMAT]),
        "records": (contents.records, FORMATS),
    }
    for what, (found, ours) in known.items():
        if found not in ours:
            raise FileError(
                f"{file}: this backup has format {found} of the {what}, and this storemon knows up to {ours[-1]}; "
                f"restore it with storemon {contents.storemon}, which made it. Nothing was changed"
            )


def _require_no_records(settings: Settings, connection: Connection) -> None:
    if table := any_recorded(connection):
        raise RecordsError(
            f"{records_place(settings)}: there are {table} in the records already; name another folder with --reports, "
            "or another database. Nothing was changed"
        )


def _require_no_other_lake(settings: Settings, lake: Files, contents: Contents) -> None:
    for name in logged(lake):
        if not _is_listed(contents, LAKE + name, lake.pieces(name)):
            raise LakeError(
                f"{settings.lake}: there is another lake here already, with {name}; name another place with --lake. "
                "Nothing was changed"
            )


def _require_no_other_reports(settings: Settings, contents: Contents) -> None:
    for name in contents.files:
        path = settings.reports / name.removeprefix(REPORTS)
        if not name.startswith(REPORTS) or not path.exists():
            continue
        with path.open("rb") as file:
            if not _is_listed(contents, name, pieces_of(file)):
                raise FileError(
                    f"{path}: there is another file here already; name another folder with --reports. "
                    "Nothing was changed"
                )


def _is_listed(contents: Contents, name: str, pieces: Iterable[bytes]) -> bool:
    known = sha256()
    for piece in pieces:
        known.update(piece)
    listed = contents.files.get(name)
    return listed is not None and listed.sha256 == known.hexdigest()
