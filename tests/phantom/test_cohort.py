import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from pydicom import dcmread

from scarnet_cli.cli.phantom import phantom
from scarnet_cli.dicom.identity import study_id_from_uid
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.phantom.dicom.broken import BREAKS


def make(out: Path, *extra: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(phantom, ["--out", str(out), "--seed", "2", *extra])
    assert result.exit_code == 0, result.output
    return pyarrow.parquet.read_table(out / "truth.parquet").to_pylist()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five studies, of which the last four are broken in the four ways."""
    out = tmp_path_factory.mktemp("cohort")
    make(out, "--studies", "5", "--broken", "4")
    return out


def study_files(cohort: Path, row: dict[str, Any]) -> list[Path]:
    found = [p for p in (cohort / "dicom").rglob("*") if p.is_file()]
    return [p for p in found if dcmread(p, stop_before_pixels=True).StudyInstanceUID == row["study_instance_uid"]]


def row_of(cohort: Path, broken: str | None) -> dict[str, Any]:
    table = pyarrow.parquet.read_table(cohort / "truth.parquet").to_pylist()
    return next(row for row in table if row["broken"] == broken)


def test_truth_table_agrees_with_the_label_maps(cohort: Path) -> None:
    rows = pyarrow.parquet.read_table(cohort / "truth.parquet").to_pylist()
    assert [row["study_id"] for row in rows] == sorted(study_id_from_uid(row["study_instance_uid"]) for row in rows)
    for row in rows:
        labels = read_nifti(cohort / "truth" / f"{row['study_id']}.nii.gz")
        muscle, scar = (region_mask(labels.array, r).sum() for r in ("myocardium", "scar"))
        assert row["myocardium_ml"] == pytest.approx(muscle * labels.voxel_ml, rel=1e-4)
        assert row["scar_percent_lv"] == pytest.approx(100 * scar / muscle, abs=1e-4)


def test_truth_table_is_also_there_as_text(cohort: Path) -> None:
    lines = (cohort / "truth.csv").read_text().splitlines()
    assert len(lines) == 6
    assert lines[0].startswith('"study_id"')


def test_label_map_lies_on_the_grid_of_the_files(cohort: Path) -> None:
    row = row_of(cohort, None)
    labels = read_nifti(cohort / "truth" / f"{row['study_id']}.nii.gz")
    positions = [dcmread(p, stop_before_pixels=True).ImagePositionPatient for p in study_files(cohort, row)]
    for z in range(len(labels.array)):
        corner = labels.world(np.array([z, 0, 0]))
        assert min(math.dist(corner, p) for p in positions) < 1e-3


def test_a_study_is_the_same_in_a_cohort_of_another_size(cohort: Path, tmp_path: Path) -> None:
    make(tmp_path, "--studies", "1")
    assert files(tmp_path / "dicom").items() <= files(cohort / "dicom").items()


def test_vendors_take_turns(cohort: Path) -> None:
    rows = sorted(pyarrow.parquet.read_table(cohort / "truth.parquet").to_pylist(), key=lambda row: row["seed"])
    assert [row["vendor"] for row in rows] == ["siemens", "ge", "philips", "siemens", "ge"]
    assert [row["broken"] for row in rows] == [None, *BREAKS]


def test_truncated_study_has_one_file_cut_in_its_pixels(cohort: Path) -> None:
    row = row_of(cohort, "truncated_pixels")
    short = []
    for path in study_files(cohort, row):
        dataset = dcmread(path)
        short += [len(dataset.PixelData) < dataset.Rows * dataset.Columns * 2]
    assert sum(short) == 1


def test_study_without_stack_holds_no_inversion_recovery(cohort: Path) -> None:
    names = {dcmread(p).SeriesDescription for p in study_files(cohort, row_of(cohort, "no_lge_series"))}
    assert len(names) >= 2
    assert not any("lge" in name.lower() or "de_" in name.lower() for name in names)


def test_study_without_positions_has_them_in_other_series_only(cohort: Path) -> None:
    row = row_of(cohort, "no_positions")
    datasets = [dcmread(p, stop_before_pixels=True) for p in study_files(cohort, row)]
    assert sum("ImagePositionPatient" not in d for d in datasets) == row["slices"]


def test_two_slices_are_left_of_the_stack(cohort: Path) -> None:
    row = row_of(cohort, "two_slices")
    names = [dcmread(p, stop_before_pixels=True).SeriesDescription for p in study_files(cohort, row)]
    assert min(names.count(name) for name in set(names) if "LGE" in name or "DE" in name or "delay" in name) == 2


def test_more_broken_studies_than_studies_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(phantom, ["--studies", "2", "--broken", "3", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "3 of 2 studies" in result.output
