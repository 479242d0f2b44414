"""The scar-to-healthy interface against areas worked out on paper; the bias is said in docs/measures.md."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.interface import interface_mm2

GRIDS = [
    Grid(9, (9.0, 1.3, 1.6), 20.0),
    Grid(12, (6.0, 1.1, 1.1), -65.0, apex_first=True),
    Grid(6, (13.0, 1.6, 1.2), 155.0, mirrored=True),
    Grid(10, (10.0, 1.4, 1.4), 45.0, apex_first=True, mirrored=True),
]
# Pixels make steps of a border at an angle to them: at 22.5 degrees it comes out 8 % longer, in the mean of all 5 %.
STAIRS = 0.09


def _area(labels: Volume) -> float:
    myocardium, scar = (region_mask(labels.array, region) for region in ("myocardium", "scar"))
    return float(interface_mm2(myocardium, scar, labels.spacing_zyx_mm).sum())


def _box(array: NDArray[np.uint8], spacing_zyx_mm: tuple[float, float, float]) -> float:
    return float(interface_mm2(array > 0, array > 1, spacing_zyx_mm).sum())


def _oblique_mm(outer_mm: float, twist_deg_per_mm: float) -> float:
    """Return the length of the curve from 22 mm to the outer radius, stretched as the twist tilts the border."""
    radius, step = np.linspace(22.0, outer_mm, 1001, retstep=True)
    stretched = np.sqrt(1 + (math.radians(twist_deg_per_mm) * radius) ** 2)
    return float((stretched[1:] + stretched[:-1]).sum() * step / 2)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_straight_border_across_a_block_is_its_face(grid: Grid) -> None:
    z, y, x = grid.spacing_zyx_mm
    block = np.ones((4, 6, 8), np.uint8)
    block[:, :, 5:] = 2
    assert _box(block, grid.spacing_zyx_mm) == pytest.approx(4 * z * 6 * y)
    assert _box(block.transpose(2, 1, 0), (x, y, z)) == pytest.approx(4 * z * 6 * y)


def test_diagonal_border_is_its_hypotenuse() -> None:
    # scar below the diagonal of a block of 30 x 30 pixels of 1.5 mm, 3 slices of 8 mm: 30 x 1.5 x sqrt(2) x 24 mm2
    block = np.repeat((1 + np.tri(30, dtype=np.uint8))[None], 3, axis=0)
    assert _box(block, (8.0, 1.5, 1.5)) == pytest.approx(30 * 1.5 * math.sqrt(2) * 24, rel=0.03)


@pytest.mark.parametrize("twist", [0.0, 0.4])
@pytest.mark.parametrize("depth", [0.5, 1.0])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_wedge_straight_or_oblique_has_two_sides_and_an_outer_border(grid: Grid, depth: float, twist: float) -> None:
    _, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0), (0.0, depth), twist_deg_per_mm=twist)), grid)
    length_mm, outer_mm = grid.slices * grid.spacing_zyx_mm[0], 22.0 + 10.0 * depth
    sides = 2 * _oblique_mm(outer_mm, twist) * length_mm
    outer = math.pi / 2 * outer_mm * length_mm if depth < 1 else 0.0
    assert 1 - 0.02 < _area(labels) / (sides + outer) < 1 + STAIRS


def test_ends_of_a_wedge_count_once_each() -> None:
    # the middle third of 9 slices: two ends of a quarter of the ring, two sides of 10 x 27 mm
    _, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0), length=(1 / 3, 2 / 3))), Grid(9))
    ends, sides = 2 * math.pi / 4 * (32.0**2 - 22.0**2), 2 * 10.0 * 27.0
    assert _area(labels) == pytest.approx(ends + sides, rel=0.05)


def test_without_scar_or_without_healthy_myocardium_there_is_no_interface() -> None:
    _, healthy = make_shell(Shell())
    _, scarred = make_shell(Shell(wedge=Wedge((0.0, 359.9999))))
    everywhere = scarred.with_array(np.where(scarred.array == 2, 3, scarred.array))
    assert (_area(healthy), _area(everywhere)) == (0.0, 0.0)


def test_area_lies_at_the_border_inside_the_myocardium() -> None:
    _, labels = make_shell(Shell(wedge=Wedge((15.0, 105.0))))
    wall = region_mask(labels.array, "myocardium")
    area = interface_mm2(wall, region_mask(labels.array, "scar"), labels.spacing_zyx_mm)
    assert area.shape == wall.shape
    assert not area[~wall].any()
    assert (area > 0).sum() < 0.2 * wall.sum()
