"""Commands that keep all that a service knows in one file, and bring it back."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from storemon.cli.options import LakePlace
from storemon.cli.records import RecordsFolder
from storemon.settings import Settings

if TYPE_CHECKING:
    from storemon.backups.archive import Contents


def backup(file: Path, /, *, lake: LakePlace = None, reports: RecordsFolder = None) -> None:
    """Write the records, the lake and the reports into one archive; the service may run meanwhile.

    Parameters
    ----------
    file
        The archive to write, like storemon.tar.zst.

    """
    from storemon.backups.backup import back_up

    done = back_up(Settings.load(lake=lake, reports=reports), file)
    sys.stdout.write(f"{file}: {_told(done.contents)}\n")
    for what in done.gone:
        sys.stderr.write(f"storemon: gone, so not in the backup: {what}\n")


def restore(file: Path, /, *, lake: LakePlace = None, reports: RecordsFolder = None) -> None:
    """Put all of a backup to where there is none: the records, the lake and the reports, or nothing.

    Parameters
    ----------
    file
        The archive that storemon backup wrote.

    """
    from storemon.backups.restore import restore as put_back

    contents = put_back(Settings.load(lake=lake, reports=reports), file)
    sys.stdout.write(f"{file}: restored {_told(contents)}, as of {contents.made_at}\n")


def _told(contents: "Contents") -> str:
    size = sum(listed.size for listed in contents.files.values())
    rows = ", ".join(f"{table}: {count:,}" for table, count in contents.rows.items() if count)
    return f"{len(contents.files):,} files, {size / 1e6:,.1f} MB; {rows}"
