import math

import numpy as np
import pytest

from scarnet_cli.image.labels import region_mask
from scarnet_cli.phantom.make import make_phantom, rv_insertion_mm, scan_grid, transmurality_percent
from scarnet_cli.phantom.spec import Chest, Contrast, Heart, PhantomSpec, Scan, Scar, heart_axes

SMALL = Scan(shape_zyx=(9, 96, 100), spacing_zyx_mm=(10.0, 1.6, 1.6), first_mm=5.0)
SHELL = Heart(epicardial_radius_mm=36.0, wall_mm=12.0, length_mm=90.0, apical_wall_mm=10.0, papillary_mm=(0.0, 0.0))


def test_same_seed_gives_the_same_voxels() -> None:
    first, second, other = make_phantom(11), make_phantom(11), make_phantom(12)
    assert np.array_equal(first.image.array, second.image.array)
    assert np.array_equal(first.labels.array, second.labels.array)
    assert first.truth == second.truth
    assert first.image.origin_xyz_mm != other.image.origin_xyz_mm


def test_shell_has_the_volume_of_its_formula() -> None:
    phantom = make_phantom(1, PhantomSpec(heart=SHELL, scan=SMALL))
    # 2/3 pi (36^2 x 90 - 24^2 x 80) mm3 = 147.8 ml; cavity 2/3 pi 24^2 x 80 = 96.5 ml. Slices at 5, 15, ... 85 mm are
    # the midpoint rule; cutting a half-ellipsoid by it is off by less than 1 % here, and voxels add as much.
    assert phantom.truth.myocardium_ml == pytest.approx(147.8, rel=0.02)
    assert phantom.truth.blood_pool_ml == pytest.approx(96.5, rel=0.02)


def test_wedge_of_scar_has_its_part_of_the_myocardium() -> None:
    # A quarter of the circle, whole length, whole wall: a quarter of the myocardium. MVO: none.
    wedge = Scar(30.0, 90.0, -1.0, 100.0, 1.0, roundness=math.inf)
    heart = Heart(36.0, 12.0, 90.0, 10.0, papillary_mm=(0.0, 0.0), scars=(wedge,))
    truth = make_phantom(1, PhantomSpec(heart=heart, scan=SMALL)).truth
    assert truth.scar_percent_lv == pytest.approx(25.0, abs=0.5)
    assert truth.mvo_percent_lv == 0
    assert truth.transmurality == pytest.approx(100.0)


def test_truth_is_what_the_label_map_counts() -> None:
    phantom = make_phantom(4)
    assert phantom.truth.mvo_ml > 0
    dz, dy, dx = phantom.labels.spacing_zyx_mm
    voxels = {value: int((phantom.labels.array == value).sum()) for value in range(5)}
    muscle = voxels[2] + voxels[3] + voxels[4]
    assert phantom.truth.myocardium_ml == pytest.approx(muscle * dz * dy * dx / 1000)
    assert phantom.truth.blood_pool_ml == pytest.approx(voxels[1] * dz * dy * dx / 1000)
    assert phantom.truth.scar_percent_lv == pytest.approx(100 * (voxels[3] + voxels[4]) / muscle)
    assert phantom.truth.mvo_percent_lv == pytest.approx(100 * voxels[4] / muscle)


def test_healthy_heart_has_no_scar_and_no_transmurality() -> None:
    phantom = make_phantom(1, PhantomSpec(heart=SHELL, scan=SMALL))
    assert phantom.truth.scar_percent_lv == 0
    assert phantom.truth.transmurality is None
    assert not region_mask(phantom.labels.array, "scar").any()


def test_transmurality_is_the_mean_over_chords_with_scar() -> None:
    half = Scar(90.0, 60.5, 0.0, 60.0, 0.5, roundness=math.inf)
    whole = Scar(270.0, 60.5, 0.0, 60.0, 1.0, roundness=math.inf)
    # 61 chords each of 50 and 100 percent in one slice inside; none in the slice at 70 mm.
    assert transmurality_percent(Heart(scars=(half, whole)), np.array([10.0, 70.0])) == pytest.approx(75.0)


def test_grid_is_right_handed_oblique_and_centred_on_the_ventricle() -> None:
    spec = PhantomSpec(scan=Scan(turn_deg=33.0, tilt_deg=(2.0, -3.0), centre_mm=(0.0, 0.0)))
    grid = scan_grid(spec)
    assert grid.direction.T @ grid.direction == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(grid.direction) == pytest.approx(1.0)
    # Seen from the feet: slices run from apex to base, against the ventricle's axis, here but for 3.6 degrees of tilt.
    axis = heart_axes(spec.chest)[:, 2]
    assert grid.direction[:, 2] @ axis == pytest.approx(-math.cos(math.radians(3.6)), abs=1e-3)
    # The last slice is the basal one: its middle is 4 mm from the mitral plane.
    middle = grid.world(np.array([9, (192 - 1) / 2, (192 - 1) / 2]))
    assert np.linalg.norm(middle - spec.chest.base_xyz_mm) == pytest.approx(4.0)


