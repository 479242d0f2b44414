"""A figure as a file of its own: drawings with headings and text, on white, as SVG and as PNG."""

import re
import tempfile
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markupsafe import Markup

from scarnet_cli.draw.shades import shades_css
from scarnet_cli.draw.svg import bullseye_shapes
from scarnet_cli.files import write_bytes

_MARGIN, _GAP, _LINE = 14, 18, 15
_TITLE, _HEADING = 26, 20  # heights
_LEAST_WIDTH: Final = 420
_MOST_ACROSS: Final = 3  # drawings beside one another
_LETTER: Final = 5.4  # mean width of a letter of the text
_PNG_SCALE: Final = 3  # a plate of 420 is 1260 pixels wide: a column of 10 cm at 300 dots an inch
_JOINT: Final = "\N{NO-BREAK SPACE}"
_VIEW: Final = re.compile(r'<svg class="[\w ]+" viewBox="\S+ \S+ (\S+) (\S+)"')
# Colours of the report on paper; no variables, which few programs but browsers know.
_STYLE: Final = (
    "text{font-family:'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:10px;fill:#333}"
    ".title{font-size:14px;font-weight:bold}.heading{font-size:11px;font-weight:bold}.words{font-size:10.5px}"
    ".grid{stroke:#dce2e8}.axis{stroke:#556370}.bias{stroke:#0a6a94;stroke-width:1.6}"
    ".limit{stroke:#0a6a94;stroke-dasharray:4 3}.box{fill:#e8edf1;stroke:#556370}"
    ".bar,.normal{fill:#3f8fb5}.scarred{fill:#b85f00}.normal,.scarred{fill-opacity:.75}.rug{stroke:#556370}"
    ".cloud{fill:none;stroke-width:2.6;stroke-linecap:round;stroke-opacity:.45}"
    ".cloud.scarred{stroke:#b85f00}.cloud.normal{stroke:#3f8fb5}"
    ".flowbox{fill:#fff;stroke:#333}.flowline{stroke:#333;fill:none}.strong{font-weight:bold}"
    ".bullseye use,.shades rect{stroke:#fff;stroke-width:1.5}.none{fill:#fff}.on-none{fill:#556370}"
    ".plot text{paint-order:stroke;stroke:#fff;stroke-width:3;stroke-linejoin:round}"
    "#sides{fill:#556370;stroke:none}"
)
# The letters that Pillow's own font lacks and that drawings use, as it has them.
_PLAIN: Final = str.maketrans({"\N{EN DASH}": "-", "\N{MINUS SIGN}": "-", "\N{HORIZONTAL ELLIPSIS}": "..."})


@dataclass(frozen=True, slots=True)
class Plate:
    """A figure of one or more drawings.

    Attributes:
        name: Name of its files.
        title: Title.
        drawings: Heading (may be empty) and inline SVG of each; empty where there is nothing to draw.
        words: What stands below the drawings: numbers and tests, or why there is nothing to draw.
    """

    name: str
    title: str
    drawings: tuple[tuple[str, Markup], ...]
    words: tuple[str, ...]

    @property
    def svg(self) -> str:
        """The figure as the text of an SVG file."""
        sizes = [_size(drawing) for _, drawing in self.drawings]
        across = min(len(sizes), _MOST_ACROSS)
        cell = max((width for width, _ in sizes), default=0.0)
        width = max(_LEAST_WIDTH, 2 * _MARGIN + across * (cell + _GAP) - _GAP)
        parts = [_text("title", _MARGIN, _MARGIN + 12, self.title)]
        top = float(_MARGIN + _TITLE)
        for first in range(0, len(sizes), _MOST_ACROSS):
            row = range(first, min(first + _MOST_ACROSS, len(sizes)))
            has_heading = any(self.drawings[n][0] for n in row)
            for place, n in enumerate(row):
                heading, drawing = self.drawings[n]
                left = _MARGIN + place * (cell + _GAP)
                parts.append(_text("heading", left, top + 12, heading))
                parts.append(_placed(drawing, left, top + has_heading * _HEADING, sizes[n]))
            top += has_heading * _HEADING + max(sizes[n][1] for n in row) + _GAP
        letters = int((width - 2 * _MARGIN) / _LETTER)
        for line in (line for words in self.words for line in textwrap.wrap(_joined(words), letters)):
            parts.append(_text("words", _MARGIN, top + 4, line.replace(_JOINT, " ")))
            top += _LINE
        return str(_document(self.title, width, top + _MARGIN / 2, parts))

    def _repr_html_(self) -> str:
        """Return the figure as a notebook shows it: as an image, whose styles are not the page's."""
        content = b64encode(self.svg.encode()).decode()
        return Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(self.title, content)


def write_plate(plate: Plate, out: Path) -> None:
    """Write a figure as `out`/NAME.svg and NAME.png, each atomically; equal figures give equal bytes."""
    write_bytes(out / f"{plate.name}.svg", plate.svg.encode())
    write_bytes(out / f"{plate.name}.png", png_of(plate.svg))


def png_of(svg: str) -> bytes:
    """Return an SVG file as PNG, drawn by resvg.

    Letters are those of the font that Pillow brings along, so that every machine draws the same, even without fonts;
    letters beyond ASCII, as a group's name may have, are taken from the machine's fonts.
    """
    from PIL import ImageFont  # noqa: PLC0415 (with resvg, only where a PNG is made)
    from resvg_py import svg_to_bytes  # noqa: PLC0415

    svg = svg.translate(_PLAIN)
    font = ImageFont.load_default(12)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "font.ttf"
        path.write_bytes(getattr(font, "font_bytes", b""))
        family = font.getname()[0] if isinstance(font, ImageFont.FreeTypeFont) else None
        return svg_to_bytes(
            svg_string=svg,
            zoom=_PNG_SCALE,
            font_files=[str(path)],
            font_family=family,
            sans_serif_family=family,
            skip_system_fonts=svg.isascii(),
        )


def _document(title: str, width: float, height: float, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0:g}" height="{1:g}" viewBox="0 0 {0:g} {1:g}" role="img" '
        'aria-label="{2}"><style>{3}</style><rect width="100%" height="100%" fill="#fff"/>'
    ).format(width, height, title, Markup(_STYLE + shades_css()))
    shapes = bullseye_shapes() if any('href="#aha' in part for part in parts) else Markup("")
    return Markup("").join([head, shapes, *parts, Markup("</svg>\n")])


def _joined(words: str) -> str:
    """Return words in which no line breaks within "p = 0.02"."""
    return words.replace("p = ", f"p{_JOINT}={_JOINT}").replace("p < ", f"p{_JOINT}<{_JOINT}")


def _size(drawing: Markup) -> tuple[float, float]:
    found = _VIEW.match(drawing)
    if not found:
        message = "A drawing begins with its class and view box."
        raise ValueError(message)
    return float(found[1]), float(found[2])


def _placed(drawing: Markup, left: float, top: float, size: tuple[float, float]) -> Markup:
    place = Markup('<svg x="{:.1f}" y="{:.1f}" width="{:g}" height="{:g}" ').format(left, top, *size)
    return place + Markup(drawing.removeprefix("<svg "))


def _text(style: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(style, x, y, text)
