from xml.etree import ElementTree

from scarnet_cli.draw.panels import Panel, Scale, draw_panels

SVG = "{http://www.w3.org/2000/svg}"


def drawn(panels: int) -> ElementTree.Element:
    plots = ({"myocardium": (0.8, 0.4)}, {"scar <percent>": (20.0, 0.0)})
    scales = (Scale("Dice", 0.0, 1.0, 100), Scale("percent", 0.0, 20.0, 50))
    return ElementTree.fromstring(draw_panels("two", scales, [Panel("Blur", "mm", ("0", "4"), plots)] * panels))


def test_a_value_lies_at_its_height_on_the_scale() -> None:
    heights = [float(dot.get("cy", "nan")) for dot in drawn(1).iter(f"{SVG}circle")]
    assert heights[1] - heights[0] == 40.0  # 0.4 of 100 pixels further down
    assert heights[3] - heights[2] == 50.0


def test_panels_stand_in_rows_of_five_with_one_legend() -> None:
    root = drawn(6)
    titles = [(t.get("x"), t.get("y")) for t in root.iter(f"{SVG}text") if t.get("class") == "title"]
    assert len({y for _, y in titles}) == 2
    assert titles[0][0] == titles[5][0]
    assert sum(t.text == "scar <percent>" for t in root.iter(f"{SVG}text")) == 1
