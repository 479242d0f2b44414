"""What must hold for any heart: storage, intensity scale and bookkeeping change nothing."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shells import Grid, Shell, Wedge, defined, make_shell

from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.measures import StudyMeasures, measure_study
from scarnet_cli.tables.columns import cells_of

# Derandomised: the same examples on every run. A study takes 30 to 60 ms, so the default deadline fits no slow machine.
few = settings(max_examples=10, deadline=None, derandomize=True)
N_SD = [f"scar_{n}sd_percent" for n in range(2, 7)]


@st.composite
def hearts(draw: st.DrawFn) -> tuple[Volume, Volume]:
    """Shells with a noisy, ragged wedge of scar, with or without MVO, on grids of any kind."""
    start, width = draw(st.floats(0, 359)), draw(st.floats(5, 300))
    depth, length = draw(st.floats(0.2, 1.0)), draw(st.floats(0.3, 1.0))
    mvo = draw(st.sampled_from([None, (0.3, 0.6)]))
    grid = Grid(
        slices=draw(st.integers(1, 6)),
        spacing_zyx_mm=(draw(st.floats(5, 12)), draw(st.floats(1.2, 2)), draw(st.floats(1.2, 2))),
        turn_deg=draw(st.floats(0, 360)),
    )
    wedge = Wedge((start, start + width), (0.0, depth), (0.0, length))
    image, labels = make_shell(Shell(wedge=wedge, mvo_depth=mvo, noise=draw(st.sampled_from([5.0, 25.0]))), grid)
    ragged = np.random.default_rng(draw(st.integers(0, 99))).random(labels.array.shape) < 0.1
    return image, labels.with_array(np.where(ragged & (labels.array == 3), 2, labels.array))


def _stored_otherwise(volume: Volume, axis: int) -> Volume:
    """Reverse one axis of the array; the geometry says so, every voxel stays in its place."""
    direction = volume.direction.copy()
    column = 2 - axis
    last = np.zeros(3)
    last[axis] = volume.array.shape[axis] - 1
    x, y, z = volume.world(last)
    direction[:, column] *= -1
    return Volume(np.flip(volume.array, axis), volume.spacing_zyx_mm, (x, y, z), direction)


def _transposed(volume: Volume) -> Volume:
    """Swap rows and columns; the geometry says so, every voxel stays in its place."""
    z, y, x = volume.spacing_zyx_mm
    return Volume(volume.array.swapaxes(1, 2), (z, x, y), volume.origin_xyz_mm, volume.direction[:, [1, 0, 2]])


def _comparable(measures: StudyMeasures) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the three tables; slices from apex to base, without the numbers they are stored under."""
    stored = ("slice", "remote_slice")
    slices = [
        {key: value for key, value in cells_of(row).items() if key not in stored}
        for row in sorted(measures.slices, key=lambda row: row.z_mm)
    ]
    return cells_of(measures.scan), slices, [cells_of(row) for row in measures.segments]


def _assert_same(first: StudyMeasures, second: StudyMeasures) -> None:
    (scan, slices, segments), (scan2, slices2, segments2) = _comparable(first), _comparable(second)
    for row, row2 in zip([scan, *slices, *segments], [scan2, *slices2, *segments2], strict=True):
        assert _differing(row, row2) == {}


