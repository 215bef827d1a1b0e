"""Where an answer goes: to a file, as a table to a terminal, else as CSV to standard output."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from storemon.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from storemon.views.answer import Answer

TOP = 20
"""So many rows fit on a terminal."""

OutFile = Annotated[
    Path | None,
    Parameter(
        name="--out",
        help="File to write: .csv, .xlsx, .pdf (a report), or .json, .ndjson, .parquet or .arrow with exact figures "
        "(default: a table on a terminal, else CSV to standard output).",
    ),
]

_STARTED = time.perf_counter()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """Where an answer goes, and how much of it."""

    out: OutFile = None
    top: Annotated[
        int | None,
        Parameter(
            validator=Number(gte=0), help=f"So many rows only, the worst first; 0 for all (default: {TOP} in a table)."
        ),
    ] = None

    def check(self) -> None:
        """Refuse a file that can't be written, before anything is computed.

        Raises:
            InputError: it is a folder, or there is no form with its ending.

        """
        from storemon.views.export import form_of

        if self.out is not None:
            form_of(self.out)

    def document(self) -> Path | None:
        """Give the file that is to be pages that are read, if that is asked for.

        Raises:
            InputError: only some rows are asked for.

        """
        from storemon.views.export import is_document

        if self.out is None or not is_document(self.out):
            return None
        if self.top is not None:
            raise InputError("a PDF lists a few of the worst; leave out --top, or choose another form")
        return self.out

    @property
    def on_terminal(self) -> bool:
        """Tell whether a person looks at it."""
        return self.out is None and sys.stdout.isatty()

    def tell(self, answer: "Answer") -> int:
        """Write an answer to where it goes, and count its rows there.

        Raises:
            FileError: the file can't be written.

        """
        from storemon.units.zones import EDITION
        from storemon.views.export import export, form_of, save

        if self.on_terminal:
            self._draw(answer)
            return len(answer.frame)
        frames = [answer.worst_first().head(self.top)] if self.top else answer.frames
        if self.out is None:
            return export(frames, "csv", answer.legend, sys.stdout.buffer)
        form = form_of(self.out)
        count = save(self.out, lambda file: export(frames, form, answer.legend, file, answer.about))
        took = time.perf_counter() - _STARTED
        sys.stdout.write(
            f"{self.out}: {count:,} {answer.rows} as of {answer.as_of}, zone data {EDITION}, in {took:.2f} s\n"
        )
        return count

    def keep(self, out: Path, content: bytes) -> None:
        """Write a document.

        Raises:
            FileError: the file can't be written.

        """
        from storemon.views.export import write

        write(out, content)
        sys.stdout.write(f"{out}: {len(content):,} bytes, in {time.perf_counter() - _STARTED:.2f} s\n")

    def _draw(self, answer: "Answer") -> None:
        from storemon.views.table import draw_answer

        top = TOP if self.top is None else self.top or len(answer.frame)
        draw_answer(terminal(), answer, top=top, in_order=answer.in_time and not self.top)


ANYWHERE = Output()


def terminal() -> "Console":
    """Draw on standard output what is given, and nothing that looks like markup."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
