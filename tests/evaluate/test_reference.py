"""Comparison with a reference, on label maps small enough to count by hand."""

import numpy as np
import pytest

from scarnet_cli.evaluate.reference import compare
from scarnet_cli.image.volume import Volume

SPACING_ZYX_MM = (10.0, 2.0, 1.0)  # a voxel has 0.02 ml


def volume(rows: list[list[int]]) -> Volume:
    return Volume(np.array([rows], np.uint8), SPACING_ZYX_MM, (0.0, 0.0, 0.0), np.eye(3))


def test_volumes_percent_dice_and_distances() -> None:
    reference = volume([[2, 3, 4, 2, 0]])
    ours = volume([[2, 2, 3, 3, 0]])
    found = compare(ours.array, reference)
    assert found.reference_myocardium_ml == pytest.approx(4 * 0.02)
    assert found.reference_scar_ml == pytest.approx(2 * 0.02)  # scar with MVO
    assert found.reference_scar_percent_lv == pytest.approx(50.0)
    assert (found.myocardium_dice, found.myocardium_hd95_mm) == (1.0, 0.0)
    assert found.scar_dice == pytest.approx(2 * 1 / 4)
    # Distances of the four surface voxels to the other's nearest: 0, 1, 1, 0 mm.
    assert found.scar_hd95_mm == pytest.approx(1.0)


def test_scar_in_one_of_both_has_no_distance_and_a_dice_of_0() -> None:
    found = compare(volume([[2, 3]]).array, volume([[2, 2]]))
    assert (found.scar_dice, found.scar_hd95_mm) == (0.0, None)
    assert (found.reference_scar_ml, found.reference_scar_percent_lv) == (0.0, 0.0)


def test_two_maps_without_scar_agree() -> None:
    found = compare(volume([[2, 2]]).array, volume([[2, 2]]))
    assert (found.scar_dice, found.scar_hd95_mm) == (1.0, None)


def test_percent_of_a_reference_without_myocardium_is_undefined() -> None:
    found = compare(volume([[2, 3]]).array, volume([[1, 0]]))
    assert (found.reference_myocardium_ml, found.reference_scar_percent_lv) == (0.0, None)
    assert (found.myocardium_dice, found.myocardium_hd95_mm) == (0.0, None)