def _differing(row: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the columns in which two rows differ by more than rounding."""
    pairs = {key: (value, other[key]) for key, value in row.items()}
    return {key: (a, b) for key, (a, b) in pairs.items() if not (a == b or _close(a, b))}


def _close(a: object, b: object) -> bool:
    return isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


@few
@given(heart=hearts(), axis=st.integers(0, 2))
def test_reversing_or_mirroring_the_stored_stack_changes_nothing(heart: tuple[Volume, Volume], axis: int) -> None:
    image, labels = heart
    stored = measure_study(_stored_otherwise(image, axis), _stored_otherwise(labels, axis))
    _assert_same(measure_study(image, labels), stored)


@few
@given(heart=hearts())
def test_swapping_rows_and_columns_changes_nothing(heart: tuple[Volume, Volume]) -> None:
    image, labels = heart
    _assert_same(measure_study(image, labels), measure_study(_transposed(image), _transposed(labels)))


@few
@given(heart=hearts(), degrees=st.floats(-20, 20), shift=st.floats(-500, 500))
def test_moving_the_patient_with_the_insertion_changes_nothing(
    heart: tuple[Volume, Volume], degrees: float, shift: float
) -> None:
    image, labels = heart
    moves = _rotation(degrees), np.array([shift, -shift, shift / 2])
    point = np.array([60.0, -40.0, 30.0])
    still = measure_study(image, labels, (60.0, -40.0, 30.0))
    x, y, z = moves[0] @ point + moves[1]
    moved = measure_study(_moved(image, *moves), _moved(labels, *moves), (x, y, z))
    (scan, slices, segments), (scan2, slices2, segments2) = _comparable(still), _comparable(moved)
    for row, row2 in zip([scan, *segments], [scan2, *segments2], strict=True):
        assert _differing(row, row2) == {}
    assert [row["scar_percent"] for row in slices] == [row["scar_percent"] for row in slices2]


@few
@given(heart=hearts(), gain=st.floats(0.01, 100), offset=st.floats(-1000, 1000))
def test_n_sd_follows_a_linear_change_of_each_slice(heart: tuple[Volume, Volume], gain: float, offset: float) -> None:
    image, labels = heart
    whole = image.with_array(gain * image.array + offset)
    before, after = measure_study(image, labels).scan, measure_study(whole, labels).scan
    assert [getattr(before.thresholds, name) for name in N_SD] == [getattr(after.thresholds, name) for name in N_SD]


@few
@given(heart=hearts(), gain=st.floats(0.01, 100))
def test_half_maximum_follows_a_gain(heart: tuple[Volume, Volume], gain: float) -> None:
    image, labels = heart
    before, after = measure_study(image, labels).scan, measure_study(image.with_array(gain * image.array), labels).scan
    names = ["scar_fwhm_percent_lv", "core_percent_lv", "border_percent_lv", "half_of"]
    cells, cells2 = cells_of(before), cells_of(after)
    assert [cells[name] for name in names] == [cells2[name] for name in names]


@few
@given(heart=hearts())
def test_parts_never_exceed_the_whole(heart: tuple[Volume, Volume]) -> None:
    scan = measure_study(*heart).scan
    n_sd = [getattr(scan.thresholds, name) for name in N_SD]
    if n_sd[0] is not None:
        assert n_sd == sorted(n_sd, reverse=True)
        assert scan.thresholds.core_percent is not None
        assert scan.thresholds.border_percent is not None
        assert scan.thresholds.core_percent + scan.thresholds.border_percent <= 100 + 1e-9
    assert scan.mvo_ml <= scan.scar_ml <= scan.myocardium_ml
    assert scan.largest_scar_ml <= scan.scar_ml + 1e-9


@few
@given(heart=hearts(), gain=st.sampled_from([0.25, 4.0]), offset=st.sampled_from([-512.0, 0.0, 64.0]))
def test_entropy_follows_a_linear_change(heart: tuple[Volume, Volume], gain: float, offset: float) -> None:
    image, labels = heart
    coarse = image.with_array(np.round(image.array))  # so that sums are exact and no voxel changes its bin by rounding
    changed = coarse.with_array(gain * coarse.array + offset)
    before, after = measure_study(coarse, labels), measure_study(changed, labels)
    for row, row2 in zip([before.scan, *before.slices], [after.scan, *after.slices], strict=True):
        assert (row.shape.myocardium_entropy, row.shape.scar_entropy) == (
            row2.shape.myocardium_entropy,
            row2.shape.scar_entropy,
        )


@few
@given(heart=hearts())
def test_shape_lies_within_its_bounds(heart: tuple[Volume, Volume]) -> None:
    scan = measure_study(*heart).scan
    assert scan.shape.scar_interface_mm2 is not None
    assert scan.shape.scar_interface_mm2 >= 0
    for entropy in (scan.shape.myocardium_entropy, scan.shape.scar_entropy):
        assert entropy is None or 0 <= entropy <= 6 + 1e-9
    if scan.shape.scar_radiality is not None:
        assert 0 < scan.shape.scar_radiality < 1


@few
@given(heart=hearts())
def test_segments_and_slices_add_up_to_the_whole(heart: tuple[Volume, Volume]) -> None:
    measures = measure_study(*heart)
    scan = measures.scan
    assert sum(defined(row.myocardium_ml) for row in measures.segments) == pytest.approx(scan.myocardium_ml)
    assert sum(defined(row.scar_ml) for row in measures.segments) == pytest.approx(scan.scar_ml)
    weighted = sum((row.scar_percent or 0.0) * defined(row.myocardium_ml) for row in measures.segments)
    assert weighted / scan.myocardium_ml == pytest.approx(scan.scar_percent_lv)
    for rows in (measures.segments, measures.slices):
        assert sum(row.shape.scar_interface_mm2 or 0.0 for row in rows) == pytest.approx(scan.shape.scar_interface_mm2)
    area = sum(row.scar_mm2 for row in measures.slices)
    assert area * scan.slice_spacing_mm / 1000 == pytest.approx(scan.scar_ml)


def _rotation(degrees: float) -> NDArray[np.float64]:
    """Return a rotation round an axis between all three."""
    angle, axis = np.radians(degrees), np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _moved(volume: Volume, rotation: NDArray[np.float64], shift: NDArray[np.float64]) -> Volume:
    x, y, z = rotation @ np.array(volume.origin_xyz_mm) + shift
    return Volume(volume.array, volume.spacing_zyx_mm, (x, y, z), rotation @ volume.direction)
