"""An explanation as a picture: a row for each local date, with what is held of the schedule on it.

One page of SVG by itself: no scripts, no fonts, nothing from elsewhere; clear without colours.
"""

from collections.abc import Iterator
from datetime import timedelta

from storemon.answers.explanation.parts import Explanation
from storemon.units.zones import EDITION
from storemon.views import marks
from storemon.views.legend import legend
from storemon.views.rows import COMPACT, GAP, ROOMY, SUM, THIN, THINNEST, WORDS, Row
from storemon.views.words import FIGURES, length, limit, moment

WIDTH = 1080
_MARGIN, _TOP, _AXIS, _FOOT = 28, 152, 26, 56
_LABELS = 90
_HOUR = timedelta(hours=1)


def draw(explanation: Explanation) -> str:
    """Draw an explanation; each bar tells in ``data-us`` how many microseconds it stands for, and of what."""
    rows = [*_laid_out(explanation)]
    drawn = [mark for row in rows for mark in row.drawn()]
    drawn += [mark for row in rows if row.size.detailed for mark in row.drawn_polls()]
    bottom = max((row.end for row in rows), default=_TOP)
    height = bottom + _FOOT
    content = (
        marks.element("title", marks.plain(f"Store {explanation.store_id}, {explanation.window}"), id="storemon-title"),
        marks.element("desc", marks.plain(_told(explanation)), id="storemon-desc"),
        marks.element("style", marks.STYLE),
        marks.element("defs", marks.PATTERNS),
        marks.element("rect", width=WIDTH, height=height, fill="#fff"),
        *_head(explanation),
        *_axes(rows),
        *drawn,
        *legend(rows, drawn, _MARGIN, bottom + 14),
    )
    return marks.element(
        "svg",
        "\n" + "\n".join(content) + "\n",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {marks.number(height)}",
        width=WIDTH,
        height=height,
        role="img",
        aria_labelledby="storemon-title storemon-desc",
    )


def _told(explanation: Explanation) -> str:
    """Tell in words what the picture shows, for those who hear it."""
    zone, figures = explanation.zone, explanation.figures
    sums = "; ".join(f"{WORDS[held]} {length(getattr(figures, name))}" for held, name in FIGURES.items())
    window = f"{moment(explanation.starts_at, zone)} to {moment(explanation.ends_at, zone)}"
    return f"Open time of the store from {window}, in {zone}: {sums}."


def _head(explanation: Explanation) -> Iterator[str]:
    zone, figures = explanation.zone, explanation.figures
    name = explanation.store_id if len(explanation.store_id) <= 80 else f"{explanation.store_id[:79]}…"  # noqa: PLR2004
    yield marks.text(_MARGIN, 40, f"Store {name}", "title")
    window = f"{moment(explanation.starts_at, zone)} to {moment(explanation.ends_at, zone)}"
    yield marks.text(_MARGIN, 62, f"{explanation.window}: {window}", "sub")
    yield marks.text(WIDTH - _MARGIN, 62, f"zone data {EDITION}", "small end")
    default = ", the default zone" if explanation.zone_is_default else ""
    held = f"policy {explanation.policy}, a poll is believed for {limit(explanation.carry_limit)}"
    now = "" if explanation.ends_at == explanation.as_of else f"; as of {moment(explanation.as_of, zone)}"
    yield marks.text(_MARGIN, 80, f"Local time of {zone}{default}; {held}{now}", "sub")
    known = figures.uptime + figures.downtime
    hundredths = figures.uptime * 10_000 // known if known else None
    width = (WIDTH - 2 * _MARGIN) / 5
    for place, (what, figure) in enumerate(FIGURES.items()):
        x = _MARGIN + place * width
        yield marks.element("rect", x=x, y=102, width=26, height=26, class_=f"{what} framed")
        yield marks.text(x + 34, 112, WORDS[what].capitalize(), "name")
        whole, point, fraction = length(getattr(figures, figure)).partition(".")
        small = marks.element("tspan", f"{point}{fraction}", class_="small") if point else ""
        yield marks.element("text", f"{whole}{small}", x=x + 34, y=129, class_="value")
    x = _MARGIN + 4 * width + 34
    yield marks.text(x, 112, "Availability", "name")
    share = "none known" if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02d} %"
    yield marks.text(x, 129, share, "value")


def _laid_out(explanation: Explanation) -> Iterator[Row]:
    """Give each date its place: below one another, and from a quarter of a year on also beside one another."""
    days = [day for day in explanation.schedule if day.starts_at < day.ends_at]
    size = next((size for size in (ROOMY, COMPACT, THIN) if len(days) <= size.most), THINNEST)
    across = min(4, -(-len(days) // size.most)) or 1
    width = (WIDTH - 2 * _MARGIN + 12) / across - 12  # pixels
    labels, sums = (48, 0) if size is THINNEST else (_LABELS, GAP + 4 * SUM)
    longest = max((day.ends_at - day.starts_at for day in days), default=_HOUR)
    scale = (width - labels - sums) / (longest / _HOUR)
    top = float(_TOP)
    for band in range(0, len(days), size.most * across):
        ends = []
        for panel in range(across):
            y = top + _AXIS
            for day in days[band + panel * size.most :][: size.most]:
                left = _MARGIN + panel * (width + 12) + labels
                yield (row := Row(explanation, day, size, left, y + size.above, scale, longest / _HOUR * scale))
                y = row.end
            ends.append(y)
        top = max(ends) + 12


def _axes(rows: list[Row]) -> Iterator[str]:
    """Name the hours over each column of rows, and the sums beside it."""
    before: Row | None = None
    for row in rows:
        if before is None or row.left != before.left or row.top < before.top:
            yield from _axis(row)
        before = row


def _axis(row: Row) -> Iterator[str]:
    baseline = row.top - row.size.above - 6
    for hour in range(0, 25, 6 if row.size is THINNEST else 3):
        yield marks.text(row.left + hour * row.scale, baseline, f"{hour:02d}", "small middle")
    if row.size is not THINNEST:
        for place, word in enumerate(WORDS.values(), 1):
            yield marks.text(row.left + row.width + GAP + place * SUM, baseline, word, "small end")
