"""One line of the table of scale: what must be, what was measured, and what it took."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.measured import Measured
from benchmarks.rows import NOTHING, VERDICTS, duration, markdown

_HEAD = ("what", "must be", "measured", "is it", "time", "CPU", "per store", "peak memory", "from disk")


@dataclass(frozen=True)
class Line:
    """One line of the table; ``met`` is None where nothing is asked for, or it was left out."""

    what: str
    measured: str
    must_be: str = NOTHING
    met: bool | None = None
    took: Measured | None = None
    stores: int = 0


def scale_table(lines: Iterable[Line]) -> Iterator[str]:
    """Write lines as a Markdown table, a line at a time."""
    return markdown(_HEAD, [_cells(line) for line in lines])


def size(count: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:,.3g} GiB"


def _cells(line: Line) -> tuple[str, ...]:
    told = (line.what, line.must_be, line.measured, VERDICTS[line.met])
    if line.took is None:
        return (*told, *[NOTHING] * 5)
    seconds, cpu_seconds, peak, read, _ = line.took
    per_store = f"{seconds / line.stores * 1e6:.3g} µs" if line.stores else NOTHING
    return (*told, duration(seconds), duration(cpu_seconds), per_store, size(peak), size(read) if read else NOTHING)
