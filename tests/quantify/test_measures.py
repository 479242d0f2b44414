"""Shells with a wedge of scar, on every way of storing a stack, against answers worked out on paper."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from shells import SCAR, Grid, Shell, Wedge, defined, flags_but_a_tubes, heart_coordinates, make_shell

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.measures import measure_study
from scarnet_cli.quantify.parts import percent_of, volume_ml
from scarnet_cli.tables.columns import cells_of

GRIDS = [
    Grid(slices, spacing, turn, apex_first, mirrored)
    for (slices, spacing, turn), apex_first, mirrored in itertools.product(
        [(9, (9.0, 1.3, 1.6), 20.0), (12, (6.0, 1.1, 1.1), -65.0), (6, (13.0, 1.6, 1.2), 155.0)],
        [False, True],
        [False, True],
    )
]
RING_MM2 = math.pi * (32.0**2 - 22.0**2)


def _dark_axial(labels: NDArray[np.uint8]) -> tuple[Volume, Volume]:
    """Return image and labels on a plain grid of 8 x 2 x 1 mm; all signal is 0."""
    grid = Volume(labels, (8.0, 2.0, 1.0), (0.0, 0.0, 0.0), np.eye(3))
    return grid.with_array(np.zeros(labels.shape)), grid


def test_volume_uses_the_spacing_of_every_axis() -> None:
    mask = np.zeros((3, 10, 10), bool)
    mask[1, 4:6, 4:8] = True
    # 8 voxels x (8.0 x 1.5 x 1.25) mm3 = 120 mm3
    assert volume_ml(mask, (8.0, 1.5, 1.25)) == pytest.approx(0.12)


def test_percent_of_an_empty_region_is_undefined() -> None:
    assert percent_of(np.ones((2, 2), bool), np.zeros((2, 2), bool)) is None


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("depth", [0.5, 1.0])
def test_wedge_is_measured_as_on_paper_however_the_stack_is_stored(grid: Grid, depth: float) -> None:
    # 90 degrees wide, from the endocardium at 22 mm to 22 + 10 x depth mm
    image, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0), (0.0, depth)), noise=2.0), grid)
    measures = measure_study(image, labels)
    scan = measures.scan
    length_mm = grid.slices * grid.spacing_zyx_mm[0]
    outer_mm = 22.0 + 10.0 * depth
    assert scan.myocardium_ml == pytest.approx(RING_MM2 * length_mm / 1000, rel=0.01)
    assert scan.myocardium_g == pytest.approx(1.05 * scan.myocardium_ml)
    assert scan.blood_pool_ml == pytest.approx(math.pi * 22.0**2 * length_mm / 1000, rel=0.01)
    assert scan.scar_percent_lv == pytest.approx(100 * math.pi * (outer_mm**2 - 22.0**2) / 4 / RING_MM2, abs=0.5)
    assert scan.transmurality_mean == pytest.approx(100 * depth, abs=3)
    assert scan.wall.endocardial_extent_percent == pytest.approx(25.0, abs=1)
    # all scar is 200, all remote myocardium 50 +- 2: each threshold finds the wedge again; the border is noise's tail
    assert scan.thresholds.scar_5sd_percent == pytest.approx(scan.scar_percent_lv, abs=0.01)
    assert scan.thresholds.scar_fwhm_percent == scan.thresholds.core_percent == scan.scar_percent_lv
    assert scan.thresholds.border_percent == pytest.approx(0.0, abs=0.2)
    assert scan.wall.wall_thickness_mm == pytest.approx(10.0, abs=0.3)
    assert scan.scar_components == 1
    assert scan.largest_scar_ml == pytest.approx(scan.scar_ml)
    assert flags_but_a_tubes(measures.flags) == ()


# The middle of each segment: its angle from the anterior RV insertion through the septum, and its part of the length.
SEGMENT_MIDDLES = {
    **{segment: (30.0 + 60.0 * k, 1 / 6) for k, segment in enumerate((2, 3, 4, 5, 6, 1))},
    **{segment: (30.0 + 60.0 * k, 1 / 2) for k, segment in enumerate((8, 9, 10, 11, 12, 7))},
    **{segment: (60.0 + 90.0 * k, 5 / 6) for k, segment in enumerate((14, 15, 16, 13))},
}


@pytest.mark.parametrize("segment", SEGMENT_MIDDLES)
@pytest.mark.parametrize("grid", GRIDS[:4], ids=str)
def test_wedge_lies_in_its_segment_alone(segment: int, grid: Grid) -> None:
    angle, length = SEGMENT_MIDDLES[segment]
    wedge = Wedge((angle - 20, angle + 20), (0.0, 0.5), (length - 1 / 6, length + 1 / 6))
    image, labels = make_shell(Shell(wedge=wedge), grid)
    measures = measure_study(image, labels)
    found = {row.segment: row for row in measures.segments}
    assert [row.segment for row in measures.segments if row.scar_ml] == [segment]
    assert found[segment].scar_ml == pytest.approx(measures.scan.scar_ml)
    # the inner half of the wall, (27^2 - 22^2) / (32^2 - 22^2) of it, over 40 degrees of 60 (of 90 at the apex)
    inner = (27.0**2 - 22.0**2) / (32.0**2 - 22.0**2)
    width_deg = 60 if segment < 13 else 90
    assert found[segment].scar_percent == pytest.approx(100 * inner * 40 / width_deg, abs=2)
    assert found[segment].transmurality == pytest.approx(50.0, abs=3)
    assert {row.transmurality for row in measures.segments if row.segment not in (segment, 17)} == {0.0}
    assert found[17].transmurality is None


def test_slices_sum_up_to_the_whole_and_know_their_level() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((0.0, 60.0), length=(0.0, 2 / 3))), Grid(slices=9, apex_first=True))
    measures = measure_study(image, labels)
    assert [row.level for row in measures.slices] == ["apex"] * 3 + ["mid"] * 3 + ["base"] * 3
    assert sum(row.scar_mm2 for row in measures.slices) * 9.0 / 1000 == pytest.approx(measures.scan.scar_ml)
    heights = np.array([row.z_mm for row in measures.slices])
    assert np.diff(heights) == pytest.approx(9.0)  # rises towards the base, which is stored last
    assert [row.scar_percent for row in measures.slices[:3]] == [0.0, 0.0, 0.0]


def test_mvo_counts_as_scar_by_every_method() -> None:
    shell = Shell(wedge=Wedge((10.0, 130.0)), mvo_depth=(0.2, 0.5), noise=2.0)
    image, labels = make_shell(shell)
    scan = measure_study(image, labels).scan
    # depths 0.2 to 0.5 are radii 24 to 27 mm; a third of the ring
    assert scan.mvo_percent_lv == pytest.approx(100 * math.pi * (27.0**2 - 24.0**2) / 3 / RING_MM2, abs=0.5)
    assert scan.scar_percent_lv == pytest.approx(100 / 3, abs=0.5)
    assert (
        scan.thresholds.scar_6sd_percent
        == scan.thresholds.scar_fwhm_percent
        == scan.thresholds.core_percent
        == scan.scar_percent_lv
    )
    assert scan.transmurality_mean == pytest.approx(100.0, abs=3)
    assert image.array[labels.array == 4].max() < SCAR / 2  # dark: no threshold would have found it


def test_two_wedges_are_two_components_and_the_larger_is_named() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((0.0, 90.0))))
    _, other = make_shell(Shell(wedge=Wedge((180.0, 225.0))))
    both = labels.with_array(np.maximum(labels.array, other.array))
    scan = measure_study(image, both).scan
    assert scan.scar_components == 2
    assert scan.largest_scar_ml == pytest.approx(scan.scar_ml * 2 / 3, rel=0.02)


def test_empty_labels_have_no_volume_and_nothing_else() -> None:
    image, labels = _dark_axial(np.zeros((3, 6, 6), np.uint8))
    measures = measure_study(image, labels)
    assert flags_but_a_tubes(measures.flags) == ("no_myocardium",)
    assert (measures.scan.myocardium_ml, measures.scan.scar_ml, measures.scan.scar_components) == (0.0, 0.0, 0)
    undefined = (
        "scar_percent_lv",
        "mvo_percent_lv",
        "scar_5sd_percent_lv",
        "scar_fwhm_percent_lv",
        "transmurality_mean",
    )
    cells = cells_of(measures.scan)
    assert [cells[name] for name in undefined] == [None] * 5
    assert [row.scar_percent for row in measures.slices] == [None] * 3
    assert [row.scar_percent for row in measures.segments] == [None] * 17


def test_blood_pool_without_myocardium_has_its_volume() -> None:
    labels = np.zeros((3, 6, 6), np.uint8)
    labels[1, 2:4, 2:4] = 1
    measures = measure_study(*_dark_axial(labels))
    scan = measures.scan
    assert scan.blood_pool_ml == pytest.approx(4 * 16 / 1000)  # 4 voxels of 16 mm3
    assert flags_but_a_tubes(measures.flags) == ("no_myocardium",)


def test_no_scar_is_a_true_zero_and_its_transmurality_undefined() -> None:
    measures = measure_study(*make_shell(Shell(noise=2.0)))
    scan = measures.scan
    assert (scan.scar_ml, scan.scar_percent_lv, scan.thresholds.scar_fwhm_percent, scan.thresholds.core_percent) == (
        0.0,
        0.0,
        0.0,
        0.0,
    )
    assert scan.thresholds.border_percent == 0
    assert scan.thresholds.scar_6sd_percent == pytest.approx(0.0, abs=0.1)
    assert scan.transmurality_mean is None
    assert scan.wall.chords_0_percent == 100
    assert flags_but_a_tubes(measures.flags) == ("no_scar",)


def test_scar_everywhere_leaves_no_remote_region() -> None:
    measures = measure_study(*make_shell(Shell(wedge=Wedge((0.0, 359.9999)), noise=2.0)))
    scan = measures.scan
    assert scan.scar_percent_lv == pytest.approx(100.0, abs=0.1)
    assert (scan.thresholds.scar_2sd_percent, scan.thresholds.border_percent, scan.remote_pixels) == (None, None, 0)
    assert scan.thresholds.scar_fwhm_percent == pytest.approx(100.0, abs=0.1)
    assert scan.transmurality_mean == pytest.approx(100.0, abs=0.5)
    assert flags_but_a_tubes(measures.flags) == ("no_remote",)


def test_one_slice_is_mid_ventricular_and_flagged() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=1))
    measures = measure_study(image, labels)
    assert [row.segment for row in measures.segments if row.scar_ml] == [9]
    assert flags_but_a_tubes(measures.flags) == ("few_slices",)
    assert measures.scan.myocardium_ml == pytest.approx(RING_MM2 * 9.0 / 1000, rel=0.01)


def test_myocardium_in_two_pieces_is_measured_whole_and_flagged() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=9))
    cut = labels.array.copy()
    cut[4] = 0
    measures = measure_study(image, labels.with_array(cut))
    assert flags_but_a_tubes(measures.flags) == ("missing_slice", "myocardium_in_pieces")
    assert measures.scan.myocardium_ml == pytest.approx(RING_MM2 * 8 * 9.0 / 1000, rel=0.01)
    assert measures.slices[4].level is None
    assert measures.slices[4].scar_percent is None


def test_mvo_without_scar_counts_as_scar_and_is_flagged() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0))
    only_mvo = np.where(labels.array == 3, 4, labels.array)
    measures = measure_study(image, labels.with_array(only_mvo))
    scan = measures.scan
    assert flags_but_a_tubes(measures.flags) == ("mvo_without_scar",)
    assert scan.scar_percent_lv == scan.mvo_percent_lv == scan.thresholds.scar_fwhm_percent
    assert scan.half_of is None


def test_slice_all_of_scar_borrows_the_nearest_remote_region() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5))
    scarred = labels.array.copy()
    scarred[3][scarred[3] == 2] = 3
    measures = measure_study(image, labels.with_array(scarred))
    assert [row.remote and row.remote.remote_slice for row in measures.slices] == [0, 1, 2, 2, 4]
    # that slice is as dark as healthy myocardium, so no method finds the scar that its labels say
    assert flags_but_a_tubes(measures.flags) == ("remote_borrowed", "methods_disagree")


def test_wall_without_any_cavity_has_volume_and_no_chords() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0))
    solid = np.where(labels.array == 1, 2, labels.array)
    measures = measure_study(image, labels.with_array(solid))
    # the blood in it is as bright as scar
    assert flags_but_a_tubes(measures.flags) == ("no_cavity", "low_scar_contrast")
    assert (measures.scan.transmurality_mean, measures.scan.wall.wall_thickness_mm) == (None, None)
    assert measures.scan.myocardium_ml == pytest.approx(math.pi * 32.0**2 * 81.0 / 1000, rel=0.01)


def test_shape_of_a_wedge_in_every_table() -> None:
    # the inner half of a quarter, all along: sides of 5 mm, an arc of a quarter of 27 mm's circle
    image, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0), (0.0, 0.5)), noise=2.0), Grid(slices=9))
    measures = measure_study(image, labels)
    slice_mm2 = 9.0 * (2 * 5.0 + math.pi / 2 * 27.0)
    assert measures.scan.shape.scar_interface_mm2 == pytest.approx(9 * slice_mm2, rel=0.09)
    radius = 2 / 3 * (27.0**3 - 22.0**3) / (27.0**2 - 22.0**2)
    assert measures.scan.shape.scar_radiality == pytest.approx((radius - 22.0) / 10.0, abs=0.02)
    for row in measures.slices:
        assert row.shape.scar_interface_mm2 == pytest.approx(slice_mm2, rel=0.12)
        assert row.shape.scar_radiality == pytest.approx((radius - 22.0) / 10.0, abs=0.03)
        assert row.wall.wall_thickness_mm == pytest.approx(10.0, abs=0.4)
        assert row.wall.endocardial_extent_percent == pytest.approx(25.0, abs=1.5)
        assert row.wall.chords_26_50_percent is not None
        assert row.wall.chords_51_75_percent is not None
        assert row.wall.chords_26_50_percent + row.wall.chords_51_75_percent == pytest.approx(25.0, abs=1.5)
    third = next(row for row in measures.segments if row.segment == 9)  # 60 to 120 degrees: 45 of them scar
    assert third.wall.chords_0_percent == pytest.approx(100 * 15 / 60, abs=3)
    assert third.thresholds.scar_fwhm_percent == third.thresholds.scar_5sd_percent == third.scar_percent
    assert third.myocardium_g == pytest.approx(1.05 * defined(third.myocardium_ml))


def test_entropy_tells_a_scarred_heart_from_an_even_one() -> None:
    even = measure_study(*make_shell(Shell())).scan
    scarred = measure_study(*make_shell(Shell(wedge=Wedge((0.0, 90.0))))).scan
    assert (even.shape.myocardium_entropy, even.shape.scar_entropy) == (0.0, None)
    # two levels: a quarter of the myocardium is scar
    assert scarred.shape.myocardium_entropy == pytest.approx(0.25 * 2 + 0.75 * math.log2(4 / 3), abs=0.01)
    assert scarred.shape.scar_entropy == 0.0


def _with_papillary_muscles(labels: Volume) -> Volume:
    """Return labels with two discs of myocardium, 9 mm across, in the cavity of every slice."""
    _, radius, angle = heart_coordinates(labels)
    turn = np.radians(angle)
    across, through = radius * np.cos(turn), radius * np.sin(turn)
    muscles = (np.hypot(across - 10.0, through) < 4.5) | (np.hypot(across, through - 10.0) < 4.5)
    return labels.with_array(np.where(muscles, 2, labels.array).astype(np.uint8))


def test_papillary_muscles_in_the_cavity_weigh_but_are_no_wall() -> None:
    image, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0), (0.0, 0.5)), noise=2.0))
    bare = measure_study(image, labels).scan
    signal = np.where(_with_papillary_muscles(labels).array == labels.array, image.array, 50.0)
    measures = measure_study(image.with_array(signal), _with_papillary_muscles(labels))
    muscled = measures.scan
    # two discs of radius 4.5 mm, 9 slices of 9 mm
    added_ml = 2 * math.pi * 4.5**2 * 81.0 / 1000
    assert muscled.myocardium_ml == pytest.approx(bare.myocardium_ml + added_ml, rel=0.01)
    assert muscled.blood_pool_ml == pytest.approx(bare.blood_pool_ml - added_ml, rel=0.01)
    for name in ("scar_ml", "transmurality_mean", "wall_thickness_mm", "endocardial_extent_percent", "scar_radiality"):
        assert cells_of(muscled)[name] == pytest.approx(cells_of(bare)[name])
    assert flags_but_a_tubes(measures.flags) == ()


def test_open_ring_at_the_base_is_measured_where_there_is_wall() -> None:
    # the basal two of nine slices lack 90 degrees of wall, as at the outflow tract
    image, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0)), noise=2.0))
    _, gap = make_shell(Shell(wedge=Wedge((200.0, 290.0), length=(0.0, 2 / 9))))
    measures = measure_study(image, labels.with_array(np.where(gap.array == 3, 0, labels.array)))
    part = (9 - 2 / 4) / 9
    assert measures.scan.myocardium_ml == pytest.approx(part * RING_MM2 * 81.0 / 1000, rel=0.01)
    assert measures.scan.scar_percent_lv == pytest.approx(25.0 / part, abs=0.5)
    assert measures.scan.transmurality_mean == pytest.approx(100.0, abs=3)
    assert measures.scan.wall.wall_thickness_mm == pytest.approx(10.0, abs=0.3)
    assert flags_but_a_tubes(measures.flags) == ()


def test_missing_apex_leaves_segment_17_empty_and_is_flagged() -> None:
    measures = measure_study(*make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0)))
    assert measures.flags == ("base_or_apex_missing",)
    cap = measures.segments[16]
    assert (cap.segment, cap.myocardium_ml, cap.scar_percent, cap.transmurality) == (17, 0.0, None, None)
    assert (cap.shape.scar_interface_mm2, cap.shape.myocardium_entropy, cap.wall.wall_thickness_mm) == (
        None,
        None,
        None,
    )
    assert [row.level for row in measures.slices] == ["base"] * 3 + ["mid"] * 3 + ["apex"] * 3


def test_no_remote_no_scar_and_one_slice_leave_the_shape_defined_or_null() -> None:
    healthy = measure_study(*make_shell(Shell(noise=2.0))).scan
    assert (healthy.shape.scar_interface_mm2, healthy.shape.scar_radiality, healthy.shape.scar_entropy) == (
        0.0,
        None,
        None,
    )
    everywhere = measure_study(*make_shell(Shell(wedge=Wedge((0.0, 359.9999)), noise=2.0))).scan
    mean_radius = 2 / 3 * (32.0**3 - 22.0**3) / (32.0**2 - 22.0**2)
    assert everywhere.shape.scar_radiality == pytest.approx((mean_radius - 22.0) / 10.0, abs=0.02)
    single = measure_study(*make_shell(Shell(wedge=Wedge((15.0, 105.0)), noise=2.0), Grid(slices=1))).scan
    assert single.shape.scar_interface_mm2 == pytest.approx(2 * 10.0 * 9.0, rel=0.09)
