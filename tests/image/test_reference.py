"""A reference can be compared, or the error says why not, without the file's name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scarnet_cli.errors import GeometryError
from scarnet_cli.image.reference import read_reference
from scarnet_cli.image.volume import Volume, write_nifti

GRID = Volume(np.zeros((2, 3, 4), np.float32), (8.0, 1.5, 1.25), (3.0, -5.0, 7.0), np.eye(3))


def test_whole_numbers_in_any_type_become_labels(tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4) % 5
    write_nifti(GRID.with_array(array * 1.0000001), tmp_path / "r.nii.gz")
    reference = read_reference(tmp_path / "r.nii.gz", GRID)
    assert reference.array.dtype == np.uint8
    assert np.array_equal(reference.array, array)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"array": np.zeros((2, 3, 5), np.uint8)},
            r"stack's grid: it has 5 x 3 x 2 voxels .* the stack 4 x 3 x 2 voxels",
        ),
        ({"origin_xyz_mm": (3.0, -5.0, 8.0)}, "is not on the stack's grid"),
        ({"array": np.full((2, 3, 4), 7, np.uint8)}, r"holds the values \[7\]; they must be 0 to 4"),
        ({"array": np.full((2, 3, 4), 0.5)}, r"holds the values \[0.5\]"),
    ],
)
def test_what_cannot_be_compared_raises(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    write_nifti(replace(GRID, **change), tmp_path / "DOE_JANE.nii.gz")
    with pytest.raises(GeometryError, match=words) as raised:
        read_reference(tmp_path / "DOE_JANE.nii.gz", GRID)
    assert raised.value.code == "reference_unusable"
    assert "DOE" not in str(raised.value)


def test_a_file_that_is_no_image_raises_without_its_name(tmp_path: Path) -> None:
    (tmp_path / "DOE_JANE.nii.gz").write_bytes(b"no image")
    with pytest.raises(GeometryError, match="cannot be compared") as raised:
        read_reference(tmp_path / "DOE_JANE.nii.gz", GRID)
    assert "DOE" not in str(raised.value)
