"""What is right of a case: voxels, the place of every slice, what was done, or why nothing can be."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from dicom_series import DIRECTION, FIRST_MM, GAP_MM, NORMAL, ROW, SPACING_YX_MM, stored_pixels
from numpy.typing import NDArray

# NIfTI keeps its affine as float32: 1e-5 mm at 100 mm from the isocentre, a few times that at the far corner.
FLOAT32_MM: Final = 1e-4
# What `scarnet_cli.dicom.geometry` accepts of a slice that lies off the even, straight stack.
STACK_TOLERANCE_MM: Final = 0.2


@dataclass(frozen=True, slots=True)
class TrueStack:
    """Slices in order along row direction x column direction.

    Attributes:
        values: (z, y, x) values after the rescale.
        positions_xyz_mm: (z, 3) LPS position of the centre of each slice's first pixel.
        direction: (3, 3); columns are the direction of a row, of a column, and their cross product.
        spacing_yx_mm: Between rows, between columns.
    """

    values: NDArray[np.float64]
    positions_xyz_mm: NDArray[np.float64]
    direction: NDArray[np.float64]
    spacing_yx_mm: tuple[float, float]

    @property
    def corners_xyz_mm(self) -> NDArray[np.float64]:
        """LPS positions of the centres of each slice's corner pixels, (z, 4, 3)."""
        _, rows, columns = self.values.shape
        down = np.array([0, rows - 1, 0, rows - 1])[:, None] * self.spacing_yx_mm[0] * self.direction[:, 1]
        right = np.array([0, 0, columns - 1, columns - 1])[:, None] * self.spacing_yx_mm[1] * self.direction[:, 0]
        return self.positions_xyz_mm[:, None] + down + right


@dataclass(frozen=True, slots=True)
class Truth:
    """What must come out.

    Attributes:
        stack: The slices that are right; of a refused study those that there are, so that a wrong place can be told.
        refusal: Code of the failure; None where there must be a volume.
        component: "psir", "magnitude" or None.
        rules: Codes that study.json's `rules` must hold besides the flags, and no others.
        flags: Codes of its `flags`, and no others.
        others: Other stacks of the study, which a converter that does not choose is right to give too; of a refused
            study the slices that fit no grid with the others.
        tolerance_mm: How far a voxel may lie from its place.
    """

    stack: TrueStack
    refusal: str | None = None
    component: str | None = "psir"
    rules: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    others: tuple[TrueStack, ...] = ()
    tolerance_mm: float = FLOAT32_MM


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which an archive holds a stack.

    Attributes:
        name: What is odd about it, in a few words.
        row: Heading that it stands under.
        write: Writes its files below a folder and returns what is right.
    """

    name: str
    row: str
    write: Callable[[Path], Truth]


CASES: Final[dict[str, Case]] = {}


def case(row: str, name: str) -> Callable[[Callable[[Path], Truth]], Callable[[Path], Truth]]:
    """Enter a function into the collection."""

    def enter(write: Callable[[Path], Truth]) -> Callable[[Path], Truth]:
        if name in CASES:
            message = f"two cases are called '{name}'"
            raise ValueError(message)
        CASES[name] = Case(name, row, write)
        return write

    return enter


def true_stack(slices: int = 7, seed: int = 0, *, values: NDArray[Any] | None = None) -> TrueStack:
    """Return the truth of `dicom_series.make_series`, with other values if given."""
    values = np.asarray(stored_pixels(slices, seed) if values is None else values, np.float64)
    positions = FIRST_MM + np.outer(np.arange(len(values)) * GAP_MM, NORMAL)
    return TrueStack(values, positions, DIRECTION, SPACING_YX_MM)


def moved(stack: TrueStack, index: int, depth_mm: float = 0.0, shift_mm: float = 0.0) -> TrueStack:
    """Return the stack with one slice moved along the normal and along its rows."""
    positions = stack.positions_xyz_mm.copy()
    positions[index] += NORMAL * depth_mm + ROW * shift_mm
    return TrueStack(stack.values, positions, stack.direction, stack.spacing_yx_mm)


def without(stack: TrueStack, *indices: int) -> TrueStack:
    """Return the stack without some of its slices."""
    kept = [i for i in range(len(stack.values)) if i not in indices]
    return TrueStack(stack.values[kept], stack.positions_xyz_mm[kept], stack.direction, stack.spacing_yx_mm)
