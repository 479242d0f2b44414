"""In-plane resampling: slices are never mixed, because LGE slices are thick and may have gaps between them."""

from typing import Final

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the library's own custom)
from numpy.typing import NDArray

from scarnet_cli.image.volume import Volume, to_sitk

_INTERPOLATORS: Final = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}


def in_plane_grid(
    volume: Volume, centre_yx_mm: tuple[float, float], size_yx: tuple[int, int], pixel_mm: float
) -> Volume:
    """Return an empty grid (a Volume of zeros) with square pixels, on the slices of `volume`.

    Args:
        volume: Gives slices, direction and slice spacing.
        centre_yx_mm: Centre of the new grid, (y, x) in mm from the centre of pixel (0, 0).
        size_yx: Number of rows and columns of the new grid.
        pixel_mm: Pixel spacing of the new grid.
    """
    corner_yx_mm = [c - (n - 1) / 2 * pixel_mm for c, n in zip(centre_yx_mm, size_yx, strict=True)]
    corner_index = np.array([0.0, *(c / s for c, s in zip(corner_yx_mm, volume.spacing_zyx_mm[1:], strict=True))])
    x, y, z = (float(value) for value in volume.world(corner_index))
    return Volume(
        array=np.zeros((volume.shape_zyx[0], *size_yx), np.float32),
        spacing_zyx_mm=(volume.spacing_zyx_mm[0], pixel_mm, pixel_mm),
        origin_xyz_mm=(x, y, z),
        direction=volume.direction,
    )


def whole_plane_grid(volume: Volume, pixel_mm: float, least: int, multiple: int) -> Volume:
    """Return an empty grid with square pixels that covers all of `volume`.

    Args:
        volume: Gives the plane, slices, direction and slice spacing.
        pixel_mm: Pixel spacing of the new grid.
        least: Least number of rows and of columns.
        multiple: The numbers of rows and columns are multiples of this.
    """
    extent_yx_mm = [n * s for n, s in zip(volume.shape_zyx[1:], volume.spacing_zyx_mm[1:], strict=True)]
    rows, columns = (int(np.ceil(max(e / pixel_mm, least) / multiple)) * multiple for e in extent_yx_mm)
    return in_plane_grid(volume, centre_yx_mm(volume), (rows, columns), pixel_mm)


def centre_yx_mm(volume: Volume) -> tuple[float, float]:
    """Return the middle of the slices, (y, x) in mm from the centre of pixel (0, 0)."""
    (_, rows, columns), (_, row_mm, column_mm) = volume.shape_zyx, volume.spacing_zyx_mm
    return (rows - 1) / 2 * row_mm, (columns - 1) / 2 * column_mm


def resample_to(volume: Volume, grid: Volume, interpolation: str = "linear", outside: float = 0.0) -> Volume:
    """Return `volume` interpolated on `grid`.

    Args:
        volume: (z, y, x) values.
        grid: Another grid on the same slices; its values are not read.
        interpolation: "linear" or "nearest".
        outside: Value of voxels outside `volume`.
    """
    resampled = sitk.Resample(
        to_sitk(volume), to_sitk(grid), sitk.Transform(), _INTERPOLATORS[interpolation], float(outside)
    )
    return grid.with_array(sitk.GetArrayFromImage(resampled))


def resample_labels(labels: Volume, grid: Volume, classes: int) -> Volume:
    """Return a label map on `grid`: classes are interpolated linearly and the greatest wins, so edges stay smooth."""
    return grid.with_array(np.argmax(resample_classes(one_hot(labels, classes), labels, grid), axis=0).astype(np.uint8))


def one_hot(labels: Volume, classes: int) -> NDArray[np.float32]:
    """Return a label map as (class, z, y, x) maps of 0 and 1."""
    return np.stack([labels.array == c for c in range(classes)]).astype(np.float32)


def resample_classes(maps: NDArray[np.float32], source: Volume, grid: Volume) -> NDArray[np.float32]:
    """Return (class, z, y, x) maps resampled from the grid of `source` to `grid`; outside `source` class 0 is 1."""
    return np.stack([resample_to(source.with_array(m), grid, outside=float(c == 0)).array for c, m in enumerate(maps)])
