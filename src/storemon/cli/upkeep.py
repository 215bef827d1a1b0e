"""Commands that keep a lake small and quick: merge files, let go of old polls, remove what nothing needs."""

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from storemon.cli.options import LakePlace
from storemon.errors import InputError
from storemon.settings import Settings
from storemon.units.durations import parse_duration

ReportsFolder = Annotated[
    Path | None, Parameter(name="--reports", help="Folder of the reports whose facts are kept (default: reports).")
]
Yes = Annotated[bool, Parameter(name="--yes", help="Do it; else only tell what it would do.", show_default=False)]


def compact(*, lake: LakePlace = None) -> None:
    """Merge the small files of many ingestions into one for each past day, sorted, without doubled polls."""
    from storemon.lake.kept import KeptLake

    done = KeptLake(Settings.load(lake=lake).lake).compact()
    sys.stdout.write(
        f"{done.days:,} days merged, out of {done.files:,} files; {done.doubled:,} doubled polls dropped\n"
    )


def prune(*, before: str, lake: LakePlace = None, yes: Yes = False) -> None:
    """Let go of the polls of all UTC days before a date; hours, zones, tags and other facts stay.

    Parameters
    ----------
    before
        The first day whose polls stay, like 2024-01-01.

    """
    from storemon.lake.kept import KeptLake

    try:
        day = date.fromisoformat(before)
    except ValueError:
        raise InputError(f"{before!r} is not a date; write it like 2024-01-01") from None
    told = KeptLake(Settings.load(lake=lake).lake).prune(day, dry_run=not yes)
    if not told.days:
        sys.stdout.write(f"there are no polls before {day}\n")
        return
    what = f"{told.polls:,} polls of {told.days:,} days, {told.first} to {told.last}, {told.size / 1e6:,.1f} MB"
    sys.stdout.write(
        f"{what}: no longer in the lake; to free their space: storemon vacuum\n"
        if yes
        else f"{what} would go; to let go of them: storemon prune --before {day} --yes\n"
    )


def vacuum(*, lake: LakePlace = None, reports: ReportsFolder = None, keep: str = "7d", yes: Yes = False) -> None:
    """Remove files that no fact of the lake is in any more, nor of the recent past, nor of a report that is kept.

    Parameters
    ----------
    keep
        How long a file stays after the commit that made it unnecessary, like 7d: none in use is younger.

    """
    from storemon.lake.kept import KeptLake
    from storemon.lake.vacuuming import LOG
    from storemon.service.work import kept_versions

    settings = Settings.load(lake=lake, reports=reports)
    kept = timedelta() if keep.strip() == "0" else parse_duration(keep)
    files = KeptLake(settings.lake).vacuum(kept, kept_versions(settings), dry_run=not yes)
    of_log = sum(f"/{LOG}/" in path for path in files)
    what = f"{len(files) - of_log:,} files" + (f" and {of_log:,} entries of the log" if of_log else "")
    sys.stdout.write(
        f"{what} removed\n" if yes or not files else f"{what} would go; to remove them: storemon vacuum --yes\n"
    )
