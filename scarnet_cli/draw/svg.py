"""Histograms and bull's eyes as inline SVG; the page's style sheet sets the colours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from markupsafe import Markup

from scarnet_cli.draw.text import SEGMENT_NAMES, count_text, number_text

_WIDTH: Final = 340
_HEIGHT: Final = 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 14, 8, 34
_MOST_BINS: Final = 16
_MOST_TICKS: Final = 200  # up to this many studies, each has a mark under the bars

# Upper limits, in percent, of Kim's classes of scar per segment (Kim et al. 2000, doi:10.1056/NEJM200011163432003).
_CLASSES: Final = (0.0, 25.0, 50.0, 75.0, math.inf)
# Segments 1-16: outer and inner radius, first angle and width in degrees, anticlockwise from 3 o'clock.
_SECTORS: Final = (
    *((100, 76, 60 + 60 * i, 60) for i in range(6)),
    *((74, 50, 60 + 60 * i, 60) for i in range(6)),
    *((48, 24, 45 + 90 * i, 90) for i in range(4)),
)


@dataclass(frozen=True, slots=True)
class Histogram:
    """The histogram of one measure.

    Attributes:
        title: Heading.
        unit: Unit of the values.
        values: One per study, without undefined values and zeros.
        summary: Text with median, quartiles and the number of studies without a value.
    """

    title: str
    unit: str
    values: tuple[float, ...]
    summary: str

    @property
    def svg(self) -> Markup:
        """The drawing; an empty string without values."""
        return draw_histogram(self.title, self.values, self.unit) if self.values else Markup("")


def bin_edges(values: Sequence[float]) -> list[float]:
    """Return the edges of at most `_MOST_BINS` bins at round numbers (1, 2, 5 x 10^n), from 0 or below."""
    low, high = min(0.0, *values), max(values)
    step = round_step(max(high - low, 1e-6), _MOST_BINS)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return [round(i * step, 10) for i in range(first, last + 1)]


def round_step(span: float, most: int) -> float:
    """Return the smallest round step (1, 2, 5 x 10^n) that divides a span into fewer than `most` parts."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) < most)


