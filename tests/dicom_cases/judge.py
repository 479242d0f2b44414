"""Judge the volumes that a converter gave against the truth: which slices are there, where, with which values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dicom_cases.truth import TrueStack, Truth

RAS_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
# Slices of these cases are noise: those that are not the same have correlations near 0.
_SAME_PICTURE: Final = 0.999
# Relative to the greatest value; converters that scale to 16 bits round.
_SAME_VALUE: Final = 1e-3
# Positions that a converter may round.
_ROUNDING_MM: Final = 0.01


@dataclass(frozen=True, slots=True)
class Given:
    """A volume as a converter gave it, its axes turned and flipped to those of the truth.

    Attributes:
        values: (z, y, x).
        corners_xyz_mm: LPS positions of the centres of each slice's corner pixels, (z, 4, 3).
        ways: The same, with its axes in the order in which they were given, flipped in all ways.
    """

    values: NDArray[np.float64]
    corners_xyz_mm: NDArray[np.float64]
    ways: tuple["Given", ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """How a volume fits a stack.

    Attributes:
        found: Slices of the stack that it holds.
        extra: Slices of it that are none of the stack's.
        off_mm: Greatest distance of a found slice's corner from its place.
        values: "same", "scaled" (one factor and offset for the whole volume) or "wrong".
    """

    found: int
    extra: int
    off_mm: float
    values: str


def read_given(folder: Path, direction: NDArray[np.float64]) -> list[Given]:
    """Read every NIfTI file below a folder; each frame of a 4D one is a volume."""
    paths = sorted(p for p in folder.rglob("*") if p.name.endswith((".nii", ".nii.gz")))
    return [given for path in paths for given in _volumes(path, direction)]


def _volumes(path: Path, direction: NDArray[np.float64]) -> Iterator[Given]:
    image: Any = nibabel.Nifti1Image.from_filename(path)
    values = np.asarray(image.get_fdata(), np.float64)
    for frame in range(values.shape[3] if values.ndim > 3 else 1):
        yield aligned(np.atleast_3d(values[..., frame] if values.ndim > 3 else values), image.affine, direction)


def aligned(values_xyz: NDArray[np.float64], affine_ras: NDArray[np.float64], direction: NDArray[np.float64]) -> Given:
    """Turn and flip a volume's axes to those nearest to the columns of `direction`; no value or position changes."""
    affine = RAS_TO_LPS @ affine_ras
    axes = affine[:3, :3] / np.maximum(np.linalg.norm(affine[:3, :3], axis=0), 1e-12)
    likeness = direction.T @ axes
    _, own = linear_sum_assignment(-np.abs(likeness))
    flips = tuple(likeness[axis, own[axis]] < 0 for axis in range(3))
    ways = [_turned(values_xyz, affine, (0, 1, 2), (i, j, False)) for i in (False, True) for j in (False, True)]
    return replace(_turned(values_xyz, affine, own, flips), ways=tuple(ways))


def _turned(
    values_xyz: NDArray[np.float64], affine: NDArray[np.float64], own: Sequence[int], flips: Sequence[bool]
) -> Given:
    values, place = values_xyz.transpose(own), affine[:, [*own, 3]].copy()
    for axis in range(3):
        if flips[axis]:
            place[:, 3] += place[:, axis] * (values.shape[axis] - 1)
            place[:, axis] *= -1
            values = np.flip(values, axis)
    x, y, z = values.shape
    corners = np.array([(i, j, k, 1) for k in range(z) for i in (0, x - 1) for j in (0, y - 1)], float)
    return Given(values.transpose(2, 1, 0), (corners @ place.T)[:, :3].reshape(z, 4, 3))


def fit(given: Given, stack: TrueStack) -> Fit:
    """Find the stack's slices in a volume by their pictures, whatever their order.

    A volume that is turned so far that other axes of it are nearest is tried as it was given, too.
    """
    return max((_fit(way, stack) for way in (given, *given.ways)), key=lambda f: (f.found, -f.off_mm))


def _fit(given: Given, stack: TrueStack) -> Fit:
    slices = len(given.values)
    if given.values.shape[1:] != stack.values.shape[1:] or not len(stack.values):
        return Fit(0, slices, 0.0, "wrong")
    likeness = _normalised(stack.values) @ _normalised(given.values).T
    best = likeness.argmax(axis=1)
    there = likeness[np.arange(len(best)), best] > _SAME_PICTURE
    if not there.any():
        return Fit(0, slices, 0.0, "wrong")
    off = np.linalg.norm(given.corners_xyz_mm[best[there]] - stack.corners_xyz_mm[there], axis=-1)
    values = _compare(given.values[best[there]], stack.values[there])
    return Fit(int(there.sum()), slices - len(set(best[there].tolist())), float(off.max()), values)


def _normalised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)


def _compare(given: NDArray[np.float64], true: NDArray[np.float64]) -> str:
    limit = _SAME_VALUE * np.abs(true).max()
    if np.abs(given - true).max() <= limit:
        return "same"
    factor, offset = np.polyfit(given.ravel(), true.ravel(), 1)
    return "scaled" if np.abs(factor * given + offset - true).max() <= limit and factor > 0 else "wrong"


def is_right(found: Fit, stack: TrueStack, tolerance_mm: float) -> bool:
    """Tell whether a volume is the stack: all of its slices and no others, each in its place with its values."""
    whole = found.found == len(stack.values) and found.extra == 0
    return whole and found.off_mm <= max(tolerance_mm, _ROUNDING_MM) and found.values != "wrong"


def judge(volumes: Sequence[Given], truth: Truth) -> str:
    """Say in a few words how the volumes that a converter gave compare with the truth."""
    if truth.refusal == "no_lge_stack":
        return "converted: choosing is not its task"
    if truth.refusal == "blank_image":
        return "converted, blank"
    fits = [fit(volume, truth.stack) for volume in volumes]
    right = [f for f in fits if is_right(f, truth.stack, truth.tolerance_mm)]
    if not right:
        return f"WRONG: {_fault(fits, truth)}"
    if truth.refusal and (fault := _fault_of_others(volumes, truth)):
        return f"WRONG: {fault}"
    if truth.refusal == "bad_pixels":
        return "the others, without the cut slice"
    units = "" if right[0].values == "same" else ", in another unit"
    return f"right{units}" if len(volumes) == 1 else f"right{units}, one of {len(volumes)} volumes"


def _fault_of_others(volumes: Sequence[Given], truth: Truth) -> str | None:
    for other in truth.others:
        best = max((fit(volume, other) for volume in volumes), key=lambda f: (f.found, -f.extra, -f.off_mm))
        if best.found < len(other.values):
            return f"{len(other.values) - best.found} slices lost"
        if not is_right(best, other, truth.tolerance_mm):
            return f"{best.found} slices up to {best.off_mm:.1f} mm off"
    return None


def _fault(fits: Sequence[Fit], truth: Truth) -> str:
    best, whole = max(fits, key=lambda f: (f.found, -f.extra)), len(truth.stack.values)
    if best.found < whole and sum(f.found > 0 for f in fits) > 1:
        return f"slices spread over {len(fits)} volumes"
    if best.found < whole:
        return f"{best.found} of {whole} slices are right"
    if best.extra:
        return f"{best.extra} slice{'s' if best.extra > 1 else ''} too many"
    if best.values == "wrong":
        return "values scaled differently from slice to slice"
    return f"voxels up to {best.off_mm:.1f} mm off"
