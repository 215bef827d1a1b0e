"""How files are to be read where they are not written as usual: columns, statuses, timestamps, a sheet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from storemon.errors import InputError
from storemon.intake.forms.columns import OTHER_NAMES, folded
from storemon.lake.duck import connect

STATUSES: Mapping[str, tuple[str, ...]] = {
    "active": ("active", "up", "online", "true", "1"),
    "inactive": ("inactive", "down", "offline", "false", "0"),
}
"""The words for each status, without regard to case."""

_YEAR, _MONTH, _DAY = "%-?[Yy]", "%-?[mbB]", "%-?d"
_NAMES_A_DAY = (
    *(re.compile(sign) for sign in ("%c", "%x", "%s")),
    re.compile(f"(?=.*{_YEAR})(?=.*{_MONTH})(?=.*{_DAY})"),
    re.compile(f"(?=.*{_YEAR})(?=.*%-?j)"),
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is told of files beforehand.

    Attributes:
        columns: the name that a column has there, by its own: ``{"timestamp_utc": "Checked at"}``.
        statuses: more words for ``active`` and ``inactive``.
        timestamps: the one form of all instants, in the signs of strptime: ``%m/%d/%Y %H:%M``.
        sheet: the sheet of a workbook.

    """

    columns: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    timestamps: str | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        """Check what is told.

        Raises:
            InputError: a column or status is unknown, a word means both, or the form of timestamps names no day.

        """
        known = {folded(column): column for column in OTHER_NAMES}
        for column in self.columns:
            if folded(column) not in known:
                raise InputError(f"there is no column {column!r} to be named; there are: {', '.join(OTHER_NAMES)}")
        object.__setattr__(self, "columns", {known[folded(column)]: name for column, name in self.columns.items()})
        words = {name: [word.strip().lower() for word in given] for name, given in self.statuses.items()}
        if unknown := [name for name in words if name not in STATUSES]:
            raise InputError(f"there is no status {unknown[0]!r}; a poll is active or inactive, like active=ok,warning")
        if both := {*words.get("active", ())} & {*words.get("inactive", ())}:
            raise InputError(f"the status {min(both)!r} cannot mean both active and inactive; leave one out")
        if own := [word for name, given in words.items() for word in given if word in STATUSES and word != name]:
            raise InputError(f"{own[0]!r} is a status itself, it cannot mean the other one")
        object.__setattr__(self, "statuses", words)
        if self.timestamps is not None:
            _require_form(self.timestamps)

    def params(self, unit: int | None = None) -> dict[str, object]:
        """Give what the fields' SQL reads: the words of each status, the form of timestamps, the unit of Unix time."""
        # What was told of a word counts more than what it usually means.
        meanings = {
            word: status == "active"
            for words in (STATUSES, self.statuses)
            for status, given in words.items()
            for word in given
        }
        return {"timestamps": self.timestamps, "unit": unit, "words": [*meanings], "meanings": [*meanings.values()]}


AS_USUAL = Reading()


def _require_form(form: str) -> None:
    if not any(sign.search(form) for sign in _NAMES_A_DAY):
        raise InputError(f"{form!r} names no year, month and day; write it like %m/%d/%Y %H:%M")
    try:
        with connect() as con:
            con.execute("SELECT try_strptime('', $form)", {"form": form}).fetchall()
    except duckdb.Error as error:
        raise InputError(f"{form!r} is not a form of timestamps: {error}; write it like %m/%d/%Y %H:%M") from error
