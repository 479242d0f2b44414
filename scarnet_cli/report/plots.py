"""Inline SVG of the benchmark: box plots and Bland-Altman plots. Colours come from the page's style sheet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from scarnet_cli.report.svg import line, round_step, words_at

_WIDTH: Final = 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 10, 36
_HEIGHT: Final = 230
_ROW: Final = 30  # height of one box with its name
_NAME: Final = 110  # room for the names of boxes
_WHISKER: Final = 1.5  # interquartile ranges
_MOST_TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class Point:
    """One case of a plot: its place, its name for the tooltip, and whether the expert drew scar."""

    x: float
    y: float
    name: str
    has_scar: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """Bias and limits of agreement; a limit may be undefined."""

    bias: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight axis from value to pixel."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values from end to end."""
        step = round_step(self.high - self.low, _MOST_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


def around(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis that holds all values with some room; equal values get room too."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(low), 1.0)
    return Axis(low - room, high + room, start, end)


def draw_bland_altman(title: str, points: Sequence[Point], lines: Lines, unit: str) -> Markup:
    """Return a plot of differences (y) against means (x) of at least one case, with bias and limits of agreement."""
    levels = [level for level in (lines.bias, lines.lower, lines.upper) if level is not None]
    across = around([0.0, *(p.x for p in points)], _LEFT, _WIDTH - _RIGHT)
    up = around([0.0, *levels, *(p.y for p in points)], _HEIGHT - _BOTTOM, _TOP)
    parts = [_open("plot", _HEIGHT, f"{title}: difference against mean of {len(points)} cases")]
    for value in up.ticks():
        y = up.at(value)
        parts.append(line("grid", _LEFT, y, _WIDTH - _RIGHT, y) + words_at("end", _LEFT - 5, y + 3.5, f"{value:g}"))
    parts += [words_at("middle", across.at(value), _HEIGHT - 21, f"{value:g}") for value in across.ticks()]
    parts.append(line("axis", _LEFT, up.at(0.0), _WIDTH - _RIGHT, up.at(0.0)))
    for style, level in (("bias", lines.bias), ("limit", lines.lower), ("limit", lines.upper)):
        if level is not None:
            parts.append(line(style, _LEFT, up.at(level), _WIDTH - _RIGHT, up.at(level)))
            parts.append(words_at("end", _WIDTH - _RIGHT, up.at(level) - 3, f"{level:+.1f}"))
    for point in points:
        tip = f"{point.name}: mean {point.x:.1f}, difference {point.y:+.1f} {unit}"
        parts.append(_dot(across.at(point.x), up.at(point.y), tip, has_scar=point.has_scar))
    parts.append(words_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, f"mean of model and expert, {unit}"))
    return Markup("").join([*parts, Markup("</svg>")])


def draw_boxes(title: str, groups: Sequence[tuple[str, Sequence[Point]]]) -> Markup:
    """Return box plots of values between 0 and 1, one group a row; a point's x is its value, its y is not read.

    The box is from quartile to quartile, the line in it the median; whiskers end at the last case within 1.5 boxes.
    """
    height = _TOP + _ROW * len(groups) + _BOTTOM - 16
    across = Axis(0.0, 1.0, _NAME, _WIDTH - _RIGHT)
    parts = [_open("plot", height, f"{title}: box plots of {len(groups)} models")]
    for value in across.ticks():
        x = across.at(value)
        parts.append(line("grid", x, _TOP, x, height - 20) + words_at("middle", x, height - 6, f"{value:g}"))
    for row, (name, points) in enumerate(groups):
        middle = _TOP + _ROW * (row + 0.5)
        parts.append(words_at("end", _NAME - 8, middle + 3.5, name))
        parts.append(_box(across, middle, [point.x for point in points]))
        for number, point in enumerate(points):
            # spread over the row by the golden ratio: even, and the same each time
            offset = ((number * 0.618034) % 1.0 - 0.5) * 0.5 * _ROW
            parts.append(
                _dot(across.at(point.x), middle + offset, f"{point.name}: {point.x:.3f}", has_scar=point.has_scar)
            )
    return Markup("").join([*parts, Markup("</svg>")])


def whiskers(values: Sequence[float]) -> tuple[float, float, float, float, float]:
    """Return lower whisker, quartile, median, quartile and upper whisker (Tukey's) of at least one value."""
    lower, median, upper = np.percentile(values, [25, 50, 75]).tolist()
    reach = _WHISKER * (upper - lower)
    inside = [value for value in values if lower - reach <= value <= upper + reach]
    return min(inside), lower, median, upper, max(inside)


def _box(across: Axis, middle: float, values: Sequence[float]) -> Markup:
    low, lower, median, upper, high = (across.at(value) for value in whiskers(values))
    half = 0.3 * _ROW
    shape = Markup('<rect class="box" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return (
        line("axis", low, middle, high, middle)
        + shape.format(lower, middle - half, max(upper - lower, 0.5), 2 * half)
        + line("bias", median, middle - half, median, middle + half)
    )


def _dot(x: float, y: float, tip: str, *, has_scar: bool) -> Markup:
    shape = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.4"><title>{}</title></circle>')
    return shape.format("scarred" if has_scar else "normal", x, y, tip)


def _open(style: str, height: float, label: str) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {:g}" role="img" aria-label="{}">').format(
        style, _WIDTH, height, label
    )
