"""What `scarnet explain` prints of a study's choice."""

from made_studies import FOUR_CHAMBER, MAGNITUDE, cine, site, stack

from scarnet_cli.dicom.series.explain import WIDTH, explained
from scarnet_cli.dicom.series.rules_file import parse_rules
from scarnet_cli.dicom.series.selection import select


def lines_of(*series: list, rules: str = "") -> list[str]:  # type: ignore[type-arg]
    selection = select([frame for one in series for frame in one], site(rules))
    text = explained("0123456789abcdef", selection)
    assert max(map(len, text.splitlines())) <= WIDTH
    return text.splitlines()


def test_every_stack_is_in_the_table_in_the_order_of_preference() -> None:
    lines = lines_of(
        cine("cine_sax"),
        stack("LGE_SAX_MAG", image_type=MAGNITUDE, at=615),
        stack("LGE_SAX_PSIR", at=615),
        stack("LGE_4CH_PSIR", 1, plane=FOUR_CHAMBER),
    )
    assert lines[0] == "Study 0123456789abcdef: 4 stacks in 4 series, in the order of preference"
    assert lines[2].split() == [
        "#",
        "stack",
        "slices",
        "mm",
        "angle",
        "rep",
        "time",
        "component",
        "LGE",
        "short",
        "axis",
    ]
    assert [line.split() for line in lines[3:7]] == [
        ["1", "TAKEN", "LGE_SAX_PSIR", "9", "9.0", "0", "1", "10:15:08", "psir", "name", "name"],
        ["2", "left", "LGE_SAX_MAG", "9", "9.0", "0", "1", "10:15:08", "magnitude", "name", "name"],
        ["3", "left", "LGE_4CH_PSIR", "1", "-", "90", "1", "00:10:00", "psir", "name", "not"],
        ["4", "left", "cine_sax", "9", "9.0", "0", "25", "00:02:08", "magnitude", "not", "name"],
    ]


def test_a_stacks_reasons_name_the_rule_and_whose_it_is() -> None:
    text = " ".join(
        " ".join(lines_of(stack("Spätserie KA"), rules="- kind: lge\n  name: spätserie\n  why: our word\n")).split()
    )
    assert "why LGE short-axis stack: 9 slices" in text
    assert "LGE lge by 'spätserie' in the name (the site's rule: our word)" in text
    assert "view sax by 'ka' in the name (built-in: short axis in German" in text
    assert "rule site_rule: Rules of the site's file were applied: kind lge." in text


def test_without_a_choice_the_line_for_a_rules_file_is_given_and_works() -> None:
    study = [stack('Herz 14: "neu"'), stack("Herz 15")]
    lines = lines_of(*study)
    assert any(line.startswith("Nothing was taken (no_lge_stack): ") for line in lines)
    start = lines.index("- series: take")
    (rule,) = parse_rules("\n".join(lines[start : start + 3]), "site")
    assert rule.words == ('Herz 14: "neu"',)
    chosen = select([frame for one in study for frame in one], site("\n".join(lines[start : start + 3])))
    assert chosen.stack is not None
    assert chosen.stack.name == 'Herz 14: "neu"'


def test_where_geometry_is_against_all_no_rule_is_offered() -> None:
    lines = lines_of(stack("LGE_SAX", 3), cine("cine_sax"))
    assert "- series: take" not in lines
    assert any(line.startswith("No rule can help: ") for line in lines)


def test_series_without_a_place_and_markup_in_names_are_printed_as_they_are() -> None:
    unplaced = stack("[red]screen shots[/red]", 1, position_xyz_mm=None)
    lines = lines_of(unplaced, stack("[bold]LGE_SAX"))
    assert "Left: [red]screen shots[/red]" in lines
    assert "1. [bold]LGE_SAX" in lines


def test_a_long_name_and_one_of_wide_letters_keep_the_table_in_its_width() -> None:
    lines = lines_of(stack("LGE_SAX_" + "long" * 14), stack("心脏短轴延迟增强" * 6))
    assert any("…" in line for line in lines)
