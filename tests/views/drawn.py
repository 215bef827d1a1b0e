"""A picture read back: its bars, its marks and its words."""

from typing import NamedTuple
from xml.etree import ElementTree as ET

from storemon.answers.explanation.parts import Explanation
from storemon.views.svg import draw

HELD = ("active", "inactive", "unknown", "excluded")
_SVG = "{http://www.w3.org/2000/svg}"


class Bar(NamedTuple):
    """A rectangle that stands for time; ``us`` is None where it is no figure's."""

    held: str
    x: float
    y: float
    width: float
    height: float
    us: int | None


class Drawn(NamedTuple):
    width: float
    height: float
    bars: list[Bar]
    ground: list[Bar]
    classes: list[str]
    words: list[str]


def drawn(explanation: Explanation) -> Drawn:
    root = ET.fromstring(draw(explanation))  # noqa: S314 - it is ours
    assert root.tag == f"{_SVG}svg"
    rectangles = [_bar(each) for each in root.iter(f"{_SVG}rect")]
    return Drawn(
        float(root.get("width", 0)),
        float(root.get("height", 0)),
        [bar for bar in rectangles if bar.us is not None],
        [bar for bar in rectangles if bar.us is None],
        [class_ for each in root.findall(f"{_SVG}path") for class_ in each.get("class", "").split()],
        ["".join(each.itertext()) for each in root.iter(f"{_SVG}text")],
    )


def _bar(each: ET.Element) -> Bar:
    x, y, width, height = (float(each.get(name, 0)) for name in ("x", "y", "width", "height"))
    us = each.get("data-us")
    return Bar(each.get("class", ""), x, y, width, height, None if us is None else int(us))
