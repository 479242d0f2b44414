import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scarnet_cli.quantify.entropy import BINS, entropy_bit


def test_equal_signal_has_no_entropy() -> None:
    assert entropy_bit(np.full(1000, 7.3)) == 0.0


def test_evenly_spread_signal_fills_every_bin_and_has_six_bits() -> None:
    assert BINS == 64
    assert entropy_bit(np.linspace(-3.0, 5.0, 64 * 50)) == pytest.approx(6.0, abs=1e-3)


def test_two_levels_in_parts_of_a_quarter_and_three_quarters() -> None:
    # 1/4 log2(4) + 3/4 log2(4/3)
    signal = np.repeat([50.0, 200.0], [300, 100])
    assert entropy_bit(signal) == pytest.approx(0.25 * 2 + 0.75 * math.log2(4 / 3))


def test_fewer_voxels_than_bins_have_none() -> None:
    assert entropy_bit(np.arange(63.0)) is None
    assert entropy_bit(np.arange(64.0)) == pytest.approx(6.0)
    assert entropy_bit(np.zeros(0)) is None


@given(gain=st.floats(0.01, 100), offset=st.floats(-1000, 1000), seed=st.integers(0, 99))
def test_a_linear_change_of_signal_changes_nothing(gain: float, offset: float, seed: int) -> None:
    # whole numbers, whose bins rounding does not move: 64 bins of width 1 / 64 of the range 0 to 640
    signal = np.random.default_rng(seed).integers(0, 64, 500) * 10.0 + 5.0
    signal[:2] = 0.0, 640.0
    before, after = entropy_bit(signal), entropy_bit(gain * signal + offset)
    assert before == pytest.approx(after)
