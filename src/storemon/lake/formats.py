"""The number of a lake's format: each table tells it in the description that its log keeps.

So it comes with what is read anyway, any tool shows it, and a commit could change it together with the table.
"""

import re

from deltalake import DeltaTable

from storemon.errors import LakeError
from storemon.lake.place import Place
from storemon.lake.schemas import FORMAT, Table

DESCRIPTION = f"storemon lake, format {FORMAT}"
"""What a new table is described as."""

_DESCRIPTION = re.compile(r"storemon lake, format (\d+)")
_BEFORE = 0
"""The polls of lakes from before formats were numbered lay otherwise; those of the first format may have no number."""


def require_known_format(delta: DeltaTable, lake: Place, table: Table) -> None:
    """Refuse a table of a format that is not ours, before anything of it is read or written.

    Raises:
        LakeError: it is newer, or older.

    """
    known = delta.metadata()
    told = _DESCRIPTION.fullmatch(known.description or "")
    as_ever = known.partition_columns == list(table.partition_by)
    found = int(told[1]) if told else FORMAT if as_ever else _BEFORE
    if found == FORMAT:
        return
    what = f"{lake}: the table {table.name!r} is of lake format {found}, and this storemon reads format {FORMAT}"
    if found > FORMAT:
        raise LakeError(f"{what}; upgrade storemon to the version that wrote it, or newer")
    raise LakeError(f"{what}; ingest your files anew into another place with --lake, and let go of this one")
