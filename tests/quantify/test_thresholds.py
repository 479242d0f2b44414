import numpy as np
import pytest

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.orientation import find_frame
from scarnet_cli.quantify.regions import Regions, find_regions
from scarnet_cli.quantify.remote import Remote, find_remotes
from scarnet_cli.quantify.thresholds import ThresholdMasks, find_threshold_masks, n_sd_threshold, peak_signal


def _strip(signal: list[float], scarred: list[int], mvo: tuple[int, ...] = ()) -> Regions:
    """Return one slice, a strip of myocardium 6 rows high, each value 4 columns wide (columns are 1 mm apart)."""
    columns = np.repeat(np.array(signal, float), 4)
    labels = np.zeros((1, 6, columns.size), np.uint8) + 2
    for number, value in [(n, 3) for n in scarred] + [(n, 4) for n in mvo]:
        labels[0, :, 4 * number : 4 * number + 4] = value
    grid = Volume(labels, (8.0, 1.0, 1.0), (0.0, 0.0, 0.0), np.eye(3))
    return find_regions(grid.with_array(np.tile(columns, (1, 6, 1))), grid)


def _masks(regions: Regions) -> ThresholdMasks:
    return find_threshold_masks(regions, find_remotes(regions, find_frame(regions)))


def _columns(mask: np.ndarray | None) -> list[int]:
    """Return the strips (4 columns each) that a mask fills."""
    assert mask is not None
    whole = mask[0, :6].reshape(6, -1, 4)
    assert np.array_equal(whole.any(axis=(0, 2)), whole.all(axis=(0, 2)))
    return [int(strip) for strip in np.flatnonzero(whole.all(axis=(0, 2)))]


def test_peak_is_the_greatest_local_mean_of_the_region_alone() -> None:
    signal = np.zeros((9, 9))
    signal[2:6, 2:6] = 100.0
    signal[0, 8] = 900.0
    mask = np.zeros((9, 9), bool)
    mask[2:6, 2:6] = True
    assert peak_signal(signal, mask) == pytest.approx(100.0)  # a plateau is kept, to its edge
    signal[3, 3] = 190.0
    assert peak_signal(signal, mask) == pytest.approx(
        122.5
    )  # one pixel of 190 among 4 at the corner: (3 x 100 + 190) / 4


def test_n_sd_threshold_is_mean_plus_n_sd() -> None:
    assert n_sd_threshold(Remote(0, 100, 50.0, 4.0, 60.0, None), 5) == 70.0


def test_half_of_the_signal_where_myocardium_is_dark() -> None:
    # strips 0 and 1 are scar of 200 and 120; 2 is brighter than half of 200 but no scar; 3 lies between
    masks = _masks(_strip([200, 120, 105, 90, 10, 10, 10, 10, 10, 10], [0, 1]))
    assert masks.half_of == "signal"
    assert masks.halves == pytest.approx([100.0])
    assert _columns(masks.fwhm) == [0, 1, 2]
    assert masks.n_sd is not None
    assert _columns(masks.n_sd[6]) == [0, 1, 2, 3]


def test_half_of_the_rise_where_myocardium_is_bright() -> None:
    # remote is 120 and the scar 200: half of 200 would take everything, half of the rise is 160
    masks = _masks(_strip([200, 165, 155, 120, 120, 120, 120, 120, 120, 120], [0, 1]))
    assert masks.half_of == "rise_above_remote"
    assert masks.halves == pytest.approx([160.0])
    assert _columns(masks.fwhm) == [0, 1]


def test_fwhm_needs_a_connection_with_the_scar() -> None:
    masks = _masks(_strip([200, 10, 10, 10, 10, 10, 10, 10, 10, 10, 180], [0]))
    assert _columns(masks.fwhm) == [0]


def test_core_and_border_lie_within_5_mm_of_the_scar() -> None:
    # scar is strip 0; 5 mm reach column 8: strip 1 is border (30 to 100), of strip 2 (border by signal) one column
    regions = _strip([200, 60, 60, 30, 30, 30, 30, 30, 30, 30], [0])
    masks = _masks(regions)
    assert masks.border is not None
    assert _columns(masks.core) == [0]
    assert np.flatnonzero(masks.border[0].all(axis=0)).tolist() == [4, 5, 6, 7, 8]


def test_core_includes_its_threshold_and_fwhm_does_not() -> None:
    masks = _masks(_strip([200, 100, 10, 10, 10, 10, 10, 10, 10, 10], [0]))
    assert _columns(masks.core) == [0, 1]
    assert _columns(masks.fwhm) == [0]


def test_mvo_is_filled_in_however_dark() -> None:
    masks = _masks(_strip([200, 5, 200, 10, 10, 10, 10, 10, 10, 10], [0, 2], mvo=(1,)))
    assert masks.peaks == pytest.approx([200.0])
    assert masks.n_sd is not None
    assert _columns(masks.n_sd[6]) == _columns(masks.fwhm) == _columns(masks.core) == [0, 1, 2]
    assert _columns(masks.border) == []


def test_without_remote_only_the_half_maximum_is_defined() -> None:
    masks = _masks(_strip([200, 200, 90], [0, 1, 2]))
    assert masks.n_sd is None
    assert masks.border is None
    assert _columns(masks.fwhm) == [0, 1]


def test_without_scar_half_maximum_finds_nothing() -> None:
    masks = _masks(_strip([10, 10, 10, 10, 90, 10], []))
    assert masks.half_of is None
    assert masks.halves == [None]
    assert not masks.fwhm.any()
    assert not masks.core.any()
    assert masks.border is not None
    assert not masks.border.any()
