"""Every way in which an archive may hold a stack: right to the voxel and to the slice, or refused with its code."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_cases import CASES, Case, Truth
from dicom_cases.outcome import Outcome, outcome
from dicom_cases.truth import FLOAT32_MM

from scarnet_cli.image.volume import Volume
from scarnet_cli.index.study_plan import PlannedStudy
from scarnet_cli.tables.flags import FLAGS

# What only a decoder can know, and files of which not even the series is known: the table `series` cannot say it.
NOT_IN_SERIES = {"unreadable_files", "philips_scale"}
# DICOM's decimal strings have 16 characters: 10 digits behind the point at 100 mm.
DICOM_MM = 1e-9
GIVEN = [pytest.param(case, id=name) for name, case in CASES.items()]


def corners(volume: Volume) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the LPS positions of the centres of each slice's corner pixels, (z, 4, 3)."""
    slices, rows, columns = volume.shape_zyx
    places = [(z, y, x) for z in range(slices) for y in (0, rows - 1) for x in (0, columns - 1)]
    return volume.world(np.array(places, float)).reshape(slices, 4, 3)[:, [0, 2, 1, 3]]


@pytest.mark.parametrize("case", GIVEN)
def test_case_is_right_or_refused(tmp_path: Path, case: Case) -> None:
    truth = case.write(tmp_path / "in")
    found = outcome(tmp_path / "in", tmp_path / "out")
    if truth.refusal is not None:
        assert found.failure is not None, "a volume came out"
        assert found.failure[0] == truth.refusal
        return
    assert found.volume is not None, found.failure
    assert_is(found.volume, truth)
    if truth.tolerance_mm == FLOAT32_MM:
        assert_kept_in_double_precision(found, truth)
    assert found.facts["component"] == truth.component
    assert found.facts["flags"] == sorted(truth.flags)
    assert set(truth.flags) <= set(FLAGS)
    assert sorted(rule["code"] for rule in found.facts["rules"]) == sorted((*truth.rules, *truth.flags))
    assert all(rule["words"].endswith(".") for rule in found.facts["rules"])
    assert_series_say_so(found.study, found.facts["rules"])


def assert_is(volume: Volume, truth: Truth) -> None:
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, truth.stack.values.astype(np.float32))
    np.testing.assert_allclose(volume.spacing_zyx_mm[1:], truth.stack.spacing_yx_mm, rtol=0, atol=1e-6)
    order = volume.direction[:, :2].T @ truth.stack.direction[:, :2]
    np.testing.assert_allclose(order, np.eye(2), atol=0.01)
    np.testing.assert_allclose(corners(volume), truth.stack.corners_xyz_mm, rtol=0, atol=truth.tolerance_mm)


def assert_kept_in_double_precision(found: Outcome, truth: Truth) -> None:
    assert found.volume is not None
    kept = found.facts["geometry"]
    exact = Volume(
        found.volume.array, tuple(kept["spacing_zyx_mm"]), tuple(kept["origin_xyz_mm"]), np.array(kept["direction"])
    )
    np.testing.assert_allclose(corners(exact), truth.stack.corners_xyz_mm, rtol=0, atol=DICOM_MM)


def assert_series_say_so(study: PlannedStudy, rules: list[dict[str, str]]) -> None:
    said = " ".join(series.reason for series in study.series if series.chosen)
    for rule in rules:
        if rule["code"] not in NOT_IN_SERIES:
            assert rule["code"] in said
            assert rule["words"] in said
