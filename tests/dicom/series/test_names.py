"""What names say, by hand and against a list of real ones that stays outside of the repository."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from scarnet_cli.dicom.series.names import merged_name, read_name, read_names
from scarnet_cli.dicom.series.rules_file import built_in_rules

REAL_NAMES = Path(__file__).parents[4] / "shared" / "data" / "series_names" / "cmr_series_descriptions.csv"


@pytest.mark.parametrize(
    ("name", "kind", "view", "component"),
    [
        ("LGE_SAX_PSIR", "lge", "sax", "psir"),
        ("tfi_psir_sax_MAG", "lge", "sax", "magnitude"),
        ("PS: SA MDE", "lge", "sax", "psir"),
        ("ORIG MAG: SA MDE", "lge", "sax", "magnitude"),
        ("DE_FB_MOCO_AVG_4CH_PSIR", "lge", "lax", "psir"),
        ("SHORT AX viability", "lge", "sax", None),
        ("Dark-blood LGE SAX", "lge", "sax", None),
        ("T2prep LGE SA fat sat", "lge", "sax", None),
        ("LGE_SA_rest", "lge", "sax", None),
        ("2DPSMDE SAX", "lge", "sax", None),
        ("AutoViab300BH SA", "lge", "sax", None),
        ("LGE_32ch_SAX", "lge", "sax", None),
        ("sax_de_psir (2)", "lge", "sax", "psir"),
        ("LE_KA", "lge", "sax", None),
        ("Kurzachse_Spätaufnahme", "lge", "sax", None),
        ("KURZACHSE SPAETAUFNAHME", "lge", "sax", None),
        ("Rehaussement tardif petit axe", "lge", "sax", None),
        ("realce tardío eje corto", "lge", "sax", None),
        ("Late aankleuring korte as", "lge", "sax", None),
        ("短軸_遅延造影", "lge", "sax", None),
        ("LGE SA LA", "lge", "mixed", None),
        ("DE_overview_LAX_AND_SAX_PSIR", "lge", "mixed", "psir"),
        ("Vierkammerblick LE", "lge", "lax", None),
        ("LGE ax", "lge", "other", None),
        ("LGE_LA_3D", "lge", "other", None),
        ("3D LGE PV", "atrium", None, None),
        ("TI Scout", "ti_scout", None, None),
        ("Cine_1_IR_RR", "ti_scout", None, None),
        ("PSIR_LL", "ti_scout", None, "psir"),
        ("cine_sax", "cine", "sax", None),
        ("SAX_FIESTA", "cine", "sax", None),
        ("SAX_FIESTA_TI=200", "lge", "sax", None),
        ("SAX TI 240 BH", "lge", "sax", None),
        ("SAX STIR TI=170", "anatomy", "sax", None),
        ("Molli post SAX", "map", "sax", None),
        ("T1 map post LGE SAX", "map", "sax", None),
        ("EGE SAX", "early", "sax", None),
        ("LGE Dixon W sax", "fat_water", "sax", None),
        ("Stress perf sax", "perfusion", "sax", None),
        ("SAX T2 STIR", "anatomy", "sax", None),
        ("SAGITTAL", None, "other", None),
        ("", None, None, None),
    ],
)
def test_name_is_read_as_a_person_would(name: str, kind: str | None, view: str | None, component: str | None) -> None:
    evidence = read_name(name)
    assert (evidence.kind, evidence.view, evidence.component) == (kind, view, component)


def test_average_and_uncorrected_copy_are_told() -> None:
    assert read_name("DE_FB_MOCO_AVG_SAX_PSIR").averaged
    assert read_name("ORIG_PS:DE_SA").uncorrected
    assert not read_name("PS:DE_SA").uncorrected


def test_a_protocol_says_what_the_description_leaves_open() -> None:
    both = read_names("SAX stack", "LGE_4CH", built_in_rules())
    assert (both.kind, both.view) == ("lge", "sax")


# What scanners and technicians do to a name without changing what it says.
VARIANTS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda name: name.replace("_", " "),
    lambda name: name.replace("_", "-"),
    lambda name: name.replace("_", "  "),
    lambda name: f"WIP_{name}",
    lambda name: f"12_{name}",
    lambda name: f"{name}_2",
    lambda name: f"{name} (3)",
    lambda name: f" {name} ",
)


def test_numbers_do_not_tell_slices_of_one_stack_apart_but_views_stay_apart() -> None:
    assert merged_name("SAX_DE_TI=240_s1") == merged_name("SAX DE TI=265 s12")
    assert merged_name("DE_2CH_TI240") != merged_name("DE_4CH_TI240")


def real_names() -> list[dict[str, str]]:
    """Return the rows of the list of real names that are labelled without doubt."""
    if not REAL_NAMES.exists():
        pytest.skip("the list of real names is not on this machine")
    with REAL_NAMES.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["label"] != "doubtful"]


@pytest.mark.parametrize("weighted", [False, True], ids=["each name once", "by count"])
@pytest.mark.parametrize("place", range(len(VARIANTS) + 1))
def test_short_axis_lge_is_told_from_real_names_with_few_mistakes(place: int, *, weighted: bool) -> None:
    varied = (lambda name: name) if place == len(VARIANTS) else VARIANTS[place]
    right = said = true = 0
    for row in real_names():
        weight = int(row["count"]) if weighted else 1
        evidence = read_name(varied(row["series_description"]))
        called, is_one = (evidence.kind, evidence.view) == ("lge", "sax"), row["label"] == "lge_sax"
        right, said, true = right + weight * (called and is_one), said + weight * called, true + weight * is_one
    assert right / said > 0.98  # precision; the goal is 0.95
    assert right / true > 0.98  # recall


def test_component_and_view_of_real_late_enhancement_names_are_told() -> None:
    views = {"lge_sax": "sax", "lge_lax": "lax", "lge_mixed": "mixed", "lge_unknown_view": None}
    rows = [row for row in real_names() if row["label"] in views]
    view = [read_name(row["series_description"]).view == views[row["label"]] for row in rows]
    component = [read_name(row["series_description"]).component == row["component"] for row in rows if row["component"]]
    assert sum(view) / len(view) > 0.98
    assert sum(component) / len(component) > 0.98
