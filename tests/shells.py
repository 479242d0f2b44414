"""A left ventricle as a cylindrical shell with a wedge of scar, on any grid: its answers can be had on paper."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.volume import Volume

# From base to apex: to the patient's left, to the front and down; a mean heart. Both are unit vectors at right angles.
TOWARDS_APEX = np.array([0.64, -0.6, -0.48])
# From the axis to the anterior RV insertion: 30 degrees from the upward side of the short-axis plane, to the right.
UPWARD = np.array([0.0, 0.0, 1.0]) - TOWARDS_APEX[2] * TOWARDS_APEX  # what is upward in the short-axis plane
UPWARD /= np.linalg.norm(UPWARD)
SEPTAL = np.cross(TOWARDS_APEX, UPWARD)
INSERTION = np.cos(np.radians(30)) * UPWARD + np.sin(np.radians(30)) * SEPTAL
CENTRE = np.array([31.0, -47.0, 12.0])
# Each slice is shifted in its plane by this part of its distance from the middle, as from breath to breath: borders
# then cross the pixels differently in each slice, and what a pixel's size costs averages out.
SHIFT = (0.043, -0.071)
# A tube has no apex, and some grids have slices of 13 mm.
TUBE_FLAGS = {"base_or_apex_missing", "slice_gap"}
REMOTE, SCAR, MVO, BLOOD, AIR = 50.0, 200.0, 20.0, 150.0, 5.0


@dataclass(frozen=True)
class Grid:
    """How a stack is stored: size, spacing, turned by `turn_deg` in its plane, apex first or last, mirrored or not."""

    slices: int = 9
    spacing_zyx_mm: tuple[float, float, float] = (9.0, 1.3, 1.6)
    turn_deg: float = 20.0
    apex_first: bool = False
    mirrored: bool = False


@dataclass(frozen=True)
class Wedge:
    """Where the scar is: degrees from the insertion through the septum; parts of the wall and of the length.

    An oblique wedge turns by `twist_deg_per_mm` on its way to the apex; the angles are those in the middle.
    """

    angles_deg: tuple[float, float] = (70.0, 110.0)
    depth: tuple[float, float] = (0.0, 1.0)
    length: tuple[float, float] = (0.0, 1.0)
    twist_deg_per_mm: float = 0.0


@dataclass(frozen=True)
class Shell:
    """Radii in mm, the length being that of the stack; MVO fills these depths inside the wedge."""

    radii_mm: tuple[float, float] = (22.0, 32.0)
    wedge: Wedge | None = None
    mvo_depth: tuple[float, float] | None = None
    noise: float = 0.0


def make_shell(shell: Shell, grid: Grid = Grid()) -> tuple[Volume, Volume]:
    """Return image and labels of a shell: a voxel is what lies at its centre."""
    volume = _empty_volume(grid, 2 * shell.radii_mm[1] + 12)
    along, radius, angle = heart_coordinates(volume)
    length = along / (grid.slices * grid.spacing_zyx_mm[0]) + 0.5
    depth = (radius - shell.radii_mm[0]) / (shell.radii_mm[1] - shell.radii_mm[0])
    labels = np.where(depth < 0, 1, np.where(depth < 1, 2, 0)).astype(np.uint8)
    if shell.wedge is not None:
        wedge = shell.wedge
        width = wedge.angles_deg[1] - wedge.angles_deg[0]
        turned = angle - wedge.angles_deg[0] - wedge.twist_deg_per_mm * along
        inside = (turned % 360 < width) & _between(length, wedge.length) & (labels == 2)
        labels[inside & _between(depth, wedge.depth)] = 3
        if shell.mvo_depth is not None:
            labels[inside & _between(depth, shell.mvo_depth)] = 4
    signal = np.array([AIR, BLOOD, REMOTE, SCAR, MVO])[labels]
    signal += shell.noise * np.random.default_rng(7).standard_normal(signal.shape)
    return volume.with_array(signal), volume.with_array(labels)


def flags_but_a_tubes(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the flags that a shell has for other reasons than being one."""
    return tuple(flag for flag in flags if flag not in TUBE_FLAGS)


def heart_coordinates(volume: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return each voxel's place from the heart's middle to its apex, its distance from the axis, and its angle."""
    index = np.moveaxis(np.indices(volume.shape_zyx), 0, -1).astype(float)
    offset = volume.world(index) - CENTRE
    along = offset @ TOWARDS_APEX
    across = offset @ INSERTION - SHIFT[0] * along
    through = offset @ np.cross(TOWARDS_APEX, INSERTION) - SHIFT[1] * along
    return along, np.hypot(across, through), np.degrees(np.arctan2(through, across)) % 360


def defined(value: float | None) -> float:
    """Return a measure that must not be undefined."""
    assert value is not None
    return value


def _between(value: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (value >= limits[0]) & (value < limits[1])


def _empty_volume(grid: Grid, side_mm: float) -> Volume:
    turn = np.radians(grid.turn_deg)
    x = np.cos(turn) * UPWARD + np.sin(turn) * SEPTAL
    y = -np.sin(turn) * UPWARD + np.cos(turn) * SEPTAL
    z = -TOWARDS_APEX if grid.apex_first else TOWARDS_APEX
    direction = np.stack([y if grid.mirrored else x, x if grid.mirrored else y, z], axis=1)
    rows, columns = (round(side_mm / spacing) for spacing in grid.spacing_zyx_mm[1:])
    shape = (grid.slices, rows, columns)
    # A third of a pixel off the axis, so that no voxel is centred on it.
    middle = np.array([columns / 2 - 0.3, rows / 2 - 0.6, (grid.slices - 1) / 2]) * grid.spacing_zyx_mm[::-1]
    ox, oy, oz = CENTRE - direction @ middle
    return Volume(np.zeros(shape, np.uint8), grid.spacing_zyx_mm, (ox, oy, oz), direction)
