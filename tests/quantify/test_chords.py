import numpy as np
import pytest
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.chords import CHORDS, Chords, find_chords
from scarnet_cli.quantify.orientation import find_frame
from scarnet_cli.quantify.regions import find_regions
from scarnet_cli.quantify.segments import find_levels


def _chords(image: Volume, labels: Volume) -> Chords:
    regions = find_regions(image, labels)
    frame = find_frame(regions)
    return find_chords(regions, frame, find_levels(regions, frame))


def _of_percent(percent: list[float]) -> Chords:
    n = len(percent)
    values = np.array(percent)
    return Chords(np.zeros(n, np.intp), np.ones(n, np.uint8), np.ones(n), values, values > 50, values, values / 200)


def test_every_chord_of_a_closed_ring_measures_its_wall() -> None:
    chords = _chords(*make_shell(Shell(radii_mm=(20.0, 29.0)), Grid(slices=4)))
    assert chords.wall_mm.size == 4 * CHORDS
    assert chords.wall_mm.mean() == pytest.approx(9.0, abs=0.2)
    assert np.abs(chords.wall_mm - 9.0).max() < 1.6  # no chord is off by more than a pixel
    assert set(np.unique(chords.segment)) == set(range(1, 17))


@pytest.mark.parametrize("width_deg", [30.0, 60.0, 180.0])
@pytest.mark.parametrize("depth", [(0.0, 0.3), (0.0, 0.75), (0.3, 0.7), (0.5, 1.0)])
def test_transmurality_of_a_wedge_is_its_depth_at_any_width(width_deg: float, depth: tuple[float, float]) -> None:
    shell = Shell(wedge=Wedge((40.0, 40.0 + width_deg), depth))
    chords = _chords(*make_shell(shell, Grid(slices=6, spacing_zyx_mm=(9.0, 1.2, 1.4))))
    assert chords.transmurality() == pytest.approx(100 * (depth[1] - depth[0]), abs=3)
    # its width, less half a degree or so at the stairs of each lateral border
    assert (chords.scar_percent > 0).mean() * 360 == pytest.approx(width_deg, abs=3)


def test_endocardial_extent_counts_scar_that_reaches_the_cavity() -> None:
    inner = _chords(*make_shell(Shell(wedge=Wedge((0.0, 90.0), (0.0, 0.4)))))
    outer = _chords(*make_shell(Shell(wedge=Wedge((0.0, 90.0), (0.6, 1.0)))))
    assert inner.endocardial_extent_percent() == pytest.approx(25.0, abs=1)
    assert outer.endocardial_extent_percent() == 0.0


def test_open_ring_has_chords_only_where_there_is_wall() -> None:
    image, labels = make_shell(Shell(), Grid(slices=1))
    _, gap = make_shell(Shell(wedge=Wedge((200.0, 290.0))), Grid(slices=1))
    open_ring = np.where(gap.array == 3, 0, labels.array)
    chords = _chords(image, labels.with_array(open_ring))
    assert chords.wall_mm.size == pytest.approx(0.75 * CHORDS, abs=4)
    assert chords.transmurality() is None


def test_cap_has_no_chords() -> None:
    image, labels = make_shell(Shell(), Grid(slices=5))
    capped = labels.array.copy()
    capped[4] = np.where(capped[4] == 1, 2, capped[4])
    chords = _chords(image, labels.with_array(capped))
    assert set(np.unique(chords.slice_index)) == {0, 1, 2, 3}


def test_kim_classes_include_their_upper_limit() -> None:
    chords = _of_percent([0.0, 0.1, 25.0, 25.1, 50.0, 50.1, 75.0, 75.1, 100.0, 100.0])
    assert chords.kim_percent() == (10.0, 20.0, 20.0, 20.0, 30.0)  # none, up to 25, 50, 75, 100 %


def test_mean_transmurality_is_over_chords_with_scar() -> None:
    assert _of_percent([0.0, 0.0, 40.0, 80.0]).transmurality() == 60.0


@pytest.mark.parametrize("depth", [(0.0, 1.0), (0.0, 0.5), (0.0, 0.3), (0.3, 0.7), (0.5, 1.0)])
@pytest.mark.parametrize("spacing", [(9.0, 1.2, 1.4), (6.0, 1.6, 1.3)])
def test_radiality_is_the_mean_depth_of_the_scars_area(
    depth: tuple[float, float], spacing: tuple[float, float, float]
) -> None:
    chords = _chords(*make_shell(Shell(wedge=Wedge((40.0, 130.0), depth)), Grid(slices=6, spacing_zyx_mm=spacing)))
    # a ring's area grows with its radius: mean of r over the area between two radii, then as a part of the 10 mm wall
    inner, outer = (22.0 + 10.0 * part for part in depth)
    mean_radius = 2 / 3 * (outer**3 - inner**3) / (outer**2 - inner**2)
    assert chords.radiality() == pytest.approx((mean_radius - 22.0) / 10.0, abs=0.03)
    assert chords.scar_mm2.sum() == pytest.approx(6 * np.pi / 4 * (outer**2 - inner**2), rel=0.03)


def test_radiality_weighs_chords_by_their_scar() -> None:
    # areas 0, 40 and 80 at depths 0, 0.2 and 0.4
    assert _of_percent([0.0, 40.0, 80.0]).radiality() == pytest.approx((40 * 0.2 + 80 * 0.4) / 120)
    assert _of_percent([0.0, 0.0]).radiality() is None


def test_without_chords_everything_is_undefined() -> None:
    none = _of_percent([])
    assert none.transmurality() is None
    assert none.radiality() is None
    assert none.kim_percent() is None
    assert none.endocardial_extent_percent() is None
    assert none.wall_thickness_mm() is None
