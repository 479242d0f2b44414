"""The command `export`: from images and results to files for an archive."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dicom_series import make_series, save
from exported_study import Labelled, label

from scarnet_cli.cli.main import cli
from scarnet_cli.errors import InputError
from scarnet_cli.tables.parquet import read_table


def scarnet(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments])


@pytest.fixture
def study(tmp_path: Path) -> Labelled:
    save(make_series(), tmp_path / "in")
    return label(tmp_path / "in", tmp_path)


def test_files_are_written_beside_the_results(study: Labelled) -> None:
    out = study.work / "results"
    kept = out / "studies" / study.study_id / "labels.nii.gz"
    kept.parent.mkdir(parents=True)
    for name, stage in (("labels.nii.gz", "segment"), ("study.json", "quantify")):
        (kept.parent / name).write_bytes((study.work / stage / "studies" / study.study_id / name).read_bytes())
    result = scarnet("export", study.root, out, "--out", out)
    assert result.exit_code == 0, result.output
    names = {path.name for path in kept.parent.iterdir()}
    assert names == {"labels.nii.gz", "study.json", "seg.dcm", "report.dcm"}
    assert [row["code"] for row in read_table(out / "exports.parquet").to_pylist()] == [None]


def test_a_batch_is_exported_as_far_as_it_was_measured(study: Labelled, tmp_path: Path) -> None:
    save(make_series(study="1.2.840.99.7.2", series="1.2.840.99.2"), study.root / "another")
    scarnet("index", study.root, "--out", tmp_path / "index")
    (batch,) = (tmp_path / "index" / "batches").iterdir()
    result = scarnet("export", batch, *study.results, "--out", tmp_path / "out", "--isolate")
    assert result.exit_code == 0, result.output
    assert read_table(tmp_path / "out" / "exports.parquet")["study_id"].to_pylist() == [study.study_id]


def test_nothing_to_export_is_said_and_is_exit_code_1(study: Labelled, tmp_path: Path) -> None:
    image = study.work / "convert" / "studies" / study.study_id / "image.nii.gz"
    (tmp_path / "sheet.csv").write_text(f"study,dicom\n{study.study_id},{image}\n")
    result = scarnet("export", tmp_path / "sheet.csv", *study.results, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no_dicom_source" in result.stderr
    assert "Error: no study could be exported." in result.stderr


def test_a_directory_without_results_is_named(study: Labelled, tmp_path: Path) -> None:
    result = scarnet("export", study.root, study.root, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "no_results"
