"""Opening the records: made if there are none, brought up to date if they are older, refused if they are newer."""

import logging
from contextlib import ExitStack

from sqlalchemy import URL, Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from storemon.errors import RecordsError
from storemon.records.database import alone, connected
from storemon.settings import Settings
from storemon.units.addresses import SQLITE, masked

FORMATS = ("0001", "0002", "0003", "0004")
"""Those that this storemon knows, the newest last: one for each file of ``migrations/versions``."""

_log = logging.getLogger("storemon.records")
VERSION_TABLE = "migrations"
_FILE, _ELSEWHERE = "storemon.db", "database.txt"
"""SQLite's file; and what lies beside reports that are recorded in PostgreSQL and says where, so that nobody takes them
for nobody's."""


def opened_records(settings: Settings) -> Engine:
    """Open the records of a service, made if they are not there.

    Raises:
        RecordsError: they cannot be opened, made or brought up to date; or they are elsewhere.

    """
    return _opened(settings)[0]


def migrated(settings: Settings) -> tuple[str | None, str]:
    """Bring the records up to date. Tell the format that they had, None if there were none, and the one they have.

    Raises:
        RecordsError: they cannot be opened, made or brought up to date; or they are elsewhere.

    """
    records, found = _opened(settings)
    records.dispose()
    return found, FORMATS[-1]


def _opened(settings: Settings) -> tuple[Engine, str | None]:
    where = records_place(settings)
    with ExitStack() as undo:
        try:
            settings.reports.mkdir(parents=True, exist_ok=True)
            _require_here(settings)
        except OSError as error:
            raise RecordsError(f"{settings.reports}: nothing can be kept here: {error}") from error
        try:
            is_here = settings.database == SQLITE
            records = connected(URL.create("sqlite", database=where) if is_here else settings.database)
            undo.callback(records.dispose)
            found = _migrate(records, where)
            if not is_here:
                (settings.reports / _ELSEWHERE).write_text(f"{where}\n")
        except (OSError, SQLAlchemyError) as error:
            raise RecordsError(f"{where}: the records of jobs and keys cannot be kept here: {said(error)}") from error
        except ModuleNotFoundError as error:
            raise RecordsError(f"{where}: PostgreSQL needs an extra: pip install 'storemon[postgres]'") from error
        undo.pop_all()
    return records, found


def records_place(settings: Settings) -> str:
    """Name where the records are, for people."""
    return str(settings.reports / _FILE) if settings.database == SQLITE else masked(settings.database)


def are_there(settings: Settings) -> bool:
    """Tell whether there may be records."""
    return settings.database != SQLITE or any((settings.reports / name).exists() for name in (_FILE, _ELSEWHERE))


def _migrate(records: Engine, where: str) -> str | None:
    with records.connect() as connection:
        found = format_of(connection)
    if found == FORMATS[-1]:
        return found
    with alone(records, "migrations") as connection:
        found = format_of(connection)
        if found is not None and found not in FORMATS:
            raise RecordsError(
                f"{where}: these records have the format {found}, and this storemon knows those up to {FORMATS[-1]}: "
                "upgrade it, or restore a backup of before"
            )
        _upgrade(connection)
    if found is not None:
        _log.info("%s: the records were brought from format %s to %s", where, found, FORMATS[-1])
    return found


def format_of(connection: Connection) -> str | None:
    """Tell the format of the records; None if there are none. Those from before there were formats have the first."""
    there = inspect(connection)
    if there.has_table(VERSION_TABLE):
        known: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        return known
    return FORMATS[0] if there.has_table("jobs") else None


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each of its own steps
    from alembic import command  # noqa: PLC0415 - it takes as long to import as all the rest, and is seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "storemon.records:migrations")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    command.upgrade(config, "head")


def _require_here(settings: Settings) -> None:
    """Keep reports from being taken for those of other records: what is recorded nowhere, vacuum removes.

    Raises:
        RecordsError: the reports in this folder are recorded elsewhere.

    """
    file, note = settings.reports / _FILE, settings.reports / _ELSEWHERE
    if settings.database == SQLITE and note.exists():
        raise RecordsError(
            f"{settings.reports}: the reports here are recorded in {note.read_text().strip()}: name it with "
            f"STOREMON_DATABASE; if that is over, remove {note}"
        )
    if settings.database != SQLITE and file.exists():
        raise RecordsError(
            f"{file}: the reports here are recorded in this file, not in {records_place(settings)}: storemon backup "
            "and restore take them there; if they are of no use, remove it"
        )


def said(error: Exception) -> str:
    """Tell what a database said, without the statement and the addresses that its library adds."""
    return " ".join(str(getattr(error, "orig", None) or error).split())
