"""A question that is written behind another command, as a command of its own would be."""

from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from storemon.errors import InputError
from storemon.questions.options import Facts, Texts

Form = Annotated[str | None, Parameter(name="--format", help="The form of the file (default: csv).")]
_Read = tuple[Facts, str | None]


def asked(words: Texts) -> tuple[str, Facts, str | None]:
    """Read a command that answers with rows: its kind, its question, and its --format if it has one.

    Raises:
        InputError: it is no such command, or has other options.

    """
    from storemon.engine.question import require_one_of
    from storemon.questions.kinds import KINDS

    if not words:
        raise InputError(f"say behind -- what is asked: -- report --window last-week; there are {', '.join(KINDS)}")
    require_one_of(words[0], [*KINDS], "answer")
    app = App(name="storemon", help_flags=[], version_flags=[], default_parameter=Parameter(negative=()))
    for name, kind in KINDS.items():
        app.command(_command(kind.question), name=name)
    try:
        question, form = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise InputError(f"{' '.join(words)}: {' '.join(str(error).split())}") from error
    return words[0], question, form


def _command(kind: type[Facts]) -> Callable[..., _Read]:
    """Make a command with the options of a kind of question."""

    def command(*, question: Any = kind(), form: Form = None) -> _Read:  # noqa: B008 - it is frozen
        return question, form

    command.__annotations__["question"] = kind
    return command
