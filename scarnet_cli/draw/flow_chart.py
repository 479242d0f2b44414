"""Boxes from top to bottom, joined by lines: how many of something went where, as inline SVG."""

import textwrap
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.svg import text_at

_WIDTH: Final = 640
_MAIN, _SIDE = (0, 260), (320, 320)  # left edge and width of a column of boxes
_LINE, _PAD, _GAP, _INDENT = 14, 9, 18, 10
_LETTERS: Final = 50  # of a line of a box at the side
_MOST_ACROSS: Final = 4  # boxes beside one another


class FlowChart:
    """A flow chart, drawn as boxes are added to it."""

    def __init__(self) -> None:
        """Begin with no box."""
        self._parts: list[Markup] = []
        self._top = 1.0  # of the next box
        self._joined = False

    def box(self, lines: Sequence[str]) -> None:
        """Add a box to the main column."""
        left, width = _MAIN
        if self._joined:
            self._line(left + width / 2, self._top - _GAP, left + width / 2, self._top, arrow=True)
        self._top += self._draw(left, self._top, width, lines, "middle") + _GAP
        self._joined = True

    def side(self, lines: Sequence[str]) -> None:
        """Add a box beside the line that leaves the last one."""
        left, width = _SIDE
        wrapped = [part for line in lines for part in textwrap.wrap(line, _LETTERS)]
        height = 2 * _PAD + _LINE * len(wrapped)
        middle = _MAIN[0] + _MAIN[1] / 2
        self._draw(left, self._top, width, wrapped, "start")
        self._line(middle, self._top + height / 2, left, self._top + height / 2, arrow=True)
        self._line(middle, self._top - _GAP, middle, self._top + height + _GAP)
        self._top += height + _GAP

    def row(self, boxes: Sequence[Sequence[str]]) -> None:
        """Add boxes beside one another below the last one, in rows of at most `_MOST_ACROSS`."""
        middle = _MAIN[0] + _MAIN[1] / 2
        across = min(len(boxes), _MOST_ACROSS)
        width = (_WIDTH - (across - 1) * _GAP) / across if across > 1 else _MAIN[1]
        self._line(middle, self._top - _GAP, middle, self._top - _GAP / 2)
        for first in range(0, len(boxes), across):
            shown = boxes[first : first + across]
            centres = [n * (width + _GAP) + width / 2 for n in range(len(shown))]
            if first == 0:
                ends = [middle, *centres]
                self._line(min(ends), self._top - _GAP / 2, max(ends), self._top - _GAP / 2)
                for centre in centres:
                    self._line(centre, self._top - _GAP / 2, centre, self._top, arrow=True)
            letters = int(width / 6)
            texts = [[part for line in lines for part in textwrap.wrap(line, letters)] for lines in shown]
            height = max(map(len, texts))
            for centre, text in zip(centres, texts, strict=True):
                self._draw(centre - width / 2, self._top, width, text + [""] * (height - len(text)), "middle")
            self._top += 2 * _PAD + _LINE * height + _GAP

    def drawing(self, title: str) -> Markup:
        """Return the chart."""
        head = Markup('<svg class="flowchart" viewBox="-1 0 {} {:g}" role="img" aria-label="{}">')
        return Markup("").join([head.format(_WIDTH + 2, self._top - _GAP + 2, title), *self._parts, Markup("</svg>")])

    def _draw(self, left: float, top: float, width: float, lines: Sequence[str], anchor: str) -> float:
        height = 2 * _PAD + _LINE * len(lines)
        shape = Markup('<rect class="flowbox" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
        self._parts.append(shape.format(left, top, width, height))
        x = left + width / 2 if anchor == "middle" else left + _PAD
        indent = 0 if anchor == "middle" else _INDENT  # of what follows a box's first line
        self._parts += [
            text_at(anchor, x + (n > 0) * indent, top + _PAD + (n + 0.75) * _LINE, line) for n, line in enumerate(lines)
        ]
        return height

    def _line(self, x1: float, y1: float, x2: float, y2: float, *, arrow: bool = False) -> None:
        shape = Markup('<path class="flowline" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>')
        self._parts.append(shape.format(x1, y1, x2, y2))
        if arrow:
            head = "l-3.5 -7h7z" if x1 == x2 else "l-7 -3.5v7z"
            self._parts.append(Markup('<path d="M{:.1f} {:.1f}{}"/>').format(x2, y2, head))