@pytest.mark.parametrize("from_apex", [True, False])
def test_labels_are_at_the_same_place_whichever_way_slices_run(from_apex: bool) -> None:  # noqa: FBT001 (a parameter)
    spec = PhantomSpec(heart=SHELL, scan=Scan(SMALL.shape_zyx, SMALL.spacing_zyx_mm, first_mm=5.0, from_apex=from_apex))
    labels = make_phantom(1, spec).labels
    inside = labels.world(np.argwhere(region_mask(labels.array, "blood_pool")).astype(float))
    # The cavity's centre of mass is 3/8 of its 80 mm from the mitral plane, on the axis.
    expected = np.array(Chest().base_xyz_mm) + 30.0 * heart_axes(Chest())[:, 2]
    assert inside.mean(axis=0) == pytest.approx(expected, abs=1.0)


def test_breath_moves_picture_and_labels_alike() -> None:
    still = PhantomSpec(heart=SHELL, scan=SMALL)
    breath = tuple((8.0 if z == 4 else 0.0, -3.2 if z == 4 else 0.0) for z in range(9))
    moved = PhantomSpec(heart=SHELL, scan=Scan((9, 96, 100), (10.0, 1.6, 1.6), first_mm=5.0, breath_mm=breath))
    before, after = make_phantom(1, still).labels.array, make_phantom(1, moved).labels.array
    # 8 mm are 5 columns to the right, -3.2 mm two rows up.
    assert np.array_equal(np.roll(before[4], (-2, 5), axis=(0, 1)), after[4])
    assert np.array_equal(before[3], after[3])


def test_right_ventricular_insertion_is_in_front_and_to_the_right_of_the_axis() -> None:
    spec = PhantomSpec()
    point = heart_axes(spec.chest).T @ (rv_insertion_mm(spec) - spec.chest.base_xyz_mm)
    lateral, anterior, apical = point
    assert math.degrees(math.atan2(anterior, lateral)) == pytest.approx(120.0)
    assert apical == pytest.approx(36.0)


def tissue_means(component: str) -> dict[str, float]:
    scar = Scar(90.0, 120.0, 0.0, 80.0, 1.0, mvo_fraction=0.6)
    heart = Heart(36.0, 14.0, 90.0, 10.0, papillary_mm=(0.0, 0.0), scars=(scar,))
    contrast = Contrast(component="psir" if component == "psir" else "magnitude", bias=0.0)
    # The picture reaches far beyond the chest's left side: its last columns are air.
    scan = Scan((9, 96, 200), SMALL.spacing_zyx_mm, first_mm=5.0, centre_mm=(80.0, 0.0))
    phantom = make_phantom(3, PhantomSpec(heart=heart, scan=scan, contrast=contrast))
    labels, image = phantom.labels.array, phantom.image.array
    means = {name: float(image[labels == value].mean()) for value, name in ((1, "blood"), (2, "muscle"), (3, "scar"))}
    return {**means, "mvo": float(image[labels == 4].mean()), "air": float(image[:, :, -8:].mean())}


def test_phase_sensitive_picture_ranks_its_tissues_as_real_ones_do() -> None:
    mean = tissue_means("psir")
    assert mean["air"] == pytest.approx(2048, abs=5)
    assert mean["air"] < mean["muscle"] < mean["mvo"] < mean["blood"] < mean["scar"]


def test_magnitude_picture_has_black_air_and_the_same_ranks_inside() -> None:
    mean = tissue_means("magnitude")
    # Rician: noise of SD s in both channels leaves s sqrt(pi / 2) of air, here 0.035 x 2 x 900 x 1.2533 = 79.
    assert mean["air"] == pytest.approx(79, rel=0.1)
    assert mean["muscle"] < mean["mvo"] < mean["blood"] < mean["scar"]


def test_noise_has_its_standard_deviation() -> None:
    contrast = Contrast(noise=0.05, gain=1000.0, resolution=(1.0, 1.0))
    image = make_phantom(5, PhantomSpec(heart=SHELL, scan=SMALL, contrast=contrast)).image.array
    quiet = make_phantom(5, PhantomSpec(heart=SHELL, scan=SMALL, contrast=Contrast(noise=0.0, gain=1000.0))).image.array
    assert (image - quiet).std() == pytest.approx(50.0, rel=0.1)
