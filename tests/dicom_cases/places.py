"""Cases of where slices lie: gaps, turns, shifts, and every orientation that a scanner may choose."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from dicom_series import COLUMN, FIRST_MM, GAP_MM, NORMAL, ROW, SPACING_YX_MM, make_series, place, save
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dicom_cases.edits import put, rename
from dicom_cases.truth import STACK_TOLERANCE_MM, TrueStack, Truth, case, moved, true_stack, without

EVENNESS: Final = "gaps, jitter, near duplicates"
STRAIGHTNESS: Final = "turned or shifted slices"
ORIENTATION: Final = "orientation and precision"
_AXES: Final = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "axial, rows to the right": ((-1, 0, 0), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
}


@case(EVENNESS, "near duplicate, 0.7 mm apart")
def near_duplicate(folder: Path) -> Truth:
    repeat = make_series(seed=8)[3]
    place(repeat, 3 * GAP_MM + 0.7)
    rename(repeat, "1.2.840.99.77")
    repeat.AcquisitionTime = "102000"
    save([repeat, *make_series()], folder)
    return Truth(true_stack(), flags=("near_duplicates",))


@case(EVENNESS, "near duplicate, 0.7 mm apart, in a series of its own")
def near_duplicate_series(folder: Path) -> Truth:
    repeat = make_series(seed=8)[3]
    place(repeat, 3 * GAP_MM - 0.7)
    rename(repeat, "1.2.840.99.77")
    repeat.SeriesInstanceUID, repeat.SeriesNumber, repeat.AcquisitionTime = "1.2.840.99.78", 9, "102000"
    save([repeat, *make_series()], folder)
    return Truth(true_stack(), rules=("merged_series",), flags=("near_duplicates",))


@case(EVENNESS, "jitter of 0.05 mm")
def jitter(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for i, offset in ((1, -0.05), (2, 0.05), (4, 0.04)):
        place(series[i], i * GAP_MM + offset)
        stack = moved(stack, i, offset)
    save(series, folder)
    return Truth(stack, tolerance_mm=0.06)


@case(EVENNESS, "a middle slice missing")
def missing_slice(folder: Path) -> Truth:
    series = make_series()
    del series[3]
    save(series, folder)
    return Truth(without(true_stack(), 3), refusal="slice_gap")


@case(EVENNESS, "one gap 3 mm wider")
def uneven_gap(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for i in range(4, 7):
        place(series[i], i * GAP_MM + 3.0)
        stack = moved(stack, i, 3.0)
    save(series, folder)
    return Truth(stack, refusal="slice_gap")


@case(STRAIGHTNESS, "slices turned by 3 degrees part way")
def turned(folder: Path) -> Truth:
    series = make_series()
    for i in (5, 6):
        place(series[i], i * GAP_MM, turn_deg=3.0)
    save(series, folder)
    straight, rest = without(true_stack(), 5, 6), without(true_stack(), *range(5))
    turn = float(np.radians(3.0))
    column = COLUMN * np.cos(turn) + NORMAL * np.sin(turn)
    direction = np.array([ROW, column, np.cross(ROW, column)], np.float64).T
    leaning = TrueStack(rest.values, rest.positions_xyz_mm, direction, rest.spacing_yx_mm)
    return Truth(straight, refusal="turned_slices", others=(leaning,))


@case(STRAIGHTNESS, "pictures turned by half a turn in their plane part way")
def half_turned(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for dataset, position in zip(series[5:], stack.positions_xyz_mm[5:], strict=True):
        put(dataset, position, (*-ROW, *-COLUMN))
    save(series, folder)
    rest, direction = without(stack, *range(5)), np.array([-ROW, -COLUMN, NORMAL], np.float64).T
    turned = TrueStack(rest.values, rest.positions_xyz_mm, direction, rest.spacing_yx_mm)
    return Truth(without(stack, 5, 6), flags=("slices_left_out",), others=(turned,))


@case(STRAIGHTNESS, "slices shifted in plane part way")
def shifted(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for i in (5, 6):
        place(series[i], i * GAP_MM, shift_mm=2.5)
        stack = moved(stack, i, shift_mm=2.5)
    save(series, folder)
    return Truth(stack, refusal="sheared_stack")


@case(STRAIGHTNESS, "every slice shifted against the last (sheared)")
def sheared(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for i in range(7):
        place(series[i], i * GAP_MM, shift_mm=0.8 * i)
        stack = moved(stack, i, shift_mm=0.8 * i)
    save(series, folder)
    return Truth(stack, refusal="sheared_stack")


def positioned(row: Iterable[float], column: Iterable[float]) -> tuple[list[Dataset], TrueStack]:
    """Return the series with other axes, and its truth: slices in order along row x column."""
    series, stack = make_series(), true_stack()
    x, y = np.array([*row], np.float64), np.array([*column], np.float64)
    direction = np.stack([x, y, np.cross(x, y)], axis=1)
    positions = FIRST_MM + np.outer(np.arange(7.0) * GAP_MM, direction[:, 2])
    for dataset, position in zip(series, positions, strict=True):
        put(dataset, position, (*x, *y))
    return series, TrueStack(stack.values, positions, direction, SPACING_YX_MM)


def _enter_orientations() -> None:
    for name, (row, column) in _AXES.items():

        @case(ORIENTATION, name)
        def along_the_axes(folder: Path, row: Iterable[float] = row, column: Iterable[float] = column) -> Truth:
            series, stack = positioned(row, column)
            save(series, folder)
            return Truth(stack)

    for position in ("HFP", "FFS", "FFP", "HFDR"):

        @case(ORIENTATION, f"PatientPosition {position}")
        def lying_otherwise(folder: Path, position: str = position) -> Truth:
            series = make_series()
            for dataset in series:
                dataset.PatientPosition = position  # the coordinates are the patient's: nothing may change
            save(series, folder)
            return Truth(true_stack())


_enter_orientations()


@case(ORIENTATION, "slices run against the normal")
def against_the_normal(folder: Path) -> Truth:
    series, stack = positioned(ROW, -COLUMN)
    for i, dataset in enumerate(series[::-1]):
        dataset.InstanceNumber, dataset.AcquisitionTime = i + 1, f"1015{i:02d}"
    save(series[::-1], folder)
    return Truth(stack)


@case(ORIENTATION, "pixels four times as high as wide")
def anisotropic_pixels(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    for dataset in series:
        dataset.PixelSpacing = [2.4, 0.6]
    save(series, folder)
    return Truth(TrueStack(stack.values, stack.positions_xyz_mm, stack.direction, (2.4, 0.6)))


@case(ORIENTATION, "far from the isocentre, sixteen digits")
def far_from_the_isocentre(folder: Path) -> Truth:
    series, stack = make_series(), true_stack()
    far = np.array([1234.567890123, -987.654321098, 1500.123456789])
    for i, dataset in enumerate(series):
        put(dataset, far + NORMAL * GAP_MM * i, (*ROW, *COLUMN))
    save(series, folder)
    positions = stack.positions_xyz_mm - FIRST_MM + far
    return Truth(TrueStack(stack.values, positions, stack.direction, SPACING_YX_MM), tolerance_mm=1e-3)


@case(ORIENTATION, "cosines of four digits")
def short_cosines(folder: Path) -> Truth:
    return _rounded(folder, 4)


@case(ORIENTATION, "cosines of three digits: repaired")
def repaired_cosines(folder: Path) -> Truth:
    return _rounded(folder, 3, "orientation_repaired")


def _rounded(folder: Path, digits: int, *flags: str) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.ImageOrientationPatient = [round(float(v), digits) for v in dataset.ImageOrientationPatient]
    save(series, folder)
    return Truth(true_stack(), flags=flags, tolerance_mm=STACK_TOLERANCE_MM)


@case(ORIENTATION, "rows and columns 0.3 degrees off a right angle: repaired")
def skewed_cosines(folder: Path) -> Truth:
    _save_skewed(folder, 0.3)
    # 0.15 degrees at the far corner, 80 mm away, whichever of the two directions is believed
    return Truth(true_stack(), flags=("orientation_repaired",), tolerance_mm=0.25)


@case(ORIENTATION, "rows and columns 5 degrees off a right angle")
def cosines_beyond_repair(folder: Path) -> Truth:
    row, column = _save_skewed(folder, 5.0)
    plain = true_stack()
    as_written = np.stack([row, column, NORMAL], axis=1)
    stack = TrueStack(plain.values, plain.positions_xyz_mm, as_written, plain.spacing_yx_mm)
    return Truth(stack, refusal="bad_orientation", tolerance_mm=0.25)


def _save_skewed(folder: Path, angle_deg: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Write the series with rows and columns turned towards each other, half of the angle each, and return both.

    The right angle nearest to them is that of the plain series.
    """
    half = np.radians(angle_deg / 2)
    row, column = ROW * np.cos(half) + COLUMN * np.sin(half), COLUMN * np.cos(half) + ROW * np.sin(half)
    series = make_series()
    for dataset, position in zip(series, true_stack().positions_xyz_mm, strict=True):
        put(dataset, position, (*row, *column))
    save(series, folder)
    return row, column


@case(ORIENTATION, "pixels of no size")
def no_size(folder: Path) -> Truth:
    series = make_series()
    for dataset in series:
        dataset.PixelSpacing = [0, 1.25]
    save(series, folder)
    return Truth(true_stack(), refusal="bad_spacing")
