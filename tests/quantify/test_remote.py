import numpy as np
import pytest
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.quantify.orientation import find_frame
from scarnet_cli.quantify.regions import find_regions
from scarnet_cli.quantify.remote import find_remotes, mean_and_sd, remote_mask

STRIP = (slice(3, 9), slice(0, 60))  # myocardium of 6 x 60 pixels


def _strip(scar_until: int) -> tuple[np.ndarray, np.ndarray]:
    myocardium, scar = np.zeros((12, 60), bool), np.zeros((12, 60), bool)
    myocardium[STRIP] = True
    scar[3:9, :scar_until] = True
    return myocardium, scar


def test_remote_lies_10_mm_from_scar_and_off_both_borders() -> None:
    myocardium, scar = _strip(10)
    remote = remote_mask(myocardium, scar, (1.0, 2.0))
    # scar ends at column 9; columns are 2 mm apart, so column 14 is 10 mm away; rows 3 and 8 and column 59 are border
    expected = np.zeros_like(remote)
    expected[4:8, 14:59] = True
    assert np.array_equal(remote, expected)


def test_remote_of_a_thin_wall_includes_its_borders() -> None:
    myocardium = np.zeros((12, 60), bool)
    myocardium[4:6] = True  # two pixels thick: all of it is border
    assert np.array_equal(remote_mask(myocardium, np.zeros_like(myocardium), (1.0, 1.0)), myocardium)


def test_remote_comes_within_5_mm_of_scar_where_10_leave_too_little() -> None:
    myocardium, scar = _strip(49)
    remote = remote_mask(myocardium, scar, (1.0, 1.0))
    # 10 mm from column 48 leave columns 58 and 59, too few; 5 mm leave columns 53 to 59, the last of them border
    expected = np.zeros_like(remote)
    expected[4:8, 53:59] = True
    assert np.array_equal(remote, expected)


def test_fewer_than_20_pixels_are_no_remote() -> None:
    myocardium, scar = _strip(54)
    assert not remote_mask(myocardium, scar, (1.0, 1.0)).any()


def test_equal_values_have_exactly_no_spread() -> None:
    assert mean_and_sd(np.full(1000, 0.1)) == (0.1, 0.0)


def test_mean_and_population_sd() -> None:
    assert mean_and_sd(np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])) == pytest.approx((5.0, 2.0))


def test_remote_records_its_place_opposite_to_the_scar() -> None:
    shell = Shell(wedge=Wedge((30.0, 90.0)), noise=3.0)
    regions = find_regions(*make_shell(shell, Grid(slices=3)))
    for remote in find_remotes(regions, find_frame(regions)):
        assert remote is not None
        assert remote.angle_deg == pytest.approx(240.0, abs=3)
        # 300 degrees of a ring of 32^2 - 22^2 less 10 mm at each end, less the borders: more than a third of it
        assert 250 < remote.pixels < 700
        assert remote.mean == pytest.approx(50.0, abs=1)
        assert remote.sd == pytest.approx(3.0, abs=0.5)


def test_remote_all_round_has_no_angle() -> None:
    regions = find_regions(*make_shell(Shell(noise=3.0), Grid(slices=1)))
    remote = find_remotes(regions, find_frame(regions))[0]
    assert remote is not None
    assert remote.angle_deg is None


@pytest.mark.parametrize(("grid", "lender"), [(Grid(slices=5), 1), (Grid(slices=5, apex_first=True), 3)])
def test_of_two_neighbours_the_more_basal_lends_its_remote(grid: Grid, lender: int) -> None:
    image, labels = make_shell(Shell(noise=3.0), grid)
    scarred = labels.array.copy()
    scarred[2][scarred[2] == 2] = 3
    regions = find_regions(image, labels.with_array(scarred))
    remote = find_remotes(regions, find_frame(regions))[2]
    assert remote is not None
    assert remote.slice_index == lender
