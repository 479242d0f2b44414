"""Surface distances, and that the metrics are the EMIDEC challenge's own."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import cdist

from scarnet_cli.cases.cases import read_cases
from scarnet_cli.evaluate.distance import SurfaceDistance, surface_distance
from scarnet_cli.evaluate.region import dice
from scarnet_cli.image.labels import region_mask

SPACING = (8.0, 1.5, 1.25)


def block(z: slice, y: slice, x: slice) -> NDArray[np.bool_]:
    mask = np.zeros((4, 24, 24), bool)
    mask[z, y, x] = True
    return mask


def test_two_voxels_are_apart_by_the_spacing_of_each_axis() -> None:
    one, other = block(slice(0, 1), slice(2, 3), slice(3, 4)), block(slice(2, 3), slice(6, 7), slice(11, 12))
    expected = np.hypot(np.hypot(2 * 8.0, 4 * 1.5), 8 * 1.25)
    found = surface_distance(one, other, SPACING)
    assert [found.hausdorff_mm, found.hd95_mm] == pytest.approx([expected, expected])


def test_two_blocks_shifted_by_two_columns() -> None:
    one = block(slice(0, 4), slice(4, 14), slice(4, 14))
    found = surface_distance(one, np.roll(one, 2, axis=2), SPACING)
    # The far columns are two columns outside the other block: 2 x 1.25 mm.
    assert found.hausdorff_mm == pytest.approx(2.5)


def test_one_far_voxel_moves_the_greatest_distance_and_not_the_percentile() -> None:
    one = block(slice(0, 4), slice(4, 14), slice(4, 14))
    other = one.copy()
    other[0, 4, 20] = True  # seven columns right of the block's last one: 8.75 mm
    found = surface_distance(one, other, SPACING)
    assert [found.hausdorff_mm, found.hd95_mm] == pytest.approx([8.75, 0.0])


def test_equal_masks_are_at_no_distance() -> None:
    mask = block(slice(1, 3), slice(4, 9), slice(4, 9))
    assert surface_distance(mask, mask, SPACING) == SurfaceDistance(0.0, 0.0)


@pytest.mark.parametrize(("ours", "reference"), [(False, False), (True, False), (False, True)])
def test_a_distance_to_an_empty_mask_is_undefined(ours: bool, reference: bool) -> None:  # noqa: FBT001
    one, other = (np.full((2, 3, 3), filled) for filled in (ours, reference))
    assert surface_distance(one, other, SPACING) == SurfaceDistance(None, None)


# The challenge's metrics by their definitions (github.com/EMIDEC-Challenge/Evaluation-metrics, main.py and metrics.py):
# Dice over the stack, 1 for two empty masks; volume as voxels times the product of spacings, in mm3; Hausdorff between
# voxels that a cross-shaped erosion takes away. Distances are found here pair by pair, not by a distance transform.


def challenge_dice(ours: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    sizes = int(ours.sum()) + int(reference.sum())
    return 1.0 if sizes == 0 else 2.0 * float(np.logical_and(ours, reference).sum()) / sizes


def challenge_hausdorff(ours: NDArray[np.bool_], reference: NDArray[np.bool_], spacing_zyx_mm: object) -> float:
    cross = ndimage.generate_binary_structure(3, 1)
    ours_mm, reference_mm = (
        np.argwhere(mask ^ np.asarray(ndimage.binary_erosion(mask, cross), bool)) * np.asarray(spacing_zyx_mm)
        for mask in (ours, reference)
    )
    distances = cdist(ours_mm, reference_mm)
    return float(max(distances.min(axis=0).max(), distances.min(axis=1).max()))


@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_made_masks_are_the_challenges(seed: int) -> None:
    generator = np.random.default_rng(seed)
    ours, reference = (ndimage.gaussian_filter(generator.normal(size=(5, 20, 22)), 2) > 0.02 for _ in range(2))
    assert dice(ours, reference) == pytest.approx(challenge_dice(ours, reference))
    expected = challenge_hausdorff(ours, reference, SPACING)
    assert surface_distance(ours, reference, SPACING).hausdorff_mm == pytest.approx(expected)


def test_metrics_of_real_contours_are_the_challenges(emidec_dir: Path) -> None:
    for case in read_cases(emidec_dir)[::20]:
        labels = case.labels.array
        shifted = np.roll(labels, (1, 3), axis=(0, 2))  # stands for a prediction
        for region in ("myocardium", "scar", "mvo"):
            ours, reference = region_mask(shifted, region), region_mask(labels, region)
            assert dice(ours, reference) == pytest.approx(challenge_dice(ours, reference))
            volume_mm3 = np.count_nonzero(reference) * float(np.prod(case.labels.spacing_zyx_mm))
            assert 1000.0 * np.count_nonzero(reference) * case.labels.voxel_ml == pytest.approx(volume_mm3)
            if reference.any():
                expected = challenge_hausdorff(ours, reference, case.labels.spacing_zyx_mm)
                found = surface_distance(ours, reference, case.labels.spacing_zyx_mm)
                assert found.hausdorff_mm == pytest.approx(expected)
