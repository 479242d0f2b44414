"""NIfTI files that other tools wrote: axes in any order, directions rounded or missing."""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from scarnet_cli.buckets.place import Place
from scarnet_cli.errors import GeometryError
from scarnet_cli.image.nifti_header import ORIENTATION_REPAIRED, ORIENTATION_UNKNOWN, opened_nifti, require_whole
from scarnet_cli.image.volume import Volume

# As for DICOM (dicom/geometry.py): the cosine between two axes may be as large as the first of these; up to the second
# the axes count as exact.
COSINE_TOLERANCE: Final = 1e-2
COSINE_ROUNDING: Final = 2e-4
# The slice axis is the one along which voxels are at least this many times as far apart as along any other.
_CLEARLY_WIDER: Final = 1.25
_RAS_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0])
# What the lower three bits of xyzt_units say; above them is the unit of time.
_UNITS_MM: Final = {0: ("no unit", 1.0), 1: ("metres", 1e3), 2: ("millimetres", 1.0), 3: ("micrometres", 1e-3)}
_UNIT_BITS: Final = 7
_SPACING_MM: Final = (0.05, 100.0)  # beyond these the unit is wrong, not the image unusual
_SINGLE_VALUES: Final = "biuf"  # kinds of numpy's types: neither colours nor complex numbers
_DIMENSIONS: Final = 3
_DISPUTED: Final = "orientation_disputed"
# What sform and qform may differ by: in the voxels' size, as a part of it, and in a direction (1 degree).
_SAME_SIZE: Final = 0.01
_SAME_DIRECTION_COSINE: Final = float(np.cos(np.deg2rad(1.0)))


@dataclass(frozen=True, slots=True)
class ForeignVolume:
    """A volume and the flags that its file raised.

    Attributes:
        volume: Voxels in the file's own order of axes, scaled by its header's slope and intercept.
        flags: Codes, sorted.
    """

    volume: Volume
    flags: tuple[str, ...]


def read_foreign_nifti(path: Place) -> ForeignVolume:
    """Read a NIfTI file and keep its order of axes: the array is (k, j, i) for the file's axes i, j, k.

    The sform is preferred to the qform; a flag says that they turn the axes differently. If neither is set, the axes
    are taken to be the patient's, with a flag.

    Raises:
        GeometryError: The file is not a readable image, has more than one volume, its axes are not at right angles,
            its voxels have a size that no image of a heart has, or sform and qform give them two sizes.
    """
    require_whole(path, "The NIfTI file")
    try:
        with opened_nifti(path) as stream:
            image = _streamed(stream)
            array, affine, header = np.asanyarray(image.dataobj), np.asarray(image.affine), image.header
            disputed = _is_disputed(header)
        oriented = bool(header["sform_code"] > 0 or header["qform_code"] > 0)
    except (ImageFileError, HeaderDataError, KeyError, ValueError) as error:
        message = "The NIfTI file cannot be read as one; write it again or leave it out."
        raise GeometryError("unreadable_image", message) from error
    array = array.reshape(array.shape[:_DIMENSIONS] + (1,) * (_DIMENSIONS - array.ndim)) if _is_one(array) else array
    if array.ndim != _DIMENSIONS or array.dtype.kind not in _SINGLE_VALUES:
        size = " x ".join(map(str, array.shape))
        message = f"The NIfTI file has {size} values; one volume of single real values is needed."
        raise GeometryError("not_a_volume", message)
    unit, unit_mm = _UNITS_MM.get(int(header["xyzt_units"]) & _UNIT_BITS, _UNITS_MM[0])
    affine = affine * unit_mm
    spacing, direction, repaired = _axes(
        affine[:3, :3] if oriented else np.diag(np.linalg.norm(affine[:3, :3], axis=0)) @ _RAS_TO_LPS
    )
    if not _SPACING_MM[0] <= spacing.min() <= spacing.max() <= _SPACING_MM[1]:
        words = " x ".join(f"{value:.4g}" for value in spacing)
        message = f"The NIfTI file's voxels are {words} mm apart (it says {unit}); write it again with the right unit."
        raise GeometryError("bad_spacing", message)
    origin = _RAS_TO_LPS @ affine[:3, 3] if oriented else np.zeros(3)
    flags = [_DISPUTED] * disputed + [ORIENTATION_REPAIRED] * repaired + [ORIENTATION_UNKNOWN] * (not oriented)
    x, y, z = (float(value) for value in origin)
    i, j, k = (float(value) for value in spacing)
    return ForeignVolume(Volume(array.transpose(2, 1, 0), (k, j, i), (x, y, z), direction), tuple(flags))


def _streamed(stream: Any) -> Any:  # noqa: ANN401 (a binary stream, which has no name for both typings; an image)
    """Return the image of an open NIfTI-1 or NIfTI-2 file, whose voxels are read later."""
    start = stream.read(4)
    stream.seek(0)
    second = nibabel.Nifti2Image.header_class.sizeof_hdr.to_bytes(4, "little")
    return (nibabel.Nifti2Image if start in (second, second[::-1]) else nibabel.Nifti1Image).from_stream(stream)


