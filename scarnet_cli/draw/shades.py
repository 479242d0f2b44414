"""Shades of colour for numbers that have no classes of their own: from none to much, or from less to more."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.svg import round_step, text_at

_MOST: Final = 7  # shades on either side of zero
# After ColorBrewer's PuOr, which colour-blind readers can tell apart; the middle is zero.
_BELOW: Final = ("#ecebf5", "#d8d4e8", "#beb8da", "#a199c6", "#8576b0", "#694a9b", "#4c1d83")
_ABOVE: Final = ("#feeed5", "#fddcab", "#fcc47a", "#f4a343", "#e2831f", "#c3640f", "#96410a")
_ZERO: Final = "#f1f3f5"
_DARK: Final = frozenset({-7, -6, -5, 6, 7})  # shades on which letters are white
_CELL, _HEIGHT = 30, 34


@dataclass(frozen=True, slots=True)
class Shades:
    """A scale of shades: each value has that of the nearest multiple of `step`, and zero alone has none.

    Attributes:
        step: Difference between two shades.
        fewest: The lowest shade, 0 or below.
        most: The highest shade.
    """

    step: float
    fewest: int
    most: int

    def style(self, value: float | None) -> str:
        """Return the style class of a value; "none" if it is undefined."""
        if value is None:
            return "none"
        nearest = min(max(round(value / self.step), self.fewest), self.most)
        shade = nearest if nearest or not value else int(math.copysign(1, value))
        return f"s{abs(shade)}{'m' if shade < 0 else ''}"

    def legend(self, title: str) -> Markup:
        """Return the scale as a drawing."""
        shades = range(self.fewest, self.most + 1)
        width = _CELL * len(shades)
        parts = [
            Markup('<svg class="shades" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, _HEIGHT, title)
        ]
        box = Markup('<rect class="{}" x="{}" y="0" width="{}" height="12"/>')
        for place, shade in enumerate(shades):
            parts.append(box.format(self.style(shade * self.step), place * _CELL, _CELL))
            sign = "+" if self.fewest and shade > 0 else ""
            parts.append(text_at("middle", (place + 0.5) * _CELL, 24, f"{sign}{shade * self.step:g}"))
        return Markup("").join([*parts, Markup("</svg>")])


def shades_for(values: Iterable[float | None]) -> Shades:
    """Return a scale that holds all values in round steps; with negative ones it has as many shades below zero."""
    defined = [value for value in values if value is not None]
    greatest = max(map(abs, defined), default=0.0) or 1.0
    step = round_step(greatest, _MOST)
    most = max(1, round(greatest / step))
    return Shades(step, -most if any(value < 0 for value in defined) else 0, most)


def shades_css() -> str:
    """Return the style sheet of all shades, and of the numbers on them."""
    shades = {0: _ZERO} | {n + 1: colour for n, colour in enumerate(_ABOVE)}
    shades |= {-n - 1: colour for n, colour in enumerate(_BELOW)}
    rules = [f".s{abs(n)}{'m' if n < 0 else ''}{{fill:{colour}}}" for n, colour in shades.items()]
    letters = [f".on-s{abs(n)}{'m' if n < 0 else ''}{{fill:{'#fff' if n in _DARK else '#17202a'}}}" for n in shades]
    return "".join([*rules, *letters])
