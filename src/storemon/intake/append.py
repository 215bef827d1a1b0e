"""Polls that have been read, brought into the lake: one commit for all of them, with none that is there already."""

from storemon.lake.gathered import Gathered
from storemon.lake.polls import NewPolls
from storemon.lake.retrying import retrying
from storemon.lake.schemas import POLLS
from storemon.lake.tables import Tables


def append_polls(tables: Tables, accepted: Gathered) -> int:
    """Commit polls, of the form of store_status.csv, by UTC day; tell how many were new.

    Raises:
        ConflictError: other writers were faster, again and again.
        LakeError: the lake cannot be read or written; nothing was changed.

    """

    def attempt() -> int:
        read = tables.open(POLLS)
        new = NewPolls(read, accepted)
        if files := tables.write(read, new.parts()):
            tables.commit(read, files)
        return new.count

    return retrying(attempt)
