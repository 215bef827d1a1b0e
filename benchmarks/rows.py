"""The one table at the end: what was timed, against what, and whether that is what it must be."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

TIMES = "\N{MULTIPLICATION SIGN}"
NOTHING = "-"
VERDICTS = {None: NOTHING, True: "met", False: "missed"}
_HEAD = ("what", "time", "reference in the same run", "its time", "ratio", "must be", "is it")


@dataclass(frozen=True)
class Row:
    """One line of the table, in the order of ``place``; ``met`` is None where nothing is asked for."""

    place: int
    what: str
    time: str
    reference: str = NOTHING
    reference_time: str = NOTHING
    ratio: str = NOTHING
    must_be: str = NOTHING
    met: bool | None = None


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Write rows as a Markdown table, a line at a time."""
    body = [
        (row.what, row.time, row.reference, row.reference_time, row.ratio, row.must_be, VERDICTS[row.met])
        for row in sorted(rows, key=lambda row: row.place)
    ]
    return markdown(_HEAD, body)


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a Markdown table, a line at a time."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    for line in (head, tuple("-" * width for width in widths), *body):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"


def duration(seconds: float) -> str:
    """Write a time with three digits that count."""
    return f"{_digits(seconds)} s" if seconds >= 1 else f"{_digits(seconds * 1000)} ms"


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{_digits(ratio)} {TIMES}"


def _digits(number: float) -> str:
    return f"{number:#.3g}".rstrip(".") if number < 1000 else f"{number:,.0f}"
