"""Derive one grid from the positions and orientations of slices, or say which slice does not fit."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import DicomError

# Slices may lie this far from an even, straight stack: about a tenth of a pixel, far below the precision of a contour
# and far above the rounding of positions written with few digits.
POSITION_TOLERANCE_MM: Final = 0.2
# Slices may be rotated this much relative to the stack: 0.1 degree moves a pixel at 100 mm by 0.17 mm.
ANGLE_TOLERANCE_DEG: Final = 0.1
# Row and column directions may miss unit length and a right angle by this much; they are repaired and flagged.
COSINE_TOLERANCE: Final = 1e-2
# An error up to this is rounding: cosines written with four digits or more need no flag.
COSINE_ROUNDING: Final = 2e-4
# Two slices closer than this are one position scanned twice.
REPEAT_TOLERANCE_MM: Final = 1.0


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """The grid of a stack of slices.

    Attributes:
        order: Input index of each slice of the volume, in order along the normal.
        origin_xyz_mm: LPS position of the centre of the first voxel of the first slice.
        direction: (3, 3) right-handed orthonormal matrix; columns are the x, y and z axes in LPS.
        slice_spacing_mm: Distance between slice centres.
        repaired: Whether the cosines were not orthonormal and were replaced by the nearest that are.
    """

    order: tuple[int, ...]
    origin_xyz_mm: tuple[float, float, float]
    direction: NDArray[np.float64]
    slice_spacing_mm: float
    repaired: bool


def slice_normal(orientation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (..., 3) unit normals, row direction x column direction, of (..., 6) orientations in LPS."""
    normal = np.cross(orientation[..., :3], orientation[..., 3:])
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)


def turn_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the angle of the rotation between two orthonormal (3, 3) directions, in degrees (0 to 180)."""
    # From the distance between the matrices: the arc cosine of the trace loses all digits at small angles.
    half_sine = float(np.linalg.norm(a - b)) / np.sqrt(8.0)
    return float(np.degrees(2.0 * np.arcsin(min(half_sine, 1.0))))


def direction_of(orientation: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return the right-handed (3, 3) direction nearest to (6,) cosines, and whether they had to be repaired.

    Raises:
        DicomError: The cosines miss unit length or a right angle by more than `COSINE_TOLERANCE`.
    """
    row, column = orientation[:3], orientation[3:]
    error = max(abs(np.linalg.norm(row) - 1.0), abs(np.linalg.norm(column) - 1.0), abs(float(row @ column)))
    if not error <= COSINE_TOLERANCE:
        message = (
            f"ImageOrientationPatient is not orthonormal: it misses by {error:.3g}, at most {COSINE_TOLERANCE} can be "
            "repaired; export the series again from its source."
        )
        raise DicomError("bad_orientation", message)
    u, _, vt = np.linalg.svd(np.stack([row, column], axis=1), full_matrices=False)
    x, y = (u @ vt).T
    return np.stack([x, y, np.cross(x, y)], axis=1), bool(error > COSINE_ROUNDING)


def stack_geometry(positions: NDArray[np.float64], orientations: NDArray[np.float64]) -> StackGeometry:
    """Order slices along their normal and return their grid.

    Args:
        positions: (n, 3) ImagePositionPatient, LPS, mm.
        orientations: (n, 6) ImageOrientationPatient.

    Raises:
        DicomError: There are fewer than two slices, or they are rotated, shifted in plane, repeated or unevenly spaced
            beyond the tolerances of this module.
    """
    if len(positions) < 2:  # noqa: PLR2004 (two slices are needed to know their spacing)
        message = "One slice alone has no slice spacing; a stack of several is needed."
        raise DicomError("single_slice", message)
    direction, repaired = direction_of(np.median(orientations, axis=0))  # a few odd slices do not move the median
    depth = positions @ direction[:, 2]
    order = np.argsort(depth, kind="stable")
    depth = depth[order]
    _require_parallel(orientations[order], direction, depth)
    spacing = _require_even(depth)
    _require_straight(positions[order], direction, depth)
    x, y, z = positions[order[0]]
    return StackGeometry(tuple(int(i) for i in order), (float(x), float(y), float(z)), direction, spacing, repaired)


def _require_parallel(
    orientations: NDArray[np.float64], direction: NDArray[np.float64], depth: NDArray[np.float64]
) -> None:
    distinct, which = np.unique(orientations, axis=0, return_inverse=True)
    angles = [turn_deg(direction_of(orientation)[0], direction) for orientation in distinct]
    for index, angle in enumerate(angles[i] for i in which.ravel()):
        if angle > ANGLE_TOLERANCE_DEG:
            message = (
                f"{slice_name(index, depth)} is turned by {angle:.2f} degrees against the stack's mean orientation "
                f"(at most {ANGLE_TOLERANCE_DEG}); such slices make no volume. Leave the odd ones out."
            )
            raise DicomError("turned_slices", message)


def _require_even(depth: NDArray[np.float64]) -> float:
    gaps = np.diff(depth)
    usual = float(np.median(gaps))
    if gaps.min() <= REPEAT_TOLERANCE_MM:
        index = int(np.argmin(gaps))
        message = f"{slice_name(index, depth)} and the next lie {gaps[index]:.2f} mm apart; leave one out."
        raise DicomError("repeated_position", message)
    spacing = float((depth[-1] - depth[0]) / (len(depth) - 1))
    miss = np.abs(depth - depth[0] - spacing * np.arange(len(depth)))
    if miss.max() <= POSITION_TOLERANCE_MM:
        return spacing
    odd = [i for i, gap in enumerate(gaps) if abs(gap - usual) > POSITION_TOLERANCE_MM]
    listed = ", ".join(f"{depth[i]:.1f} and {depth[i + 1]:.1f} mm ({gaps[i]:.2f} mm)" for i in odd[:5])
    message = (
        f"The {len(depth)} slices are unevenly spaced: usually {usual:.2f} mm, but between {listed or 'several'} along "
        "the normal. A slice is missing or was moved; add it or leave the study out."
    )
    raise DicomError("slice_gap", message)


def _require_straight(
    positions: NDArray[np.float64], direction: NDArray[np.float64], depth: NDArray[np.float64]
) -> None:
    in_plane = (positions - positions[0]) @ direction[:, :2]
    # Relative to the median, so that the odd slice is named even if it is the first.
    shift = np.linalg.norm(in_plane - np.median(in_plane, axis=0), axis=1)
    worst = int(np.argmax(shift))
    if shift[worst] > POSITION_TOLERANCE_MM:
        message = (
            f"{slice_name(worst, depth)} is shifted in plane by {shift[worst]:.2f} mm against the others (at most "
            f"{POSITION_TOLERANCE_MM}); such slices make no straight volume. Leave the odd ones out."
        )
        raise DicomError("sheared_stack", message)


def slice_name(index: int, depth: NDArray[np.float64]) -> str:
    """Return a slice's name for messages: its number from 1 and its position along the normal, in mm.

    Args:
        index: Index of the slice.
        depth: (n,) positions of all slices along the normal, in mm.
    """
    return f"Slice {index + 1} of {len(depth)} (at {depth[index]:.1f} mm along the normal)"
