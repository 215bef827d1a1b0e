"""Commands about the records of a service: the keys of those who may ask it, and bringing the records up to date."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from storemon.cli.options import LakePlace
from storemon.errors import InputError, StoremonError
from storemon.questions.options import Texts, split
from storemon.settings import Settings
from storemon.units.durations import parse_duration

if TYPE_CHECKING:
    from storemon.records.keys import Keys

RecordsFolder = Annotated[
    Path | None, Parameter(name="--reports", help="Folder of the reports and the records (default: reports).")
]


def migrate(*, reports: RecordsFolder = None) -> None:
    """Bring the records of jobs and keys up to date, as each start of the service does."""
    from storemon.records.opening import migrated, records_place

    settings = Settings.load(reports=reports)
    found, newest = migrated(settings)
    place = records_place(settings)
    if found is None:
        sys.stdout.write(f"{place}: made, in format {newest}\n")
    elif found == newest:
        sys.stdout.write(f"{place}: up to date, in format {newest}\n")
    else:
        sys.stdout.write(f"{place}: brought from format {found} to {newest}\n")


def keys(
    action: Literal["create", "list", "revoke"],
    key: str | None = None,
    /,
    *,
    role: Literal["reader", "writer", "admin"] = "reader",
    where: Annotated[Texts, Parameter(show_default=False)] = (),
    expires: str | None = None,
    reports: RecordsFolder = None,
    lake: LakePlace = None,
) -> None:
    """Create, list or revoke the keys that the service asks for. Once there is one, nobody comes in without.

    Parameters
    ----------
    action
        create prints a new key, which is shown this once; list the keys there are; revoke ends one.
    key
        The id of the key to revoke, as in the list.
    role
        What a new key may do: ask (reader), also load facts (writer), also change what others asked for (admin).
    where
        Tags of the only stores that a new key ever sees, like region=West.
    expires
        How long a new key can be used, like 90d.

    """
    from storemon.engine.tags import parse_where
    from storemon.records.keys import opened_keys
    from storemon.records.opening import records_place

    settings = Settings.load(lake=lake, reports=reports)
    with opened_keys(settings) as known:
        if action == "list":
            _list(known, records_place(settings))
        elif action == "revoke":
            _revoke(known, key)
        else:
            sees = parse_where(split(where))
            lasts = None if expires is None else parse_duration(expires)
            made, written = known.create(role, sees, lasts)
            sys.stdout.write(f"{written}\n")
            sys.stderr.write(
                f"the key {made.id} of {records_place(settings)} is shown this once; send it as X-API-Key\n"
            )
            if sees:
                _tell_if_it_sees_nothing(settings, sees)


def _tell_if_it_sees_nothing(settings: Settings, sees: dict[str, str]) -> None:
    """Warn of a filter that no store meets now: mostly a slip of the pen."""
    from storemon.engine.tags import matching
    from storemon.lake.kept import KeptLake

    try:
        snapshot = KeptLake(settings.lake).snapshot()
        if snapshot.newest_poll() is None:
            return  # there is no lake yet
        seen = matching(snapshot.stores().select("store_id"), snapshot.tags(), sees)
        why = "no store has all of these tags" if seen.is_empty() else ""
    except InputError as error:
        why = str(error)
    except StoremonError as error:
        sys.stderr.write(f"storemon: nobody can tell which stores this key sees: {error}\n")
        return
    if why:
        sys.stderr.write(f"storemon: for now this key sees no stores: {why}\n")


def _list(known: "Keys", where: str) -> None:
    keys = known.list()
    if not keys:
        sys.stderr.write(f"storemon: {where}: there are no keys\n")
    for key in keys:
        sees = ",".join(f"{tag}={value}" for tag, value in key.sees.items()) or "all stores"
        until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "for ever"
        sys.stdout.write(f"{key.id}  {key.state:<7}  {key.role:<6}  since {key.created_at:%Y-%m-%d}, {until}  {sees}\n")


def _revoke(known: "Keys", key: str | None) -> None:
    if key is None:
        raise InputError("name the key to revoke by its id; see: storemon keys list")
    if not known.revoke(key):
        raise InputError(f"there is no key {key!r} that could be used; see: storemon keys list")
    sys.stdout.write(f"{key}: revoked\n")
