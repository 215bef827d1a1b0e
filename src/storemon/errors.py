"""Every error storemon raises on purpose.

::

    StoremonError                 its text says what, where and what to try
     ├── InputError               what was given cannot be used: a flag, a date, a duration, a frame
     │    ├── FileError           a file or folder is missing, unreadable, no CSV, or short of a column
     │    └── RejectedRowsError   rows cannot be read, and the caller wanted all or nothing
     ├── LakeError                the lake cannot be read or written
     │    ├── EmptyLakeError      it holds no polls yet
     │    └── ConflictError       other writers were faster, again and again
     ├── RecordsError             the records of jobs and keys cannot be opened
     ├── ChannelError             a channel does not take a message
     ├── ClusterError             the cluster cannot be reached, or has lost too many workers
     └── StoppedError             the work was told to stop before its end

Nothing has been changed when one of these is raised, unless its text says so.
"""


class StoremonError(Exception):
    """The root: catch this one to catch all that storemon raises on purpose."""


class InputError(StoremonError):
    """What was given cannot be used."""


class FileError(InputError):
    """A file or a folder cannot be read as what it should be."""


class RejectedRowsError(InputError):
    """Rows cannot be read, and the caller asked for all or nothing."""


class LakeError(StoremonError):
    """The lake cannot be read or written."""


class EmptyLakeError(LakeError):
    """The lake holds no polls, so there is nothing to report on."""


class ConflictError(LakeError):
    """Other writers committed first, more often than is reasonable to retry."""


class RecordsError(StoremonError):
    """The records of jobs and keys cannot be opened, or are of a newer storemon."""


class ChannelError(StoremonError):
    """A channel does not take a message.

    Attributes:
        again: whether it may take it later, unchanged.
        after_s: the seconds that it asks to wait until then; None if it names none.

    """

    def __init__(self, text: str, *, again: bool = True, after_s: float | None = None) -> None:
        super().__init__(text)
        self.again = again
        self.after_s = after_s


class ClusterError(StoremonError):
    """The cluster that was to do the work cannot be reached, or it has lost the work."""


class StoppedError(StoremonError):
    """The work was told to stop before its end: it took too long, or nobody wants it any more."""
