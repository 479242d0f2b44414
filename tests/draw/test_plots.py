"""Box plots and Bland-Altman plots: the right places."""

import re

import pytest

from scarnet_cli.draw.plots import Axis, Lines, Point, around, draw_bland_altman, draw_boxes, draw_scatter, whiskers


def test_axis_runs_from_value_to_pixel_and_its_ticks_are_round() -> None:
    axis = Axis(-12.0, 31.0, 300.0, 0.0)
    assert (axis.at(-12.0), axis.at(31.0), axis.at(9.5)) == (300.0, 0.0, 150.0)
    assert axis.ticks() == [-10, 0, 10, 20, 30]


@pytest.mark.parametrize("values", [[0.0], [3.0, 3.0], [-2.0, 5.0], [1e-6, 2e-6]])
def test_every_value_is_inside_its_axis(values: list[float]) -> None:
    axis = around(values, 0.0, 100.0)
    assert all(0.0 < axis.at(value) < 100.0 for value in values)


def test_whiskers_end_at_the_last_value_within_reach() -> None:
    # Quartiles 2 and 4: whiskers reach to at most -1 and 7, so 20 is outside.
    assert whiskers([1.0, 2.0, 3.0, 4.0, 20.0]) == (1.0, 2.0, 3.0, 4.0, 4.0)
    assert whiskers([0.5]) == (0.5, 0.5, 0.5, 0.5, 0.5)


def test_bland_altman_plot_has_a_dot_a_case_and_names_its_lines() -> None:
    points = [Point(10.0, -2.0, "Case_P1", marked=True), Point(0.5, 1.0, "Case_N1", marked=False)]
    drawing = draw_bland_altman("Scar by unet", points, Lines(-0.5, -4.66, 3.66), "ml")
    assert re.findall(r'circle class="(\w+)"', drawing) == ["scarred", "normal"]
    assert "Case_P1: mean 10.0, difference -2.0 ml" in drawing
    assert [text for text in ("-0.5", "-4.7", "+3.7") if f">{text}<" in drawing] == ["-0.5", "-4.7", "+3.7"]


def test_bland_altman_plot_of_one_case_has_no_limits() -> None:
    drawing = draw_bland_altman("Scar", [Point(0.0, 0.0, "a", marked=False)], Lines(0.0, None, None), "ml")
    assert drawing.count('class="bias"') == 1
    assert 'class="limit"' not in drawing


def test_boxes_stand_where_the_quartiles_are() -> None:
    points = [Point(value, 0.0, f"c{value}", marked=True) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    drawing = draw_boxes("Scar", [("unet", points), ("scarnet", points[:1])])
    boxes = re.findall(r'class="box" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    # The axis is 258 pixels wide, from 110: quartiles 0.25 and 0.75 lie at 174.5 and 303.5.
    assert boxes == [("174.5", "129.0"), ("110.0", "0.5")]
    assert drawing.count("<circle") == 6


def test_markup_in_a_name_is_escaped() -> None:
    points = [Point(0.5, 0.0, "<b>", marked=True)]
    assert "<b>" not in draw_boxes("<b>", [("<b>", points)])
    assert "<b>" not in draw_bland_altman("<b>", points, Lines(0.0, None, None), "<b>")


def test_very_many_cases_are_one_path_a_colour_and_one_dot_a_place() -> None:
    points = [Point(float(n % 300), float(n // 300), f"c{n}", marked=n % 3 == 0) for n in range(3000)]
    drawing = draw_bland_altman("Scar", points * 2, Lines(0.0, None, None), "%")
    assert "<circle" not in drawing
    assert [path.count("M") for path in re.findall(r'class="cloud \w+" d="(.*?)"', drawing)] == [2000, 1000]
    assert len(drawing) < 60_000


def test_scatter_plot_has_a_dot_a_case_on_equal_axes() -> None:
    points = [Point(0.0, 10.0, "<i>", marked=True), Point(10.0, 0.0, "b", marked=False)]
    drawing = draw_scatter("Scar", points, ("old", "new"), "%")
    # Both axes run from -0.6 to 10.6: 324 pixels across from 44, 184 up from 194.
    dots = re.findall(r'circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert dots == [("scarred", "61.4", "19.9"), ("normal", "350.6", "184.1")]
    assert "&lt;i&gt;: old 0.0, new 10.0 %" in drawing


def test_large_group_has_dots_beyond_its_whiskers_only() -> None:
    points = [Point(0.5 + n / 10_000, 0.0, f"c{n}", marked=True) for n in range(1000)]
    drawing = draw_boxes("Scar", [("unet", [*points, Point(0.01, 0.0, "far", marked=True)])])
    assert re.findall(r"<title>(.*?)</title>", drawing) == ["far: 0.010"]


def test_long_name_is_cut_in_the_drawing_and_whole_in_its_label() -> None:
    drawing = draw_boxes("Scar", [("a very long name of a group", [Point(0.5, 0.0, "c", marked=True)])])
    assert ">a very long name\N{HORIZONTAL ELLIPSIS}<" in drawing
    assert "box plots of a very long name of a group" in drawing


def test_axis_of_boxes_ends_at_its_bounds_and_has_a_unit() -> None:
    drawing = draw_boxes("Mass", [("a", [Point(50.0, 0.0, "c", marked=False)])], (0.0, 100.0), "g")
    assert 'class="box" x="239.0"' in drawing  # the middle of 110 to 368
    assert ">g</text>" in drawing
    assert "c: 50.0 g" in drawing
