import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scarnet_cli.image.intensity import normalise_slices, scale_slices


def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, (3, 16, 16)).astype(np.float32)


def test_each_slice_has_mean_zero_and_sd_one() -> None:
    slices = normalise_slices(noise() * np.array([1, 10, 0.1]).reshape(3, 1, 1))
    assert slices.mean(axis=(1, 2)) == pytest.approx([0, 0, 0], abs=1e-5)
    assert slices.std(axis=(1, 2)) == pytest.approx([1, 1, 1], abs=1e-4)


def test_the_levels_may_be_those_of_the_middle() -> None:
    framed = np.pad(noise(), ((0, 0), (4, 4), (4, 4)), constant_values=1e4)
    slices = normalise_slices(framed, middle=16)
    assert slices[:, 4:-4, 4:-4] == pytest.approx(normalise_slices(noise()), abs=1e-5)
    # what is brighter than the middle is clipped to its brightest
    assert np.all(slices[:, 0, 0] == slices[:, 4:-4, 4:-4].max(axis=(1, 2)))


def test_a_constant_slice_becomes_zeros() -> None:
    assert np.all(normalise_slices(np.full((1, 8, 8), 7.0)) == 0)
    assert np.all(scale_slices(np.full((1, 8, 8), 7.0)) == 0)


def test_scaled_slices_run_from_zero_to_one() -> None:
    scaled = scale_slices(np.arange(1000.0).reshape(1, 20, 50))
    # percentiles 0.5 and 99.5 of 0..999 are 4.995 and 994.005
    assert scaled.min() == 0
    assert scaled.max() == 1
    assert scaled[0, 10, 0] == pytest.approx((500 - 4.995) / (994.005 - 4.995))


@given(gain=st.floats(0.1, 50.0), offset=st.floats(-1000.0, 1000.0))
def test_a_linear_change_of_intensity_changes_nothing(gain: float, offset: float) -> None:
    base = noise().astype(np.float64)
    assert normalise_slices(gain * base + offset) == pytest.approx(normalise_slices(base), abs=1e-4)
