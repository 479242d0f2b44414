"""Box plots, Bland-Altman plots and scatter plots as inline SVG; the page's style sheet sets the colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from scarnet_cli.draw.svg import line, round_step, text_at

_WIDTH: Final = 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 10, 36
_HEIGHT: Final = 230
_ROW: Final = 30  # height of one box with its name
_NAME: Final = 110  # room for the names of boxes
_WHISKER: Final = 1.5  # interquartile ranges
_MOST_TICKS: Final = 7
_MOST_DOTS: Final = 300  # above this, dots have no tooltips: they overlap, and the page would grow large
_LONGEST_NAME: Final = 17  # letters that fit into `_NAME`


@dataclass(frozen=True, slots=True)
class Point:
    """One case of a plot: its values, its name for the tooltip, and whether it has the colour of scar."""

    x: float
    y: float
    name: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its title and a summary of its numbers."""

    title: str
    summary: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Dot:
    """A drawn point: its position in pixels, with its tooltip."""

    x: float
    y: float
    tip: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """Bias and limits of agreement; an undefined limit is None."""

    bias: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return a value's position in pixels."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the round values along the axis."""
        step = round_step(self.high - self.low, _MOST_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


def around(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis that holds all values (at least one) with a margin, even if they are all equal."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(low), 1.0)
    return Axis(low - room, high + room, start, end)


def draw_bland_altman(
    title: str, points: Sequence[Point], lines: Lines, unit: str, between: str = "model and expert"
) -> Markup:
    """Return a plot of the differences (y) against the means (x) of one or more cases, with bias and limits."""
    levels = [level for level in (lines.bias, lines.lower, lines.upper) if level is not None]
    across = around([0.0, *(p.x for p in points)], _LEFT, _WIDTH - _RIGHT)
    up = around([0.0, *levels, *(p.y for p in points)], _HEIGHT - _BOTTOM, _TOP)
    parts = _frame(f"{title}: difference against mean of {len(points)} cases", across, up)
    parts.append(line("axis", _LEFT, up.at(0.0), _WIDTH - _RIGHT, up.at(0.0)))
    for style, level in (("bias", lines.bias), ("limit", lines.lower), ("limit", lines.upper)):
        if level is not None:
            parts.append(line(style, _LEFT, up.at(level), _WIDTH - _RIGHT, up.at(level)))
            parts.append(text_at("end", _WIDTH - _RIGHT, up.at(level) - 3, f"{level:+.1f}"))
    tip = "{}: mean {:.1f}, difference {:+.1f} " + unit
    parts.append(_draw_dots([_dot(point, across, up, tip) for point in points]))
    parts.append(text_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, f"mean of {between}, {unit}"))
    return Markup("").join([*parts, Markup("</svg>")])


def draw_scatter(title: str, points: Sequence[Point], names: tuple[str, str], unit: str) -> Markup:
    """Return a plot of one or more cases, with the line on which x and y are equal; `names` are those of x and y."""
    values = [0.0, *(value for point in points for value in (point.x, point.y))]
    across, up = around(values, _LEFT, _WIDTH - _RIGHT), around(values, _HEIGHT - _BOTTOM, _TOP)
    parts = _frame(f"{title}: {names[1]} against {names[0]} of {len(points)} cases", across, up)
    parts.append(line("axis", across.start, up.start, across.end, up.end))
    tip = f"{{}}: {names[0]} {{:.1f}}, {names[1]} {{:.1f}} {unit}"
    parts.append(_draw_dots([_dot(point, across, up, tip) for point in points]))
    parts.append(text_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, f"{names[0]}, {unit}"))
    parts.append(text_at("start", _LEFT + 4, _TOP + 8, f"{names[1]}, {unit}"))
    return Markup("").join([*parts, Markup("</svg>")])


