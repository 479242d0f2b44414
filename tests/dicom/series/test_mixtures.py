"""Which stack is taken of what scanners of three vendors leave in one study."""

import numpy as np
import pytest
from made_studies import (
    FOUR_CHAMBER,
    MAGNITUDE,
    SAX,
    TWO_CHAMBER,
    choice,
    cine,
    codes,
    reason,
    site,
    stack,
    turned,
)

REAL = "ORIGINAL\\PRIMARY\\R_IR\\R\\IR"


def test_siemens_averaged_phase_sensitive_stack_is_taken_of_its_twins() -> None:
    taken, selection = choice(
        cine("cine_trufi_sax"),
        cine("cine_trufi_4ch", 1, plane=FOUR_CHAMBER),
        stack("TI_scout", 1, phases=30, at=9),
        stack("tfi_psir_sax_MAG", image_type=MAGNITUDE, at=10),
        stack("tfi_psir_sax_PSIR", image_type=MAGNITUDE, at=10),
        stack("DE_FB_sax_MOCO_MAG", image_type=MAGNITUDE, at=12),
        stack("DE_FB_sax_MOCO_PSIR", image_type=MAGNITUDE, at=12),
        stack("DE_FB_sax_MOCO_AVG_MAG", image_type=MAGNITUDE, at=12),
        stack("DE_FB_sax_MOCO_AVG_PSIR", image_type=MAGNITUDE, at=12),
        stack("DE_FB_4ch_MOCO_AVG_PSIR", 1, plane=FOUR_CHAMBER, at=13),
    )
    assert taken == "DE_FB_sax_MOCO_AVG_PSIR"
    assert {"phase_sensitive_chosen", "averaged_chosen"} <= codes(selection)
    assert reason(selection, "DE_FB_sax_MOCO_PSIR").endswith("averaged comes before single")


def test_ge_phase_sensitive_stack_is_taken_before_its_uncorrected_copy() -> None:
    taken, selection = choice(
        cine("SAX FIESTA"),
        stack("Cine IR", 1, phases=20),
        *(stack(f"{prefix}: SA 2D MDE") for prefix in ("MAG", "PS", "ORIG_MAG", "ORIG_PS")),
        stack("PS: 4CH 2D MDE", 1, plane=FOUR_CHAMBER),
    )
    assert taken == "PS: SA 2D MDE"
    assert reason(selection, "ORIG_PS: SA 2D MDE").endswith("filtered comes before its uncorrected copy")


def test_philips_corrected_real_images_are_taken_of_three_kinds_in_one_series() -> None:
    words = ("ORIGINAL\\PRIMARY\\M_IR\\M\\IR", REAL, "ORIGINAL\\PRIMARY\\CR\\R\\IR")
    series = [stack("PSIR_SA", image_type=image_type, uid="1.2.9") for image_type in words]
    _, selection = choice(*series)
    assert selection.stack is not None
    assert {frame.facts.image_type for frame in selection.stack.frames} == {words[2]}
    assert len(selection.decisions) == 3
    assert "repeated_positions" not in codes(selection)


def test_one_series_a_slice_with_twins_makes_two_stacks() -> None:
    singles = [
        [stack(f"de_sax_{twin}", image_type=MAGNITUDE, uid=f"1.2.{twin}.{i}")[i]]
        for twin in ("MAG", "PSIR")
        for i in range(9)
    ]
    taken, selection = choice(*singles)
    assert taken == "de_sax_PSIR"
    assert "merged_series" in codes(selection)
    assert sum(verdict.chosen for verdict in selection.series) == 9


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "LGE_SAX_8mm_PSIR", "gap_mm": 8.0}, {"name": "LGE_SAX_10mm_PSIR", "gap_mm": 10.0, "slices": 8}),
        ({"name": "LGE_SAX_PSIR"}, {"name": "LGE_SAX_PSIR_after_more_Gd"}),
        ({"name": "LGE_SAX_TI260_PSIR"}, {"name": "LGE_SAX_TI320_PSIR", "inversion_ms": 320.0}),
        ({"name": "LGE_SAX_PSIR"}, {"name": "Dark-blood LGE SAX PSIR"}),
        ({"name": "LGE_SAX_PSIR", "slices": 10}, {"name": "LGE_SAX_PSIR_rpt", "slices": 9}),
    ],
    ids=["thickness", "more contrast", "inversion time", "dark blood", "a slice fewer"],
)
def test_of_two_complete_stacks_the_latest_is_taken_and_flagged(first: dict, second: dict) -> None:  # type: ignore[type-arg]
    taken, selection = choice(stack(**first, at=10), stack(**second, at=16))
    assert taken == second["name"]
    assert "latest_stack_chosen" in codes(selection)
    assert reason(selection, first["name"]).endswith("the latest acquisition comes first")


