"""One grid from many slices, or a refusal."""

import numpy as np
import pytest
from dicom_series import COLUMN, FIRST_MM, NORMAL, ROW
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scarnet_cli.dicom.geometry import direction_of, stack_geometry, turn_deg
from scarnet_cli.errors import DicomError

COSINES = np.concatenate([ROW, COLUMN])


def positions(depths: list[float]) -> NDArray[np.float64]:
    return FIRST_MM + np.outer(depths, NORMAL)


@given(order=st.permutations(range(6)))
def test_order_of_slices_does_not_change_the_grid(order: list[int]) -> None:
    found = stack_geometry(positions([10.0 * i for i in order]), np.tile(COSINES, (6, 1)))
    assert [order[i] for i in found.order] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(found.origin_xyz_mm, FIRST_MM, atol=1e-9)
    assert found.slice_spacing_mm == pytest.approx(10.0)


def test_direction_is_right_handed() -> None:
    direction, repaired = direction_of(COSINES)
    assert np.linalg.det(direction) == pytest.approx(1.0)
    assert not repaired


def test_single_slice_is_refused() -> None:
    with pytest.raises(DicomError, match="no slice spacing"):
        stack_geometry(positions([0.0]), COSINES[None])


def test_repeated_position_is_refused() -> None:
    with pytest.raises(DicomError, match=r"lie 0\.50 mm apart") as raised:
        stack_geometry(positions([0.0, 10.0, 10.5, 20.0]), np.tile(COSINES, (4, 1)))
    assert raised.value.code == "repeated_position"


def test_uneven_gap_is_named() -> None:
    with pytest.raises(DicomError, match=r"\(10\.50 mm\)") as raised:
        stack_geometry(positions([0.0, 10.0, 20.5, 30.5, 40.5]), np.tile(COSINES, (5, 1)))
    assert raised.value.code == "slice_gap"


def test_cosines_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(DicomError, match="not orthonormal"):
        direction_of(np.full(6, np.nan))


@given(angle=st.floats(0.0, 179.0))
def test_turn_is_measured_in_degrees(angle: float) -> None:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    assert turn_deg(np.eye(3), turned) == pytest.approx(angle, abs=1e-6)
