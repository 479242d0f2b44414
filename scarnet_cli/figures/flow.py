"""The flow of the cohort's studies as CONSORT draws it: found, left out, failed, measured, rejected, and by group."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.plate import Plate
from scarnet_cli.draw.svg import text_at
from scarnet_cli.draw.text import code_text, count_text
from scarnet_cli.figures.paper_cohort import PaperCohort
from scarnet_cli.report.measures import Row
from scarnet_cli.report.rows import doubts

_WIDTH: Final = 640
_MAIN, _SIDE = (0, 260), (320, 320)  # left edge and width of a column of boxes
_LINE, _PAD, _GAP, _INDENT = 14, 9, 18, 10
_MOST_REASONS: Final = 8  # of one box; the others are counted together
_LETTERS: Final = 50  # of a line of a box at the side
_MOST_ACROSS: Final = 4  # groups beside one another
_BEFORE: Final = frozenset({"index", "fetch"})


def flow_plate(cohort: PaperCohort) -> Plate:
    """Return the flow of the cohort's studies."""
    early = [row for row in cohort.failures if row["stage"] in _BEFORE]
    late = [row for row in cohort.failures if row["stage"] not in _BEFORE]
    found = len(cohort.measured) + len(cohort.failures)
    flagged = sum(bool(doubts(row["flags"])) for row in cohort.used)
    chart = _Chart()
    chart.box([_counted("Studies found", found)])
    chart.side([_counted("Left out", len(early)), *_reasons(early)])
    chart.box([_counted("With a stack to measure", found - len(early))])
    chart.side([_counted("Failed", len(late)), *_reasons(late, with_stage=True)])
    chart.box([_counted("Measured", len(cohort.measured))])
    chart.side([_counted("Rejected by a reader", cohort.rejected)])
    chart.box([_counted("In the analysis", len(cohort.used)), f"of these flagged for a look: {flagged:,}"])
    groups = {name: len(rows) for name, rows in cohort.groups.items()}
    if groups:
        if without := len(cohort.used) - sum(groups.values()):
            groups["none given"] = without
        chart.row([[name, f"n = {count:,}"] for name, count in groups.items()])
    words = (f"Groups: the column {cohort.by}.",) if cohort.by is not None else ()
    return Plate("flow", "Flow of the studies", (("", chart.drawing(count_text(found, "study", "studies"))),), words)


def _counted(words: str, count: int) -> str:
    return f"{words} (n = {count:,})"


def _reasons(failures: Sequence[Row], *, with_stage: bool = False) -> list[str]:
    """Return a line for each reason, the most frequent first."""
    counts = Counter((row["stage"], row["code"]) for row in failures)
    order = sorted(counts, key=lambda reason: (-counts[reason], reason))
    lines = [
        _counted(f"{stage}: {code_text(code)}" if with_stage else code_text(code), counts[stage, code])
        for stage, code in order[:_MOST_REASONS]
    ]
    rest = order[_MOST_REASONS:]
    return [*lines, *([_counted("other reasons", sum(counts[reason] for reason in rest))] if rest else [])]


class _Chart:
    """Boxes from top to bottom, joined by lines."""

    def __init__(self) -> None:
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

    def drawing(self, label: str) -> Markup:
        """Return the chart."""
        head = Markup('<svg class="flowchart" viewBox="-1 0 {} {:g}" role="img" aria-label="Flow of {}">')
        return Markup("").join([head.format(_WIDTH + 2, self._top - _GAP + 2, label), *self._parts, Markup("</svg>")])

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