def draw_histogram(title: str, values: Sequence[float], unit: str) -> Markup:
    """Return a histogram of one or more values; each bar's tooltip gives its range and count."""
    edges = bin_edges(values)
    counts = np.histogram(values, edges)[0].tolist()
    tallest = max(counts)
    across = (_WIDTH - _LEFT - _RIGHT) / (edges[-1] - edges[0])
    up = (_HEIGHT - _TOP - _BOTTOM) / tallest
    floor = _HEIGHT - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + (value - edges[0]) * across

    label = f"{title}: histogram of {count_text(len(values), 'study', 'studies')}"
    parts = [
        Markup('<svg class="histogram" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, _HEIGHT, label)
    ]
    for value in sorted({tallest, tallest // 2} - {0}):
        y = floor - value * up
        parts.append(line("grid", _LEFT, y, _WIDTH - _RIGHT, y) + text_at("end", _LEFT - 5, y + 4, str(value)))
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            tip = f"{left:g}-{right:g} {unit}: {count_text(count, 'study', 'studies')}"
            shape = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">')
            box = shape.format(x(left) + 0.75, floor - count * up, (right - left) * across - 1.5, count * up)
            parts.append(box + Markup("<title>{}</title></rect>").format(tip))
    parts.append(line("axis", _LEFT, floor, _WIDTH - _RIGHT, floor))
    if len(values) <= _MOST_TICKS:
        parts += [line("rug", x(value), floor + 2, x(value), floor + 7) for value in values]
    every = max(1, math.ceil((len(edges) - 1) / 8))
    parts += [text_at("middle", x(edge), _HEIGHT - 16, f"{edge:g}") for edge in edges[::every]]
    parts.append(text_at("middle", (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 2, unit))
    return Markup("").join([*parts, Markup("</svg>")])


@cache
def bullseye_shapes() -> Markup:
    """Return the 17 segments as shapes `aha1` to `aha17`, defined once per page and used by all its bull's eyes.

    Segment 1 is at the top and numbers run anticlockwise, with the septum on the left (Cerqueira et al. 2002,
    doi:10.1161/hc0402.102975).
    """
    shapes = [
        Markup('<path id="aha{}" d="{}"/>').format(number, _sector(*sector))
        for number, sector in enumerate(_SECTORS, 1)
    ]
    shapes.append(Markup('<circle id="aha17" r="22"/>'))
    sides = (
        ("middle", 0, -106, "anterior"),
        ("end", -106, 4, "septal"),
        ("middle", 0, 116, "inferior"),
        ("start", 106, 4, "lateral"),
    )
    shapes.append(Markup('<g id="sides">{}</g>').format(Markup("").join(text_at(*side) for side in sides)))
    return Markup('<svg width="0" height="0" class="shapes" aria-hidden="true"><defs>{}</defs></svg>').format(
        Markup("").join(shapes)
    )


def scar_class(percent: float | None) -> str:
    """Return the style class of a segment: k0 to k4 for Kim's classes, "none" if it is undefined."""
    if percent is None:
        return "none"
    return f"k{next(i for i, most in enumerate(_CLASSES) if percent <= most)}"


def draw_bullseye(
    title: str,
    values: Sequence[float | None],
    style: Callable[[float | None], str] = scar_class,
    text: Callable[[float | None, int], str] = number_text,
) -> Markup:
    """Return a bull's eye with a number in each of the 17 segments; the page must hold `bullseye_shapes`.

    Args:
        title: What the picture shows.
        values: A percentage, or a difference of percentages, for each segment.
        style: Returns a value's style class.
        text: Returns a value with so many decimals as text.
    """
    parts = [Markup('<svg class="bullseye" viewBox="-150 -118 300 238" role="img" aria-label="{}">').format(title)]
    for number, value in enumerate(values, 1):
        tip = f"{number} {SEGMENT_NAMES[number - 1]}: {text(value, 1)} %"
        use = Markup('<use href="#aha{}" class="{}"><title>{}</title></use>')
        parts.append(use.format(number, style(value), tip))
    parts += [_segment_text(number, text(value, 0), style(value)) for number, value in enumerate(values, 1)]
    return Markup("").join([*parts, Markup('<use href="#sides"/></svg>')])


def _segment_text(number: int, text: str, style: str) -> Markup:
    """Return a segment's number as text in its middle, so that colour is not the only information."""
    x, y = 0.0, 0.0
    if number <= len(_SECTORS):
        outer, inner, start_deg, width_deg = _SECTORS[number - 1]
        angle = math.radians(start_deg + width_deg / 2)
        x, y = (outer + inner) / 2 * math.cos(angle), -(outer + inner) / 2 * math.sin(angle)
    shape = Markup('<text class="on-{}" text-anchor="middle" x="{:.1f}" y="{:.1f}">{}</text>')
    return shape.format(style, x, y + 3.5, text)


def _sector(outer: float, inner: float, start_deg: float, width_deg: float) -> str:
    """Return the path of a ring sector; angles run anticlockwise from 3 o'clock."""

    def point(radius: float, angle_deg: float) -> str:
        angle = math.radians(angle_deg)
        return f"{radius * math.cos(angle):.2f} {-radius * math.sin(angle):.2f}"

    end_deg = start_deg + width_deg
    return (
        f"M{point(outer, start_deg)}A{outer} {outer} 0 0 0 {point(outer, end_deg)}"
        f"L{point(inner, end_deg)}A{inner} {inner} 0 0 1 {point(inner, start_deg)}Z"
    )


def line(style: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a line with a style class."""
    shape = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return shape.format(style, x1, y1, x2, y2)


def text_at(anchor: str, x: float, y: float, text: str) -> Markup:
    """Return text that starts, ends or is centred at a position."""
    return Markup('<text text-anchor="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(anchor, x, y, text)
