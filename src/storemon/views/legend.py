"""The legend of a picture: the marks that it has, and how it tells polls that lie close together."""

from collections.abc import Iterator, Sequence

from storemon.views import marks
from storemon.views.rows import Row

_LETTER = 5.8  # pixels: what a letter of the legend takes, about


def legend(rows: Sequence[Row], drawn: Sequence[str], left: float, top: float) -> Iterator[str]:
    """Name the marks among ``drawn`` that do not stand for a figure, in one line; and count the polls in another."""
    x = left
    for class_, mark, words in _MARKS:
        if any(f'class="{class_}"' in each for each in drawn):
            yield marks.moved(mark, x, top)
            yield marks.text(x + 30, top + 11, words, "small")
            x += 48 + _LETTER * len(words)
    polls = sum(len(row.polls) for row in rows)
    shown = sum('class="up"' in each or 'class="down"' in each for each in drawn)
    if not polls:
        return
    told = f", {shown} of them drawn: where two would touch, the inactive one is, or the first" if shown < polls else ""
    told = told if shown else ", not drawn at this size"
    yield marks.text(left, top + 28, f"{polls} poll{'' if polls == 1 else 's'} on these dates{told}", "small")


_MARKS = (
    ("open", marks.rectangle(0, 0, 22, 12, class_="open"), "open by the schedule"),
    ("cut", marks.rectangle(0, 0, 22, 12, class_="cut"), "open, but outside the window"),
    ("beyond", marks.rectangle(0, 0, 22, 12, class_="beyond"), "outside the window"),
    ("up", marks.poll_up(11, 3), "active poll"),
    ("down", marks.poll_down(11, 3), "inactive poll"),
    ("short", marks.short_down(11, 9), "down, too short to be seen"),
    ("clocks", marks.line(11, 0, 12, "clocks"), "the clocks change"),
)
