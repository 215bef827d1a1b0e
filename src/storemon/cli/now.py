"""The command that tells what is true now, once or again and again."""

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from storemon.cli.options import THIS_LAKE, Place
from storemon.cli.output import ANYWHERE, TOP, Output, terminal
from storemon.errors import InputError, LakeError
from storemon.questions.options import NowQuestion

if TYPE_CHECKING:
    from rich.console import Console

    from storemon.views.answer import Answer

_NOW = NowQuestion()
_EACH_SECONDS = 5
_AROUND = 8  # lines of a screen that are none of the table's rows

Watch = Annotated[
    bool, Parameter(help="Ask again every few seconds, as of the clock, until it is interrupted.", show_default=False)
]


def now(
    *, watch: Watch = False, question: NowQuestion = _NOW, place: Place = THIS_LAKE, output: Output = ANYWHERE
) -> None:
    """Tell of each store its state, and since when, open and down the longest first; or count those of groups."""
    from storemon.questions.now import answer

    output.check()
    if not watch:
        output.tell(answer(question, *place.open(question)))
        return
    if not output.on_terminal:
        raise InputError("--watch needs a terminal; leave out --out, or ask again and again without --watch")
    if question.as_of is not None:
        raise InputError("--watch tells what is true by the clock; leave out --as-of")
    _watch(question, place, output)


def _watch(question: NowQuestion, place: Place, output: Output) -> None:
    from storemon.questions.now import answer

    console = terminal()
    with console.screen(hide_cursor=True):
        while True:
            by_the_clock = replace(question, as_of="now")
            try:
                told = answer(by_the_clock, *place.open(by_the_clock))
            except LakeError as error:  # it may be in reach again the next time
                console.clear()
                console.print(str(error))
            else:
                _draw(console, told, output)
            time.sleep(_EACH_SECONDS)


def _draw(console: "Console", told: "Answer", output: Output) -> None:
    from storemon.views.table import draw_answer

    with console.capture() as drawn:
        draw_answer(console, told, top=output.top or max(1, min(TOP, console.height - _AROUND)))
    console.clear()
    sys.stdout.write(drawn.get())
    sys.stdout.flush()
