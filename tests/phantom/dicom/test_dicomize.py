import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pydicom import dcmread

from scarnet_cli.cases.cases import read_case
from scarnet_cli.cli.dicomize import dicomize
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import Volume, read_nifti, same_grid, write_nifti
from scarnet_cli.phantom.dicom.dicomize import NamedVolume, write_volumes


def read_stack(folder: Path) -> Volume:
    """Read the one LGE stack of a study by hand: its slices in the order of their positions along the normal."""
    slices = [dcmread(path) for path in folder.rglob("*") if path.is_file()]
    slices = [d for d in slices if "R" in d.ImageType[2][:1] or d.SeriesDescription.startswith("PS:")]
    row, column = (np.array(slices[0].ImageOrientationPatient[i : i + 3], float) for i in (0, 3))
    normal = np.cross(row, column)
    slices.sort(key=lambda d: float(np.array(d.ImagePositionPatient, float) @ normal))
    positions = np.array([d.ImagePositionPatient for d in slices], float)
    ox, oy, oz = (float(v) for v in positions[0])
    dy, dx = (float(v) for v in slices[0].PixelSpacing)
    gap = float(np.linalg.norm(positions[1] - positions[0]))
    array = np.stack([d.pixel_array * float(d.get("RescaleSlope", 1)) for d in slices])
    return Volume(array, (gap, dy, dx), (ox, oy, oz), np.stack([row, column, normal], axis=1))


def test_nifti_file_comes_back_with_its_values_and_geometry(tmp_path: Path) -> None:
    turn = np.array([[0.6, 0.0, 0.8], [0.8, 0.0, -0.6], [0.0, 1.0, 0.0]])
    values = np.random.default_rng(0).integers(0, 256, (5, 16, 18)).astype(np.uint8)
    image = Volume(values, (9.0, 1.4, 1.3), (-31.5, 12.25, 7.0), turn)
    write_nifti(image, tmp_path / "heart.nii.gz")
    result = CliRunner().invoke(dicomize, [str(tmp_path / "heart.nii.gz"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    read = read_stack(tmp_path / "out" / "dicom")
    assert np.array_equal(read.array, values)
    assert same_grid(read, image)
    assert (tmp_path / "out" / "cases.csv").read_text().splitlines()[1].endswith(",heart")


@pytest.mark.parametrize("vendor", ["siemens", "ge", "philips"])
def test_emidec_case_comes_back_exactly_from_every_vendors_files(emidec_dir: Path, tmp_path: Path, vendor: str) -> None:
    folder = sorted(emidec_dir.glob("Case_P*"))[0]
    result = CliRunner().invoke(dicomize, [str(folder), "--out", str(tmp_path), "--vendor", vendor])
    assert result.exit_code == 0, result.output
    case = read_case(folder)
    read = read_stack(tmp_path / "dicom")
    assert np.array_equal(read.array, case.image.array)
    assert same_grid(read, case.image)
    with (tmp_path / "cases.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["case"] == folder.name
    reference = read_nifti(tmp_path / "reference" / f"{row['study_id']}.nii.gz")
    assert np.array_equal(reference.array, case.labels.array)
    assert same_grid(reference, case.image)


def test_neither_nifti_nor_emidec_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(dicomize, [str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "holds no Case_X" in result.output


def test_single_slice_raises(tmp_path: Path) -> None:
    single = NamedVolume(Volume(np.zeros((1, 4, 4)), (8.0, 1.0, 1.0), (0.0, 0.0, 0.0), np.eye(3)))
    with pytest.raises(InputError, match="lonely has one slice"):
        write_volumes({"lonely": lambda: single}, tmp_path, seed=0, vendor=None)
