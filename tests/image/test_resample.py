import numpy as np
import pytest
from image.test_volume import OBLIQUE

from scarnet_cli.image.resample import (
    centre_yx_mm,
    in_plane_grid,
    resample_classes,
    resample_labels,
    resample_to,
    whole_plane_grid,
)
from scarnet_cli.image.volume import Volume


def ramp() -> Volume:
    """Values grow by 1 a mm along columns (x) and 100 a mm along rows (y), 10,000 a slice."""
    z, y, x = np.meshgrid(np.arange(3), np.arange(40), np.arange(50), indexing="ij")
    return Volume((10000 * z + 100 * 1.5 * y + 1.25 * x).astype(np.float32), (8.0, 1.5, 1.25), (5.0, 6.0, 7.0), OBLIQUE)


def test_in_plane_grid_has_its_centre_where_asked_and_keeps_slices() -> None:
    volume = ramp()
    grid = in_plane_grid(volume, (30.0, 25.0), (11, 21), 1.0)
    # the middle pixel of an odd grid lies at its centre: row 5, column 10
    in_volume = np.array([2.0, 30.0 / 1.5, 25.0 / 1.25])
    assert grid.world(np.array([2.0, 5.0, 10.0])) == pytest.approx(volume.world(in_volume))
    assert grid.spacing_zyx_mm == (8.0, 1.0, 1.0)


def test_resampling_reads_a_linear_ramp_exactly_and_never_mixes_slices() -> None:
    volume = ramp()
    grid = in_plane_grid(volume, (30.0, 25.0), (11, 21), 1.0)
    moved = resample_to(volume, grid)
    # row 5, column 10 is at y = 30 mm, x = 25 mm
    assert moved.array[:, 5, 10] == pytest.approx([3025.0, 13025.0, 23025.0], rel=1e-5)
    assert moved.array[1, 6, 12] == pytest.approx(10000 + 3100 + 27, rel=1e-5)


def test_places_outside_the_picture_get_the_value_asked_for() -> None:
    grid = in_plane_grid(ramp(), (-100.0, -100.0), (4, 4), 1.0)
    assert np.all(resample_to(ramp(), grid, outside=-7.0).array == -7.0)


def test_whole_plane_grid_covers_the_picture_in_a_multiple_of_the_step() -> None:
    volume = ramp()
    grid = whole_plane_grid(volume, pixel_mm=2.0, least=8, multiple=16)
    # 40 rows x 1.5 mm = 60 mm -> 32 pixels of 2 mm; 50 columns x 1.25 mm = 62.5 mm -> 32 pixels
    assert grid.shape_zyx == (3, 32, 32)
    assert whole_plane_grid(volume, pixel_mm=2.0, least=40, multiple=16).shape_zyx == (3, 48, 48)
    middle = centre_yx_mm(volume)
    assert grid.world(np.array([0.0, 15.5, 15.5])) == pytest.approx(
        volume.world(np.array([0.0, middle[0] / 1.5, middle[1] / 1.25]))
    )


def test_labels_survive_a_way_to_a_finer_grid_and_back() -> None:
    labels = np.zeros((3, 40, 50), np.uint8)
    labels[:, 10:30, 15:35], labels[:, 15:25, 20:30] = 2, 1
    volume = ramp().with_array(labels)
    fine = in_plane_grid(volume, centre_yx_mm(volume), (128, 128), 0.5)
    assert np.array_equal(resample_labels(resample_labels(volume, fine, 3), volume, 3).array, labels)


def test_beyond_the_crop_background_is_certain() -> None:
    volume = ramp()
    crop = in_plane_grid(volume, (30.0, 30.0), (8, 8), 1.5)
    maps = np.stack([np.zeros(crop.shape_zyx), np.ones(crop.shape_zyx)]).astype(np.float32)
    full = resample_classes(maps, crop, volume)
    assert full[0, :, 0, 0] == pytest.approx(1.0)
    assert full[1, :, 20, 24] == pytest.approx(1.0)