def test_a_repeat_of_a_few_slices_does_not_replace_the_whole_stack() -> None:
    assert choice(stack("LGE_SAX", 10), stack("LGE_SAX_rpt", 7, at=16))[0] == "LGE_SAX"
    assert choice(stack("LGE_SAX_MAG", 10), stack("LGE_SAX_PSIR", 5, at=16))[0] == "LGE_SAX_MAG"


def test_phase_sensitive_beats_averaged_magnitude() -> None:
    assert choice(stack("DE_SAX_MOCO_AVG_MAG"), stack("DE_SAX_PSIR"))[0] == "DE_SAX_PSIR"


def test_magnitude_alone_is_taken() -> None:
    assert choice(cine(), stack("DE_SAX", image_type=MAGNITUDE))[0] == "DE_SAX"


def test_late_enhancement_by_name_beats_a_short_axis_that_only_its_header_shows() -> None:
    taken, selection = choice(stack("SAX_x", sequence="GR\\IR"), stack("delayed enhancement"))
    assert taken == "delayed enhancement"
    assert reason(selection, "SAX_x").endswith("late enhancement is better shown")


def test_an_unusual_heart_is_told_by_its_own_cine() -> None:
    # 48 degrees from the usual axis: neither short nor long axis by that alone
    heart = turned(SAX, 48)
    alone, selection = choice(stack("LGE", plane=heart))
    assert alone == "LGE"
    assert "view_uncertain" in codes(selection)
    taken, selection = choice(stack("LGE", plane=heart), cine("SHORT_AXIS", plane=heart))
    assert taken == "LGE"
    assert codes(selection) == {"view_by_direction"}
    assert "0 degrees from the long axis that another series shows" in str(selection.stack and selection.stack.notes)


def test_long_axis_views_of_a_study_show_its_axis_too() -> None:
    across = stack("LGE stack", plane=FOUR_CHAMBER)  # nine parallel slices along the heart
    views = (cine("cine_4CH", 1, plane=FOUR_CHAMBER), cine("cine_2CH", 1, plane=TWO_CHAMBER))
    taken, selection = choice(across, stack("LGE"), *views)
    assert taken == "LGE"
    assert "long axis, by its direction: 90 degrees from the long axis that 2 other series show" in reason(
        selection, "LGE stack"
    )


def test_geometry_overrules_a_name_that_says_short_axis() -> None:
    views = (cine("cine_sax"), cine("cine_4CH", 1, plane=FOUR_CHAMBER))
    taken, selection = choice(stack("LGE_SAX", plane=FOUR_CHAMBER), *views)
    assert taken is None
    assert "90 degrees from the long axis" in reason(selection, "LGE_SAX")


def test_witnesses_that_contradict_each_other_are_not_believed() -> None:
    lie = cine("cine_sax_2", plane=FOUR_CHAMBER)
    taken, selection = choice(stack("LGE"), cine("cine_sax"), lie)
    assert taken == "LGE"
    assert "degrees from the usual long axis" in str(selection.stack and selection.stack.notes)


def test_localisers_and_valve_planes_do_not_show_the_axis() -> None:
    _, selection = choice(
        stack("LGE"), stack("localizer_sax", 5, plane=FOUR_CHAMBER), cine("cine_valve_sa", 2, plane=FOUR_CHAMBER)
    )
    assert selection.decisions[0].candidate.axis.witnesses == 0


