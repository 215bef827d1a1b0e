"""A report's pages in PDF, by typst: tagged for those who hear them, in its own fonts, each time the same bytes."""

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from storemon.errors import InputError
from storemon.units.instants import EPOCH
from storemon.views.paper.charts import Shown
from storemon.views.paper.pages import pages
from storemon.views.paper.parts import Paper

if TYPE_CHECKING:
    from typst import Compiler

_ON_ALL_FONTS = 0x250  # the letters before it
_PROBE = b"""
#set document(title: "Which signs there are")
#set text(lang: "en", font: ("Libertinus Serif", "DejaVu Sans Mono"))
#for sign in json(bytes(sys.inputs.data)) { block(sign) }
"""


def drawn(paper: Paper) -> bytes:
    """Draw the pages as PDF/UA-1. Texts are data, and never markup.

    Signs that the fonts lack, and those that nobody sees, are written as escapes.

    Raises:
        InputError: typst is not installed.

    """
    (file,) = compiled(pages(paper), "pdf", at=int(max(paper.as_of, EPOCH).timestamp()))
    return file


def compiled(shown: Shown, form: Literal["pdf", "png"], *, at: int = 0, ppi: float = 144) -> list[bytes]:
    """Let typst draw what `pages` gives: a PDF that says it was made ``at`` seconds since 1970, or a PNG for each page.

    Raises:
        InputError: typst is not installed.

    """
    try:
        from typst import Compiler, TypstError  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise InputError("to write PDF, install: pip install 'storemon[pdf]'") from error

    def made(lacking: set[str]) -> list[bytes]:
        compiler = _compiler(Compiler, _template(), _escaped(shown, lacking))
        made = compiler.compile(format=form, ppi=ppi, timestamp=at, pdf_standards=["ua-1"] if form == "pdf" else [])
        return [made] if isinstance(made, bytes) else made or []

    doubtful = {sign for sign in json.dumps(shown, ensure_ascii=False) if ord(sign) >= _ON_ALL_FONTS}
    try:
        return made(_lacking(doubtful))
    except TypstError:
        if not doubtful:
            raise
        return made(doubtful)  # each sign is in a font, but some are not together in one


def _compiler(kind: Any, template: bytes, data: object) -> "Compiler":
    made: Compiler = kind(template, ignore_system_fonts=True, sys_inputs={"data": json.dumps(data)})
    return made


@cache
def _template() -> bytes:
    return files(__package__).joinpath("paper.typ").read_bytes()


def _lacking(signs: set[str]) -> set[str]:
    """Find the signs that the fonts lack: typst names them, as tagged pages must not have any."""
    from typst import Compiler, TypstError  # noqa: PLC0415 - an extra

    try:
        _compiler(Compiler, _PROBE, sorted(signs)).compile(format="pdf", pdf_standards=["ua-1"])
    except TypstError as error:
        return {sign for sign in signs if f'"{sign}"' in error.diagnostic}
    return set()


def _escaped(shown: object, lacking: set[str]) -> object:
    """Escape, in all texts, the signs that are lacking or can't be seen."""
    match shown:
        case str():
            return "".join(_seen(sign, lacking) for sign in shown)
        case dict():
            return {name: _escaped(value, lacking) for name, value in shown.items()}
        case list() | tuple():
            return [_escaped(value, lacking) for value in shown]
        case _:
            return shown


def _seen(sign: str, lacking: set[str]) -> str:
    if sign == "\n" or (sign.isprintable() and sign not in lacking):
        return sign
    return " " if sign.isspace() else sign.encode("unicode_escape").decode()
