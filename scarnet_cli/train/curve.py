"""The learning curve as an SVG: the loss over the epochs, and below it the held-out Dice of each region."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.svg import line

Points = Sequence[tuple[int, float]]

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _GAP = 720, 220, 56, 130, 16, 40
# Okabe and Ito's colours, which colour-blind readers can tell apart.
_COLOURS: Final = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7")
_TICKS: Final = 4
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}path{fill:none;stroke-width:1.8}line{stroke:#ddd}.axis{stroke:#333}"
)


def draw_curve(curves: Mapping[str, Points]) -> str:
    """Return the SVG as text.

    Args:
        curves: Name -> (epoch, value) of each epoch that has one. The first curve is the loss, on its own scale from 0;
            the others are Dice, from 0 to 1, and are left out if no case was held out.
    """
    (loss_name, loss), *others = curves.items()
    dice = {name: points for name, points in others if points}
    last = max((epoch for epoch, _ in loss), default=1)
    parts = [_panel({loss_name: loss}, _TOP, last, _ceiling(max((v for _, v in loss), default=1.0)))]
    if dice:
        parts.append(_panel(dice, _TOP + _PANEL + _GAP, last, 1.0))
    height = _TOP + len(parts) * (_PANEL + _GAP)
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    label = f"Learning curve over {last} epochs: {', '.join([loss_name, *dice])}"
    ground = Markup('<style>{}</style><rect width="100%" height="100%" fill="#fff"/>').format(Markup(_STYLE))
    return Markup("").join([head.format(_WIDTH, height, label), ground, *parts, Markup("</svg>\n")])


def _ceiling(value: float) -> float:
    """Return the next 1, 2 or 5 x 10^n above a value."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-6)))
    return next(power * factor for factor in (1, 2, 5, 10) if value <= power * factor)


def _panel(curves: Mapping[str, Points], top: float, last: int, ceiling: float) -> Markup:
    """Return one diagram with axes and a line per curve, which ends in the curve's name and latest value."""
    right, floor = _WIDTH - _RIGHT, top + _PANEL

    def x(epoch: float) -> float:
        return _LEFT + epoch / last * (right - _LEFT)

    def y(value: float) -> float:
        return floor - min(value / ceiling, 1.0) * _PANEL

    parts = [line("", _LEFT, y(v), right, y(v)) for v in _steps(ceiling)]
    parts += [_words("end", _LEFT - 6, y(v) + 4, f"{v:g}") for v in (0.0, *_steps(ceiling))]
    parts += [_words("middle", x(e), floor + 18, f"{e:g}") for e in sorted({round(s) for s in _steps(last)} - {0})]
    parts.append(line("axis", _LEFT, floor, right, floor))
    lowest = floor + 1
    # From the lowest end upwards, so that names do not overlap.
    for (name, points), colour in sorted(zip(curves.items(), _COLOURS, strict=False), key=lambda c: c[0][1][-1][1]):
        route = "M" + " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in points)
        parts.append(Markup('<path d="{}" stroke="{}"/>').format(route, colour))
        lowest = min(lowest - 14, y(points[-1][1]))
        parts.append(_words("start", right + 8, lowest + 4, f"{name} {points[-1][1]:.3f}", colour))
    return Markup("").join(parts)


def _steps(most: float) -> list[float]:
    return [most * step / _TICKS for step in range(1, _TICKS + 1)]


def _words(anchor: str, x: float, y: float, words: str, colour: str = "#333") -> Markup:
    shape = Markup('<text text-anchor="{}" x="{:.1f}" y="{:.1f}" style="fill:{}">{}</text>')
    return shape.format(anchor, x, y, colour, words)
