import numpy as np
import pytest

from scarnet_cli.errors import GeometryError, QuantificationError
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.regions import find_regions


def _volume(array: np.ndarray, spacing: tuple[float, float, float] = (8.0, 2.0, 1.0)) -> Volume:
    return Volume(array, spacing, (1.0, 2.0, 3.0), np.eye(3))


def _ring() -> np.ndarray:
    labels = np.zeros((1, 30, 40), np.uint8)
    labels[0, 10:15, 20:25] = 2
    labels[0, 11:14, 21:24] = 0
    return labels


def test_cut_grid_keeps_every_voxel_in_its_place() -> None:
    labels = _volume(_ring())
    regions = find_regions(_volume(np.arange(1200.0).reshape(1, 30, 40)), labels)
    assert regions.signal.shape == (1, 9, 9)  # 5 pixels and a margin of 2 on each side
    assert regions.signal[0, 0, 0] == 8 * 40 + 18
    assert regions.grid.world(np.zeros(3)) == pytest.approx(labels.world(np.array([0.0, 8.0, 18.0])))


def test_hole_of_a_ring_without_blood_pool_is_its_cavity() -> None:
    regions = find_regions(_volume(np.zeros((1, 30, 40))), _volume(_ring()))
    assert regions.cavity.sum() == 9
    assert not regions.blood_pool.any()


def test_grids_that_differ_raise_with_both_in_words() -> None:
    labels = _volume(_ring())
    image = _volume(np.zeros((1, 30, 40)), (8.0, 2.0, 1.1))
    with pytest.raises(
        GeometryError, match=r"40 x 30 x 1 voxels of 1\.1 x 2 x 8 mm.*40 x 30 x 1 voxels of 1 x 2 x 8 mm"
    ):
        find_regions(image, labels)


def test_unknown_label_values_raise() -> None:
    labels = _ring()
    labels[0, 0, :2] = (7, 9)
    with pytest.raises(QuantificationError, match="values 7, 9; only 0 to 4"):
        find_regions(_volume(np.zeros(labels.shape)), _volume(labels))


def test_labels_that_are_no_whole_numbers_raise() -> None:
    with pytest.raises(QuantificationError, match=r"values 0\.5;"):
        find_regions(_volume(np.zeros((1, 2, 2))), _volume(np.full((1, 2, 2), 0.5)))


def test_whole_floats_are_labels() -> None:
    regions = find_regions(_volume(np.zeros((1, 30, 40))), _volume(_ring().astype(np.float32)))
    assert regions.myocardium.sum() == 16


def test_signal_that_is_not_finite_raises_only_inside_the_heart() -> None:
    image = np.zeros((1, 30, 40))
    image[0, 0, 0] = np.nan
    find_regions(_volume(image), _volume(_ring()))
    image[0, 10, 20] = np.inf
    with pytest.raises(QuantificationError, match="NaN or infinite"):
        find_regions(_volume(image), _volume(_ring()))
