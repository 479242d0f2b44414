"""Small plots side by side that share their axes, as an SVG that opens by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.plots import Axis
from scarnet_cli.draw.svg import line, text_at

_COLUMNS: Final = 5
_CELL, _GUTTER, _LEFT, _RIGHT = 158, 18, 48, 16
_LEGEND, _TITLE, _BETWEEN, _FOOT = 34, 40, 14, 34
_MARGIN: Final = 14  # from a plot's sides to its first and last points
# Okabe and Ito's colours, which colour-blind readers can tell apart.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#666")
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.curve{fill:none;stroke-width:1.8}"
    ".grid{stroke:#ddd}.axis{stroke:#333}"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis that a row of plots shares, with its height in pixels."""

    name: str
    low: float
    high: float
    height: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Plots over one another, one for each scale.

    Attributes:
        title: Heading.
        unit: What the ticks are.
        ticks: Words under the points, from left to right.
        plots: For each scale, curve's name -> its value at each tick.
    """

    title: str
    unit: str
    ticks: tuple[str, ...]
    plots: tuple[Mapping[str, Sequence[float]], ...]


def draw_panels(label: str, scales: Sequence[Scale], panels: Sequence[Panel]) -> str:
    """Return the SVG as text, with a legend of all curves.

    Args:
        label: What the picture shows, for those who cannot see it.
        scales: Of the plots, from top to bottom.
        panels: At least one; a curve has the same name, and so the same colour, in all. There are up to four curves.
    """
    names = list(dict.fromkeys(name for panel in panels for plot in panel.plots for name in plot))
    colours = dict(zip(names, _COLOURS, strict=False))
    tall = _TITLE + sum(scale.height + _BETWEEN for scale in scales) + _FOOT
    columns = min(len(panels), _COLUMNS)
    width = _LEFT + columns * (_CELL + _GUTTER) - _GUTTER + _RIGHT
    height = _LEGEND + -(-len(panels) // _COLUMNS) * tall
    parts = [_legend(colours)]
    for number, panel in enumerate(panels):
        row, column = divmod(number, _COLUMNS)
        left, top = _LEFT + column * (_CELL + _GUTTER), _LEGEND + row * tall
        parts.append(_panel(panel, scales, colours, (left, top)))
        if column == 0:
            parts.append(_scales(scales, top))
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    ground = Markup('<style>{}</style><rect width="100%" height="100%" fill="#fff"/>').format(Markup(_STYLE))
    return Markup("").join([head.format(width, height, label), ground, *parts, Markup("</svg>\n")])


def _legend(colours: Mapping[str, str]) -> Markup:
    parts: list[Markup] = []
    x = float(_LEFT)
    for name, colour in colours.items():
        parts.append(_curve([(x, 18.0), (x + 24, 18.0)], colour, []) + text_at("start", x + 32, 22, name))
        x += 60 + 7 * len(name)
    return Markup("").join(parts)


def _scales(scales: Sequence[Scale], top: float) -> Markup:
    """Return the name and the numbers of each vertical axis, left of a row of panels."""
    shape = Markup('<text text-anchor="middle" transform="translate(12 {:.1f}) rotate(-90)">{}</text>')
    parts: list[Markup] = []
    for scale, up in _axes(scales, top):
        parts.append(shape.format((up.start + up.end) / 2, scale.name))
        parts += [text_at("end", _LEFT - 4, up.at(value) + 4, f"{value:g}") for value in up.ticks()]
    return Markup("").join(parts)


def _axes(scales: Sequence[Scale], top: float) -> list[tuple[Scale, Axis]]:
    """Return each scale with its axis, from top to bottom below a panel's upper edge."""
    ceilings = accumulate((scale.height + _BETWEEN for scale in scales), initial=top + _TITLE)
    return [
        (scale, Axis(scale.low, scale.high, ceiling + scale.height, ceiling))
        for scale, ceiling in zip(scales, ceilings, strict=False)
    ]


def _panel(panel: Panel, scales: Sequence[Scale], colours: Mapping[str, str], corner: tuple[float, float]) -> Markup:
    """Return one panel; `corner` is the x and y of its upper left corner."""
    left, top = corner
    right = left + _CELL
    across = Axis(0.0, max(len(panel.ticks) - 1.0, 1.0), left + _MARGIN, right - _MARGIN)
    title = Markup('<text class="title" text-anchor="middle" x="{:.1f}" y="{:.1f}">{}</text>')
    parts = [title.format((left + right) / 2, top + _TITLE - 12, panel.title)]
    for (scale, up), plot in zip(_axes(scales, top), panel.plots, strict=True):
        parts += [line("grid", left, up.at(value), right, up.at(value)) for value in up.ticks()]
        parts.append(line("axis", left, up.at(scale.low), right, up.at(scale.low)))
        for name, values in plot.items():
            points = [(across.at(n), up.at(value)) for n, value in enumerate(values)]
            tips = [f"{name}, {tick}: {value:.3g}" for tick, value in zip(panel.ticks, values, strict=True)]
            parts.append(_curve(points, colours[name], tips))
    floor = _axes(scales, top)[-1][1].start
    parts += [text_at("middle", across.at(n), floor + 16, tick) for n, tick in enumerate(panel.ticks)]
    parts.append(text_at("middle", (left + right) / 2, floor + 32, panel.unit))
    return Markup("").join(parts)


def _curve(points: Sequence[tuple[float, float]], colour: str, tips: Sequence[str]) -> Markup:
    """Return a line through points in pixels, with a dot and a tooltip at each point that has one."""
    route = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.6" fill="{}"><title>{}</title></circle>')
    dots = [dot.format(x, y, colour, tip) for (x, y), tip in zip(points, tips, strict=False)]
    return Markup("").join([Markup('<path class="curve" d="{}" stroke="{}"/>').format(route, colour), *dots])
