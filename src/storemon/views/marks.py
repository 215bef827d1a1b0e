"""The marks that pictures are made of: their style, and XML written safely."""

import re
from html import escape

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

STYLE = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1f2933;\
font-variant-numeric:tabular-nums}
.title{font-size:19px;font-weight:600}.sub{font-size:12.5px;fill:#52606d}.name{font-size:12px;fill:#52606d}
.value{font-size:15px;font-weight:600}.label{font-size:12px}.small{font-size:10px;fill:#52606d}
.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:#d9dee4;stroke-width:1}.beyond{fill:#eef1f4}
.active{fill:#3d9f80}.inactive{fill:url(#storemon-down)}.unknown{fill:url(#storemon-unknown)}
.excluded{fill:url(#storemon-excluded)}.framed{stroke:#1f2933;stroke-width:1}
.open{fill:none;stroke:#1f2933;stroke-width:1}.cut{fill:none;stroke:#7b8794;stroke-width:1;stroke-dasharray:3 2}
.up{stroke:#1f6f56;stroke-width:1.3}.down{stroke:#6b1414;stroke-width:1.6;fill:none}.short{fill:#6b1414}
.edge{stroke:#1f2933;stroke-width:1.2}.clocks{stroke:#1f4e9c;stroke-width:1.4;stroke-dasharray:2 2}
"""
"""Clear in black and white too: up is plain grey, down dark and hatched, unknown light and dotted, excluded crossed."""

PATTERNS = """\
<pattern id="storemon-down" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
<rect width="6" height="6" fill="#8c1c13"/><rect width="1.6" height="6" fill="#fff"/></pattern>
<pattern id="storemon-unknown" width="5" height="5" patternUnits="userSpaceOnUse">\
<rect width="5" height="5" fill="#f3f0e6"/><circle cx="2.5" cy="2.5" r="1" fill="#7b7460"/></pattern>
<pattern id="storemon-excluded" width="7" height="7" patternUnits="userSpaceOnUse">\
<rect width="7" height="7" fill="#fff"/><path d="M0 0L7 7M7 0L0 7" stroke="#8795a1" stroke-width=".8"/></pattern>
"""


def element(name: str, content: str | None = None, **attributes: object) -> str:
    """Write an element of XML ``content`` and plain attributes: ``data_us`` as ``data-us``, ``class_`` as ``class``."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{plain(number(value))}"' for key, value in attributes.items()
    )
    return f"<{name}{written}/>" if content is None else f"<{name}{written}>{content}</{name}>"


def text(x: float, y: float, words: str, class_: str) -> str:
    """Write text, its baseline at ``y``."""
    return element("text", plain(words), x=x, y=y, class_=class_)


def line(x: float, y: float, until_y: float, class_: str) -> str:
    """Draw an upright line."""
    return element("path", d=f"M{number(x)} {number(y)}V{number(until_y)}", class_=class_)


def rectangle(
    x: float, y: float, until_x: float, height: float, *, class_: str, title: str = "", **data: object
) -> str:
    """Draw a rectangle; its edges lie on hundredths of a pixel, so that neighbours meet exactly."""
    width = round(until_x, 2) - round(x, 2)
    content = element("title", plain(title)) if title else None
    return element("rect", content, x=x, y=y, width=width, height=height, class_=class_, **data)


def poll_up(x: float, y: float) -> str:
    """Mark an active poll: an upright tick, its top at ``y``."""
    return line(x, y, y + 7, "up")


def poll_down(x: float, y: float) -> str:
    """Mark an inactive poll: a cross, its top at ``y``."""
    left, right = number(x - 3), number(x + 3)
    return element(
        "path",
        d=f"M{left} {number(y)}L{right} {number(y + 6)}M{right} {number(y)}L{left} {number(y + 6)}",
        class_="down",
    )


def short_down(x: float, y: float) -> str:
    """Point down at a stretch that is too short to see, the tip at ``y``."""
    return element("path", d=f"M{number(x)} {number(y)}l-4 -6h8z", class_="short")


def moved(mark: str, x: float, y: float) -> str:
    """Put a mark that is drawn at the origin somewhere else."""
    return element("g", mark, transform=f"translate({number(x)} {number(y)})")


def number(value: object) -> object:
    """Write a coordinate with no more than two decimals; leave anything else alone."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def plain(words: object) -> str:
    """Write text for XML; what XML cannot hold becomes a replacement character."""
    return escape(_NOT_XML.sub("\ufffd", str(words)))
