"""Histograms and bull's eyes: the right bars and the right classes."""

import re

import pytest

from scarnet_cli.draw.svg import bin_edges, bullseye_shapes, draw_bullseye, draw_histogram, scar_class


def test_edges_are_round_numbers_that_hold_every_value() -> None:
    assert bin_edges([3.0, 41.0]) == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert bin_edges([0.2]) == pytest.approx([0.02 * i for i in range(12)])


@pytest.mark.parametrize("values", [[50.0], [10.0, 100.0], [-3.0, 4.0], [1e-9], [123456.0, 3.0]])
def test_every_value_is_inside_the_edges(values: list[float]) -> None:
    edges = bin_edges(values)
    assert edges[0] <= min(values)
    assert max(values) < edges[-1]
    assert 2 <= len(edges) <= 19


def test_bars_count_the_values() -> None:
    drawing = draw_histogram("Scar", [1.0, 2.0, 12.0], "%")
    assert re.findall(r"<title>(.*?)</title>", drawing) == ["1-2 %: 1 study", "2-3 %: 1 study", "12-13 %: 1 study"]


def test_tallest_bar_is_twice_as_high_as_a_bar_of_half_its_count() -> None:
    drawing = draw_histogram("Scar", [1.0, 1.0, 12.0], "%")
    heights = [float(height) for height in re.findall(r'class="bar"[^>]* height="([\d.]+)"', drawing)]
    assert heights == [108.0, 54.0]


def test_markup_in_a_title_is_escaped() -> None:
    assert "<b>" not in draw_histogram("<b>", [1.0], "<b>")


@pytest.mark.parametrize(
    ("percent", "style"),
    [(None, "none"), (0.0, "k0"), (0.1, "k1"), (25.0, "k1"), (25.1, "k2"), (50.0, "k2"), (75.0, "k3"), (100.0, "k4")],
)
def test_segment_has_kims_class(percent: float | None, style: str) -> None:
    assert scar_class(percent) == style


def test_bullseye_has_every_segment_once_in_order() -> None:
    percents: list[float | None] = [0.0] * 17
    percents[6], percents[16] = 80.0, None
    drawing = draw_bullseye("Scar", percents)
    found = re.findall(r'href="#aha(\d+)" class="(\w+)"', drawing)
    assert [int(number) for number, _ in found] == list(range(1, 18))
    assert [style for _, style in found] == ["k0"] * 6 + ["k4"] + ["k0"] * 9 + ["none"]
    assert "7 mid anterior: 80.0 %" in drawing


def test_segments_percent_is_written_in_its_middle() -> None:
    percents: list[float | None] = [12.0, *[0.0] * 15, None]
    drawing = draw_bullseye("Scar", percents)
    # Segment 1 is the top of the outer ring, from 76 to 100: its middle is at 88, the letters' foot 3.5 lower.
    assert '<text class="on-k1" text-anchor="middle" x="0.0" y="-84.5">12</text>' in drawing
    assert '<text class="on-none" text-anchor="middle" x="0.0" y="3.5">\N{EN DASH}</text>' in drawing


def test_segments_lie_where_the_aha_model_has_them() -> None:
    shapes = bullseye_shapes()
    # Segment 1 (anterior) runs over the top from 60 to 120 degrees: x from 50 to -50 at y -86.6, up being negative.
    assert 'id="aha1" d="M50.00 -86.60A100 100 0 0 0 -50.00 -86.60' in shapes
    # Segment 4 (inferior) runs through the bottom, segment 14 (apical septal) through the left.
    assert 'id="aha4" d="M-50.00 86.60A100 100 0 0 0 50.00 86.60' in shapes
    assert 'id="aha14" d="M-33.94 -33.94A48 48 0 0 0 -33.94 33.94' in shapes