def draw_timeline(title: str, points: Sequence[Point], slope: float | None, unit: str) -> Markup:
    """Return a plot of two or more cases over the days since the first, with the least squares line of that slope.

    Args:
        title: Name of the values.
        points: Cases; x in days.
        slope: Slope of the line, which runs through the means, in the values' unit a day; None without a line.
        unit: Unit of the values.
    """
    across = around([point.x for point in points], _LEFT, _WIDTH - _RIGHT)
    up = around([0.0, *(point.y for point in points)], _HEIGHT - _BOTTOM, _TOP)
    parts = _frame(f"{title}: {len(points)} cases over time", across, up)
    parts.append(_draw_dots([_dot(point, across, up, f"{{}}: day {{:.0f}}, {{:.2f}} {unit}") for point in points]))
    if slope is not None:
        x, y = (sum(values) / len(points) for values in zip(*((p.x, p.y) for p in points), strict=True))
        ends = [point.x for point in points]
        start, end = (up.at(y + slope * (day - x)) for day in (min(ends), max(ends)))
        parts.append(line("bias", across.at(min(ends)), start, across.at(max(ends)), end))
    parts.append(text_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, "days since the first study"))
    parts.append(text_at("start", _LEFT + 4, _TOP + 8, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def draw_paired(title: str, pairs: Sequence[tuple[Point, Point]], names: tuple[str, str], unit: str) -> Markup:
    """Return a line for each pair of points, from the first's y on the left to the second's on the right.

    Args:
        title: Name of the values.
        pairs: Cases before and after, at least one; a line is marked where its second point is.
        names: What is left and right.
        unit: Unit of the values.
    """
    up = around([0.0, *(point.y for pair in pairs for point in pair)], _HEIGHT - _BOTTOM, _TOP)
    parts = [_open("plot", _HEIGHT, f"{title}: {len(pairs)} cases, {names[0]} and {names[1]}")]
    for value in up.ticks():
        y = up.at(value)
        parts.append(line("grid", _LEFT, y, _WIDTH - _RIGHT, y) + text_at("end", _LEFT - 5, y + 3.5, f"{value:g}"))
    left, right = _LEFT + 60, _WIDTH - _RIGHT - 60
    # One path, because a cohort may have thousands of pairs.
    route = "".join(f"M{left} {up.at(first.y):.1f}L{right} {up.at(second.y):.1f}" for first, second in pairs)
    parts.append(Markup('<path class="axis" fill="none" d="{}"/>').format(route))
    dots = [
        Dot(x, up.at(point.y), f"{point.name}: {point.y:.1f} {unit}", point.marked)
        for pair in pairs
        for x, point in zip((left, right), pair, strict=True)
    ]
    parts.append(_draw_dots(dots))
    parts += [text_at("middle", x, _HEIGHT - 21, name) for x, name in zip((left, right), names, strict=True)]
    parts.append(text_at("start", _LEFT + 4, _TOP + 8, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def _frame(label: str, across: Axis, up: Axis) -> list[Markup]:
    """Return the beginning of a plot with two axes: a line at each of y's ticks, and the numbers of both."""
    parts = [_open("plot", _HEIGHT, label)]
    for value in up.ticks():
        y = up.at(value)
        parts.append(line("grid", _LEFT, y, _WIDTH - _RIGHT, y) + text_at("end", _LEFT - 5, y + 3.5, f"{value:g}"))
    return [*parts, *(text_at("middle", across.at(value), _HEIGHT - 21, f"{value:g}") for value in across.ticks())]


def _dot(point: Point, across: Axis, up: Axis, tip: str) -> Dot:
    return Dot(across.at(point.x), up.at(point.y), tip.format(point.name, point.x, point.y), point.marked)


def draw_boxes(
    title: str, groups: Sequence[tuple[str, Sequence[Point]]], bounds: tuple[float, float] = (0.0, 1.0), unit: str = ""
) -> Markup:
    """Return box plots, one row per group of one or more points; a point's x is its value, its y is ignored.

    A box spans the quartiles, with a line at the median; whiskers end at the last case within 1.5 box lengths. In a
    group that is too large for dots, only cases beyond the whiskers have one.

    Args:
        title: Name of the values.
        groups: Name and points of each row.
        bounds: Ends of the axis.
        unit: Unit to write under the axis, if any.
    """
    bottom = _BOTTOM if unit else _BOTTOM - 16
    height = _TOP + _ROW * len(groups) + bottom
    across = Axis(*bounds, _NAME, _WIDTH - _RIGHT)
    parts = [_open("plot", height, f"{title}: box plots of {', '.join(name for name, _ in groups)}")]
    for value in across.ticks():
        x = across.at(value)
        parts.append(
            line("grid", x, _TOP, x, height - bottom) + text_at("middle", x, height - bottom + 14, f"{value:g}")
        )
    if unit:
        parts.append(text_at("middle", (_NAME + _WIDTH - _RIGHT) / 2, height - 5, unit))
    for row, (name, points) in enumerate(groups):
        middle = _TOP + _ROW * (row + 0.5)
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
        parts.append(text_at("end", _NAME - 8, middle + 3.5, short))
        parts += _box_with_dots(across, middle, points, unit)
    return Markup("").join([*parts, Markup("</svg>")])


def _spread(points: Sequence[Point], across: Axis, middle: float, unit: str) -> list[Dot]:
    """Return the dots of a row, spread evenly and reproducibly over its height by the golden ratio."""
    if len(points) > _MOST_DOTS:
        low, *_, high = whiskers([point.x for point in points])
        points = [point for point in points if not low <= point.x <= high]
    tips = [f"{point.name}: {point.x:.1f} {unit}" if unit else f"{point.name}: {point.x:.3f}" for point in points]
    return [
        Dot(across.at(point.x), middle + ((n * 0.618034) % 1.0 - 0.5) * 0.5 * _ROW, tip, point.marked)
        for n, (point, tip) in enumerate(zip(points, tips, strict=True))
    ]


def whiskers(values: Sequence[float]) -> tuple[float, float, float, float, float]:
    """Return lower whisker, lower quartile, median, upper quartile and upper whisker (Tukey) of one or more values."""
    lower, median, upper = np.percentile(values, [25, 50, 75]).tolist()
    reach = _WHISKER * (upper - lower)
    inside = [value for value in values if lower - reach <= value <= upper + reach]
    return min(inside), lower, median, upper, max(inside)


def _box_with_dots(across: Axis, middle: float, points: Sequence[Point], unit: str) -> list[Markup]:
    low, lower, median, upper, high = (across.at(value) for value in whiskers([point.x for point in points]))
    half = 0.3 * _ROW
    shape = Markup('<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return [
        line("axis", low, middle, high, middle),
        shape.format(lower, middle - half, max(upper - lower, 0.5), 2 * half),
        _draw_dots(_spread(points, across, middle, unit)),
        line("bias", median, middle - half, median, middle + half),
    ]


def _draw_dots(dots: Sequence[Dot]) -> Markup:
    """Return dots with tooltips; very many become one path of round line ends per colour, in a tenth of the bytes.

    There each place has one dot, however many cases lie on it.
    """
    if len(dots) <= _MOST_DOTS:
        shape = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.4"><title>{}</title></circle>')
        return Markup("").join(shape.format(_style(dot.marked), dot.x, dot.y, dot.tip) for dot in dots)
    shape = Markup('<path class="cloud {}" d="{}"/>')
    return Markup("").join(
        shape.format(
            _style(marked),
            "".join(dict.fromkeys(f"M{dot.x:.1f} {dot.y:.1f}h0" for dot in dots if dot.marked == marked)),
        )
        for marked in (False, True)
    )


def _style(marked: bool) -> str:  # noqa: FBT001 (a column of data)
    return "scarred" if marked else "normal"


def _open(style: str, height: float, label: str) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {:g}" role="img" aria-label="{}">').format(
        style, _WIDTH, height, label
    )
