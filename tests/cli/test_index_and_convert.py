"""The commands `index` and `convert`: exit codes, messages, files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save, stored_pixels

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import Volume, read_nifti, write_nifti
from scarnet_cli.tables.parquet import read_table


def scarnet(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def two_studies(tmp_path: Path) -> Path:
    for i in range(2):
        save(make_series(study=f"1.2.840.99.7.{i}", series=f"1.2.840.99.8.{i}"), tmp_path / "in" / str(i))
    return tmp_path / "in"


def test_index_then_convert_gives_a_volume_for_each_study(tmp_path: Path, two_studies: Path) -> None:
    result = scarnet("index", two_studies, "--out", tmp_path / "index")
    assert result.exit_code == 0, result.output
    assert "2 studies in 1 batch, 0 failed; files: 14 image" in result.stderr
    (batch,) = (tmp_path / "index" / "batches").iterdir()
    result = scarnet("convert", batch, "--out", tmp_path / "out", "--isolate")
    assert result.exit_code == 0, result.output
    for i in range(2):
        folder = tmp_path / "out" / "studies" / study_id_from_uid(f"1.2.840.99.7.{i}")
        np.testing.assert_array_equal(read_nifti(folder / "image.nii.gz").array, stored_pixels(7))
        assert json.loads((folder / "study.json").read_text())["study_instance_uid"] == f"1.2.840.99.7.{i}"
    assert read_table(tmp_path / "out" / "failures.parquet").num_rows == 0


def test_one_broken_study_is_a_row_and_the_other_is_converted(tmp_path: Path, two_studies: Path) -> None:
    path = two_studies / "1" / "002.dcm"
    path.write_bytes(path.read_bytes()[:-50])
    result = scarnet("convert", two_studies, "--out", tmp_path / "out")
    assert result.exit_code == 0
    (row,) = read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    broken, good = (study_id_from_uid(f"1.2.840.99.7.{i}") for i in (1, 0))
    assert (row["study_id"], row["stage"], row["code"]) == (broken, "convert", "bad_pixels")
    assert [p.name for p in (tmp_path / "out" / "studies").iterdir()] == [good]


def test_a_reference_is_copied_and_one_that_cannot_be_compared_is_a_flag(tmp_path: Path, two_studies: Path) -> None:
    scarnet("convert", two_studies, "--out", tmp_path / "first")
    image = next((tmp_path / "first" / "studies").glob("*/image.nii.gz"))
    grid = read_nifti(image)
    write_nifti(grid.with_array(np.full(grid.shape_zyx, 2, np.uint8)), tmp_path / "good.nii.gz")
    write_nifti(grid.with_array(np.full(grid.shape_zyx, 9, np.uint8)), tmp_path / "DOE_JANE.nii.gz")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("study,dicom,reference\ngood,in/0,good.nii.gz\nbad,in/1,DOE_JANE.nii.gz\n")
    assert scarnet("convert", sheet, "--out", tmp_path / "out").exit_code == 0
    good, bad = (tmp_path / "out" / "studies" / name for name in ("good", "bad"))
    assert (read_nifti(good / "reference.nii.gz").array == 2).all()
    assert not (bad / "reference.nii.gz").exists()
    records = [(folder / "study.json").read_text() for folder in (good, bad)]
    assert "reference_unusable" not in json.loads(records[0])["flags"]
    assert "reference_unusable" in json.loads(records[1])["flags"]
    assert "9" in next(r["words"] for r in json.loads(records[1])["rules"] if r["code"] == "reference_unusable")
    assert not any(word in record for word in (str(tmp_path), "DOE_JANE", "good.nii.gz") for record in records)


def test_convert_exits_1_when_nothing_could_be_converted(tmp_path: Path, two_studies: Path) -> None:
    shutil.rmtree(two_studies / "1")
    (two_studies / "0" / "003.dcm").unlink()
    result = scarnet("convert", two_studies, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "slice_gap" in result.stderr
    assert read_table(tmp_path / "out" / "failures.parquet").to_pylist()[0]["code"] == "slice_gap"


def test_convert_takes_nifti_studies_of_a_samplesheet_as_a_reader_sees_them(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    direction = np.diag([-1.0, -1.0, 1.0])
    write_nifti(Volume(array, (9.0, 1.5, 1.25), (10.0, -20.0, 30.0), direction), tmp_path / "case.nii.gz")
    (tmp_path / "sheet.csv").write_text("study,dicom\ncase-1,case.nii.gz\n")
    result = scarnet("convert", tmp_path / "sheet.csv", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    volume = read_nifti(tmp_path / "out" / "studies" / "case-1" / "image.nii.gz")
    assert volume.array.dtype == np.float32
    # The file's columns run to the right and its rows to the front: both are turned round, and the origin goes along.
    np.testing.assert_array_equal(volume.array, array[:, ::-1, ::-1])
    assert volume.origin_xyz_mm == pytest.approx((10.0 - 4 * 1.25, -20.0 - 3 * 1.5, 30.0))
    np.testing.assert_array_equal(volume.direction, np.eye(3))
    facts = json.loads((tmp_path / "out" / "studies" / "case-1" / "study.json").read_text())
    assert facts["study_instance_uid"] is None
    assert facts["flags"] == []


def test_a_path_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    for command in ("index", "convert"):
        result = scarnet(command, tmp_path / "nowhere", "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert "does not exist" in " ".join(result.stderr.replace("│", "").split())


def test_a_folder_without_dicom_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    result = scarnet("index", tmp_path / "in", "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert "no DICOM image: 1 files" in str(result.exception)


def test_batch_sizes_that_cross_are_wrong_usage(tmp_path: Path, two_studies: Path) -> None:
    result = scarnet("index", two_studies, "--out", tmp_path / "out", "--batch-min", 9, "--batch-max", 3)
    assert result.exit_code == 2
    assert "9 is above --batch-max 3" in " ".join(result.stderr.split())


def test_a_file_that_is_no_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1]")
    result = scarnet("convert", tmp_path / "x.json", "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert "x.json is not a batch file" in str(result.exception)


def test_an_output_that_cannot_be_written_to_is_wrong_usage(tmp_path: Path, two_studies: Path) -> None:
    (tmp_path / "file").touch()
    for command in ("index", "convert"):
        result = scarnet(command, two_studies, "--out", tmp_path / "file" / "out")
        assert result.exit_code == 2
        assert "cannot be written to: Not a directory" in " ".join(result.stderr.replace("│", "").split())
