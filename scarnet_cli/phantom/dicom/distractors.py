"""Series beside the LGE stack, cut from the same volume, which series selection must refuse."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.image.volume import Volume
from scarnet_cli.phantom.dicom.habits import Role

_LOCALISER_SIZE: Final = 96
_LOCALISER_MM: Final = 3.5
_LONG_AXIS_SIZE: Final = 128
_LONG_AXIS_MM: Final = 2.0
_CINE_PHASES: Final = 3
_TI_STEPS: Final = 8
# Axial, coronal and sagittal planes: LPS directions of their rows and columns.
_PLANES: Final = (((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, -1)))


def distractor_volumes(role: Role, volume: Volume) -> list[Volume]:
    """Return the volumes (z, y, x) of a distractor series, one for each phase, orientation or time."""
    makers = {"localiser": _localiser, "cine": _cine, "ti_scout": _ti_scout, "long_axis": _long_axis}
    return makers[role](volume)


def _half(volume: Volume) -> Volume:
    """Return the volume at half its in-plane resolution: means of 2 x 2 pixels, with the origin moved accordingly."""
    y, x = (n // 2 * 2 for n in volume.shape_zyx[1:])
    array = volume.array[:, :y, :x].reshape(-1, y // 2, 2, x // 2, 2).mean(axis=(2, 4))
    dz, dy, dx = volume.spacing_zyx_mm
    ox, oy, oz = (float(v) for v in volume.world(np.array([0, 0.5, 0.5])))
    return Volume(np.rint(array), (dz, 2 * dy, 2 * dx), (ox, oy, oz), volume.direction)


def _cine(volume: Volume) -> list[Volume]:
    small = _half(volume)
    return [small.with_array(np.rint(small.array * (1 - 0.1 * phase))) for phase in range(_CINE_PHASES)]


def _ti_scout(volume: Volume) -> list[Volume]:
    small = _half(volume)
    middle = len(small.array) // 2
    ox, oy, oz = (float(v) for v in small.world(np.array([middle, 0, 0])))
    slices = [np.rint(np.abs(small.array[middle : middle + 1] * (2 * t / _TI_STEPS - 1))) for t in range(_TI_STEPS)]
    return [Volume(s, small.spacing_zyx_mm, (ox, oy, oz), small.direction) for s in slices]


def _localiser(volume: Volume) -> list[Volume]:
    return [
        _resliced(volume, np.array(row, float), np.array(column, float), _LOCALISER_SIZE, _LOCALISER_MM)
        for row, column in _PLANES
    ]


def _long_axis(volume: Volume) -> list[Volume]:
    """Return one plane through the stack's middle along its slice axis, which is named as a four-chamber view."""
    return [_resliced(volume, volume.direction[:, 0], -volume.direction[:, 2], _LONG_AXIS_SIZE, _LONG_AXIS_MM)]


def _resliced(
    volume: Volume, row: NDArray[np.float64], column: NDArray[np.float64], size: int, pixel_mm: float
) -> Volume:
    """Return one plane (1, size, size) through the volume's middle; 0 outside the volume."""
    middle = volume.world((np.array(volume.shape_zyx) - 1) / 2)
    origin = middle - (size - 1) / 2 * pixel_mm * (row + column)
    v, u = np.meshgrid(np.arange(size) * pixel_mm, np.arange(size) * pixel_mm, indexing="ij")
    world = origin + u[..., None] * row + v[..., None] * column
    index_zyx = ((world - volume.origin_xyz_mm) @ volume.direction)[..., ::-1] / volume.spacing_zyx_mm
    plane = ndimage.map_coordinates(volume.array, index_zyx.transpose(2, 0, 1), order=1, output=np.float64)
    direction = np.stack([row, column, np.cross(row, column)], axis=1)
    ox, oy, oz = (float(value) for value in origin)
    return Volume(np.rint(plane)[None], (8.0, pixel_mm, pixel_mm), (ox, oy, oz), direction)