def test_short_and_long_axis_in_one_series_are_parted() -> None:
    mixed = [
        *stack("DE_overview_LAX_AND_SAX_PSIR", uid="1.2.5"),
        *stack("DE_overview_LAX_AND_SAX_PSIR", 3, plane=FOUR_CHAMBER, uid="1.2.5", series_number=5),
        *stack("DE_overview_LAX_AND_SAX_PSIR", 3, plane=TWO_CHAMBER, uid="1.2.5", series_number=6),
    ]
    _, selection = choice(mixed)
    assert selection.stack is not None
    assert len(selection.stack.frames) == 9
    assert "view_by_direction" in codes(selection)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (stack("3D LGE navigator", 60, gap_mm=1.5), "1.5 mm apart: a three-dimensional scan"),
        (stack("LGE_LA_3D", 40, gap_mm=2.5), "2.5 mm apart: a three-dimensional scan"),
        (stack("LA LGE", plane=FOUR_CHAMBER), "not short axis, by 'la' in the name"),
        (stack("LGE pulmonary veins"), "says atrium"),
        (stack("EGE_SAX_PSIR"), "says early"),
        (stack("MOLLI_post_SAX"), "says map"),
        (stack("SAX", image_type="DERIVED\\PRIMARY\\T1 MAP\\ND"), "says map by 'T1 MAP' in ImageType"),
        (stack("LGE_DIXON_SAX_W"), "says fat_water"),
        (stack("LGE_SAX", image_type="ORIGINAL\\PRIMARY\\P\\ND"), "phase or imaginary images"),
        (stack("LGE_SAX", gap_mm=15.0), "slices 15.0 mm apart; a short-axis stack has 4.5 to 12.5"),
        (stack("LGE_SAX", 3), "3 positions; a stack has at least 4"),
        (stack("LGE_SAX", phases=6), "6 frames at each position"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_the_stack_is_left_in_words(left: list, words: str) -> None:  # type: ignore[type-arg]
    taken, selection = choice(left)
    assert taken is None
    assert selection.error is not None
    assert selection.error.code == "no_lge_stack"
    assert words in selection.series[0].reason
    assert choice(left, stack("LGE_SAX_PSIR_right"))[0] == "LGE_SAX_PSIR_right"


def test_a_thick_three_dimensional_short_axis_scan_is_a_stack() -> None:
    assert choice(stack("3D_LGE_SAX", 16, gap_mm=5.0))[0] == "3D_LGE_SAX"


def test_a_series_own_protocol_counts_the_examinations_does_not() -> None:
    own, _ = choice(stack("SAX_1", protocol="LGE_SAX"), stack("SAX_2", protocol="T2_STIR_SAX"))
    assert own == "SAX_1"
    shared = "CARDIAC VIABILITY"
    taken, selection = choice(*(stack(f"SAX {i}", protocol=shared, at=i) for i in (1, 2, 3)))
    assert taken is None
    assert "none says late enhancement" in selection.series[0].reason


def test_a_sites_rule_takes_and_leaves_series() -> None:
    rules = site(
        "- series: take\n  description: Herz 14\n  why: named so in 2019\n"
        "- series: leave\n  description: lge_sax_TEST\n  why: test\n"
    )
    study = (stack("Herz 14"), stack("Herz 15"), stack("LGE_SAX_TEST", at=20))
    assert choice(*study)[0] == "LGE_SAX_TEST"
    taken, selection = choice(*study, rules=rules)
    assert taken == "Herz 14"
    assert "site_rule" in codes(selection)
    assert reason(selection, "LGE_SAX_TEST") == "left by a rule of the site's file"


def test_a_series_that_is_left_completes_no_other_stack() -> None:
    whole = stack("LGE_SAX_1", 9)
    for i, frame in enumerate(whole):  # one series a slice
        whole[i] = frame._replace(facts=frame.facts._replace(series_uid=f"1.2.{i}", description=f"LGE_SAX_{i}"))
    rules = site("- series: leave\n  description: LGE_SAX_8\n  why: moved\n")
    _, selection = choice(whole, rules=rules)
    assert selection.stack is not None
    assert len(selection.stack.frames) == 8
    assert reason(selection, "LGE_SAX_8") == "left by a rule of the site's file"


@pytest.mark.parametrize(
    "wrong",
    [
        cine("Herz 14"),
        stack("Herz 14", 60, gap_mm=1.5),
        stack("Herz 14", 3),
        stack("Herz 14", plane=FOUR_CHAMBER),
        stack("Herz 14", image_type="ORIGINAL\\PRIMARY\\P"),
    ],
    ids=["moving", "thin", "few", "long axis", "phase"],
)
def test_geometry_has_the_last_word_over_a_sites_rule(wrong: list) -> None:  # type: ignore[type-arg]
    rules = site("- series: take\n  description: Herz 14\n  why: wrong\n- kind: lge\n  name: herz\n  why: wrong\n")
    assert choice(wrong, cine(), rules=rules)[0] is None


def test_a_sites_words_for_image_type_and_sequence_count() -> None:
    rules = site(
        '- kind: lge\n  sequence: ["*tfl2d1_ir"]\n  why: research sequence\n'
        "- component: psir\n  image_type: [PHASENSENSITIV]\n  why: its word\n"
    )
    study = stack("x", sequence="GR\\SP *tfl2d1_ir", image_type="ORIGINAL\\PRIMARY\\PHASENSENSITIV")
    _, selection = choice(study, stack("y"), rules=rules)
    assert selection.stack is not None
    assert (selection.stack.name, selection.stack.component) == ("x", "psir")
    assert {"site_rule", "lge_by_header"} <= codes(selection)


def test_a_tilted_stack_is_still_taken_where_the_other_series_lie_so() -> None:
    for degrees in np.linspace(-25, 25, 5):
        plane = turned(SAX, float(degrees))
        assert choice(stack("LGE", plane=plane), cine(plane=turned(plane, 10)))[0] == "LGE"
