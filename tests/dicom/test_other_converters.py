"""Where docs/dicom.md calls dcm2niix and SimpleITK right, this project gives the same voxels in the same places."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest
from dicom_cases import CASES
from dicom_cases.converters import CONVERTERS
from dicom_cases.judge import fit, is_right, read_given
from dicom_cases.outcome import outcome
from dicom_cases.truth import TrueStack

from scarnet_cli.image.volume import Volume

PAGE: Final = Path(__file__).parents[2] / "docs" / "dicom.md"
COMPARED: Final = ("dcm2niix", "SimpleITK")


def table() -> dict[str, dict[str, str]]:
    """Return the page's table: case -> converter -> outcome, and what is right under "right is"."""
    text = (
        PAGE.read_text()
        .partition("<!-- cases: made by tools/document.py cases -->")[2]
        .partition("<!-- end of cases -->")[0]
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line]
    heads = [head.split()[0] if head != "right is" else head for head in rows[0]]
    return {row[0]: dict(zip(heads, row, strict=True)) for row in rows[2:] if row[1]}


TABLE: Final = table()
RIGHT: Final = {
    name: [c for c in COMPARED if outcomes[c].startswith("right")]
    for name, outcomes in TABLE.items()
    if outcomes["right is"].startswith("volume")
}


def test_the_page_has_every_case_and_no_other() -> None:
    assert sorted(TABLE) == sorted(CASES), "run .venv/bin/python tools/document.py cases"


def as_stack(volume: Volume) -> TrueStack:
    places = volume.world(np.array([(z, 0.0, 0.0) for z in range(volume.shape_zyx[0])]))
    _, y, x = volume.spacing_zyx_mm
    return TrueStack(volume.array.astype(np.float64), places, volume.direction, (y, x))


@pytest.mark.parametrize("name", [name for name, converters in RIGHT.items() if converters])
def test_same_voxels_and_affine_where_the_others_are_right(tmp_path: Path, name: str) -> None:
    truth = CASES[name].write(tmp_path / "in")
    ours = outcome(tmp_path / "in", tmp_path / "ours").volume
    assert ours is not None
    stack = as_stack(ours)
    for converter in RIGHT[name]:
        assert CONVERTERS[converter](tmp_path / "in", tmp_path / converter) is None
        given = read_given(tmp_path / converter, stack.direction)
        assert any(is_right(fit(volume, stack), stack, truth.tolerance_mm) for volume in given), converter
