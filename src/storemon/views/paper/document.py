"""A report's pages in PDF, by typst: tagged for those who hear them, with fonts of its own, the same bytes each time."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from storemon.errors import InputError
from storemon.units.instants import EPOCH
from storemon.views.paper.pages import pages
from storemon.views.paper.parts import Paper

_PLAIN = 0x250  # every font has the letters before it


def drawn(paper: Paper) -> bytes:
    """Draw the pages.

    Texts are data, and never markup. Characters that the fonts lack, and those that nobody sees, are written as escapes.

    Raises:
        InputError: typst is not installed.

    """
    return compiled(pages(paper), int(max(paper.as_of, EPOCH).timestamp()))


def compiled(shown: Any, at: int, form: str = "pdf", **how: Any) -> Any:
    """Let typst make a file of what ``pages`` gives, created ``at`` seconds since 1970."""
    try:
        import typst  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise InputError("to write PDF, install: pip install 'storemon[pdf]'") from error
    doubtful = {sign for sign in json.dumps(shown, ensure_ascii=False) if ord(sign) >= _PLAIN}

    def made(lacking: set[str]) -> Any:
        given = {"data": json.dumps(_escaped(shown, lacking))}
        standards = ["ua-1"] if form == "pdf" else []
        return typst.compile(
            _template(),
            ignore_system_fonts=True,
            format=form,
            sys_inputs=given,
            pdf_standards=standards,
            timestamp=at,
            **how,
        )

    try:
        return made(_lacking(doubtful))
    except typst.TypstError:
        if not doubtful:
            raise
        return made(doubtful)  # signs that no font has together


@cache
def _template() -> bytes:
    return files(__package__).joinpath("paper.typ").read_bytes()


_PROBE = b"""
#set document(title: "probe")
#set text(lang: "en", font: ("Libertinus Serif", "DejaVu Sans Mono"))
#for sign in json(bytes(sys.inputs.data)) { block(sign) }
"""


def _lacking(signs: set[str]) -> set[str]:
    """Find the signs that the fonts lack: typst says which, as a page that is tagged must not have any."""
    import typst  # noqa: PLC0415 - an extra

    if not signs:
        return set()
    given = {"data": json.dumps(sorted(signs))}
    try:
        typst.compile(_PROBE, ignore_system_fonts=True, format="pdf", sys_inputs=given, pdf_standards=["ua-1"])
    except typst.TypstError as error:
        return {sign for sign in signs if f'"{sign}"' in error.diagnostic}
    return set()


def _escaped(shown: Any, lacking: set[str]) -> Any:
    """Escape, in all texts, the signs that are lacking or can't be seen."""
    if isinstance(shown, str):
        return "".join(_seen(sign, lacking) for sign in shown)
    if isinstance(shown, dict):
        return {name: _escaped(value, lacking) for name, value in shown.items()}
    return [_escaped(value, lacking) for value in shown] if isinstance(shown, list | tuple) else shown


def _seen(sign: str, lacking: set[str]) -> str:
    if sign.isspace():
        return " "
    if sign in lacking or not sign.isprintable():
        return sign.encode("unicode_escape").decode()
    return sign
