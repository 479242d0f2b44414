"""Figures as files: SVG that opens by itself, and PNG of the same size on every machine."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scarnet_cli.draw.plate import Plate, png_of, write_plate
from scarnet_cli.draw.plots import Point, draw_boxes, draw_timeline
from scarnet_cli.draw.shades import shades_css, shades_for
from scarnet_cli.draw.svg import draw_bullseye

BOXES = draw_boxes("Scar", [("x", [Point(1.0, 0.0, "a", marked=False)])], (0.0, 2.0), "%")


def inked(png: bytes) -> NDArray[np.bool_]:
    """Return which pixels are not white."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")) < 250


def test_a_plate_is_an_svg_by_itself_and_a_png_three_times_as_wide(tmp_path: Path) -> None:
    write_plate(Plate("scar", "A <b> & c", (("Heading", BOXES),), ("p < 0.001.",)), tmp_path)
    root = ElementTree.parse(tmp_path / "scar.svg").getroot()
    assert (root.tag, root.get("aria-label")) == ("{http://www.w3.org/2000/svg}svg", "A <b> & c")
    picture = Image.open(tmp_path / "scar.png")
    assert picture.size == tuple(round(3 * float(root.attrib[side])) for side in ("width", "height"))
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    write_plate(Plate("again", "A <b> & c", (("Heading", BOXES),), ("p < 0.001.",)), tmp_path)
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "scar.png").read_bytes()


def test_a_plate_without_drawings_has_its_words() -> None:
    plate = Plate("none", "Agreement", (), ("Nothing to draw. " + "No study has a reference. " * 6,))
    assert "Nothing to draw." in plate.svg
    assert plate.svg.count('class="words"') >= 2  # wrapped


def test_drawings_stand_in_rows_of_three() -> None:
    svg = Plate("four", "Four", (("a", BOXES),) * 4, ()).svg
    places = re.findall(r'<svg x="([\d.]+)" y="([\d.]+)"', svg)
    assert len({x for x, _ in places}) == 3
    assert len({y for _, y in places}) == 2


def test_every_text_is_drawn_without_the_machines_fonts() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20"><rect width="80" height="20" fill="#fff"/>'
    for text in ("Scar", "\N{EN DASH}"):
        png = png_of(f'{head}<text x="4" y="14" font-size="12" font-family="Arial,sans-serif">{text}</text></svg>')
        assert inked(png).any()


def test_names_of_the_sides_are_drawn_round_a_bullseye() -> None:
    eye = draw_bullseye("Scar", [10.0] * 17, shades_for([10.0]).style)
    plate = Plate("eye", "", (("", eye),), ())
    found = inked(png_of(plate.svg))
    assert found[:, : 3 * (14 + 45)].any()  # "septal", left of the outer ring, which begins at 50 of the drawing


@pytest.mark.parametrize(
    ("values", "step", "fewest", "most"),
    [([0.0, 33.0], 5, 0, 7), ([-2.0, 1.0], 0.5, -4, 4), ([0.0], 0.2, 0, 5), ([None], 0.2, 0, 5)],
)
def test_shades_are_round_steps_that_hold_every_value(
    values: list[float | None], step: float, fewest: int, most: int
) -> None:
    shades = shades_for(values)
    assert (shades.step, shades.fewest, shades.most) == (pytest.approx(step), fewest, most)
    assert all(f".{shades.style(value)}{{" in shades_css() for value in values if value is not None)


def test_only_zero_has_no_shade_and_undefined_has_none() -> None:
    shades = shades_for([-20.0, 20.0])
    styles = [shades.style(value) for value in (0.0, 0.1, -0.1, 20.0, -20.0, None)]
    assert styles == ["s0", "s1", "s1m", "s4", "s4m", "none"]


def test_timeline_has_the_least_squares_line_through_the_means() -> None:
    points = [Point(0.0, 0.0, "a", marked=False), Point(10.0, 5.0, "b", marked=False)]
    drawing = draw_timeline("Scar", points, 0.5, "%")
    (ends,) = re.findall(r'<line class="bias" x1="(\S+)" y1="(\S+)" x2="(\S+)" y2="(\S+)"/>', drawing)
    dots = re.findall(r'cx="(\S+)" cy="(\S+)"', drawing)
    assert [*dots[0], *dots[1]] == list(ends)  # the line of two points goes through both