def as_stack(volume: Volume) -> Volume:
    """Return the same voxels as a stack (z, y, x): slices first, then rows and columns as a reader sees them.

    Columns run to the patient's left, rows to the back and the feet, slices along the cross product of both, so that
    all 48 ways to store a stack become one. Nothing is resampled.

    Raises:
        GeometryError: No axis is clearly the slice axis.
    """
    spacing_xyz = np.array(volume.spacing_zyx_mm[::-1])
    slices = int(np.argmax(spacing_xyz))
    if spacing_xyz[slices] < _CLEARLY_WIDER * np.delete(spacing_xyz, slices).max():
        words = " x ".join(f"{value:.2f}" for value in spacing_xyz)
        message = (
            f"The voxels are {words} mm apart: no axis is clearly the slices', {_CLEARLY_WIDER} times as "
            "far apart as the others. Give the stack as it was acquired, not resampled."
        )
        raise GeometryError("slice_axis_unclear", message)
    plane = [axis for axis in range(_DIMENSIONS) if axis != slices]
    columns = max(plane, key=lambda axis: abs(volume.direction[0, axis]))
    rows = plane[0] if columns == plane[1] else plane[1]
    x = volume.direction[:, columns] * (1.0 if volume.direction[0, columns] >= 0 else -1.0)
    y = volume.direction[:, rows] * (1.0 if volume.direction[1, rows] - volume.direction[2, rows] >= 0 else -1.0)
    return reordered(volume, np.stack([x, y, np.cross(x, y)], axis=1))


def like(volume: Volume, grid: Volume) -> Volume:
    """Return the same voxels with the axes permuted and reversed to run as nearly as possible like those of `grid`."""
    return reordered(volume, grid.direction)


def reordered(volume: Volume, direction: NDArray[np.float64]) -> Volume:
    """Return the same voxels with the axes permuted and reversed to come as close as possible to a direction.

    Args:
        volume: The voxels.
        direction: (3, 3) matrix whose columns are the LPS unit vectors of the wanted x, y and z axes.
    """
    cosines = direction.T @ volume.direction  # [wanted axis, present axis], both in x, y, z order
    order = max(
        itertools.permutations(range(_DIMENSIONS)),
        key=lambda axes: sum(abs(cosines[wanted, there]) for wanted, there in enumerate(axes)),
    )
    turned = [bool(cosines[wanted, there] < 0) for wanted, there in enumerate(order)]
    array = volume.array.transpose(tuple(2 - axis for axis in reversed(order)))
    array = np.flip(array, tuple(2 - axis for axis in range(_DIMENSIONS) if turned[axis]))
    signs = np.where(turned, -1.0, 1.0)
    spacing = np.array(volume.spacing_zyx_mm[::-1])[list(order)]
    last = np.array(volume.array.shape[::-1])[list(order)] - 1
    axes = volume.direction[:, list(order)]
    origin = np.array(volume.origin_xyz_mm) + axes @ (np.where(turned, last, 0) * spacing)
    x, y, z = (float(value) for value in origin)
    i, j, k = (float(value) for value in spacing)
    return Volume(np.ascontiguousarray(array), (k, j, i), (x, y, z), axes * signs)


def _is_one(array: NDArray[Any]) -> bool:
    """Tell whether an array is a single volume: at most three axes, or further axes of length 1."""
    return array.ndim <= _DIMENSIONS or set(array.shape[_DIMENSIONS:]) == {1}


def _is_disputed(header: nibabel.Nifti1Header) -> bool:
    """Tell whether a header's sform and qform turn the axes differently.

    Raises:
        GeometryError: They give the voxels two sizes.
    """
    if min(int(header["sform_code"]), int(header["qform_code"])) <= 0:
        return False
    try:
        by_sform, by_qform = (np.asarray(form())[:3, :3] for form in (header.get_sform, header.get_qform))
    except ValueError:  # no rotation: the sform alone says something
        return False
    sizes, other = np.linalg.norm(by_sform, axis=0), np.linalg.norm(by_qform, axis=0)
    if not np.allclose(sizes, other, rtol=_SAME_SIZE):
        said, also = (" x ".join(f"{value:.4g}" for value in size) for size in (sizes, other))
        message = (
            f"The NIfTI file's voxels are {said} mm apart by its sform, {also} by its qform; write it again with the "
            "true size in both."
        )
        raise GeometryError("bad_spacing", message)
    cosines = (by_sform * by_qform).sum(axis=0) / (sizes * other)
    return bool(cosines.min() < _SAME_DIRECTION_COSINE)


def _axes(matrix_ras: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return spacing (x, y, z) in mm, the orthonormal LPS direction nearest a RAS matrix, and whether it was repaired.

    Raises:
        GeometryError: An axis has no length, or the cosine between two exceeds `COSINE_TOLERANCE`.
    """
    spacing = np.linalg.norm(matrix_ras, axis=0)
    if not np.isfinite(matrix_ras).all() or spacing.min() <= 0:
        message = "The NIfTI file's affine has an axis without length; write it again."
        raise GeometryError("bad_orientation", message)
    axes = _RAS_TO_LPS @ matrix_ras / spacing
    miss = float(np.abs(axes.T @ axes - np.eye(_DIMENSIONS)).max())
    if miss > COSINE_TOLERANCE:
        message = (
            f"The NIfTI file's axes miss a right angle by {np.degrees(np.arcsin(min(miss, 1.0))):.2f} degrees; up to "
            f"{np.degrees(np.arcsin(COSINE_TOLERANCE)):.2f} can be repaired. Write it again without shear."
        )
        raise GeometryError("bad_orientation", message)
    u, _, vt = np.linalg.svd(axes)
    return spacing, u @ vt, miss > COSINE_ROUNDING
