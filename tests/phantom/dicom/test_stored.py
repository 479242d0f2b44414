import numpy as np
import pytest

from scarnet_cli.phantom.dicom.stored import as_stored


def test_eight_bit_values_are_stored_as_they_are() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    stored = as_stored(values)
    assert (stored.slope, stored.intercept, stored.bits) == (1.0, 0.0, 12)
    assert stored.pixels.dtype == np.uint16
    assert np.array_equal(stored.pixels, values)


def test_whole_negative_values_are_stored_signed() -> None:
    stored = as_stored(np.array([[[-2048.0, 0.0, 2047.0]]]))
    assert stored.pixels.dtype == np.int16
    assert stored.pixels.tolist() == [[[-2048, 0, 2047]]]
    assert stored.slope == 1


def test_whole_values_above_twelve_bits_take_sixteen() -> None:
    stored = as_stored(np.array([[[0, 4096]]]))
    assert (stored.bits, stored.pixels.max()) == (16, 4096)


def test_fractions_come_back_within_half_of_the_slope() -> None:
    values = np.random.default_rng(0).normal(0, 300, (2, 20, 20))
    stored = as_stored(values)
    # 4095 steps between least and greatest
    assert stored.slope == pytest.approx((values.max() - values.min()) / 4095)
    error = stored.pixels * stored.slope + stored.intercept - values
    assert np.abs(error).max() <= 0.5 * stored.slope * (1 + 1e-6)


def test_constant_fraction_comes_back_exactly() -> None:
    stored = as_stored(np.full((1, 2, 2), 0.25))
    assert stored.pixels.max() * stored.slope + stored.intercept == 0.25
