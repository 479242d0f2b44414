"""A samplesheet's labels and references on their way to the tables; each test goes on from the run before."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from nextflow_launch import SMALL_NETWORK, Launch

from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

STAGES = {"CONVERT", "CROP", "SEGMENT", "QUANTIFY"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three studies, one of them broken, and their samplesheet."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(3, folder / "made", broken=1)
    write_sheet(folder, group="drug")
    return folder


def write_sheet(folder: Path, group: str, with_reference: str = "") -> None:
    lines = ["study,dicom,site,group,visit,reference"]
    for name, source in zip("abc", sorted((folder / "made/dicom").iterdir()), strict=True):
        reference = "drawn.nii.gz" if name == with_reference else ""
        lines.append(f"{name},made/dicom/{source.name},Oslo,{group},1,{reference}")
    (folder / "sheet.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def arguments(folder: Path) -> tuple[str, ...]:
    options = ("--tables_format", "csv", *SMALL_NETWORK, "--batch_min", "1", "--batch_max", "1", "--max_cpus", "1")
    return ("--input", str(folder / "sheet.csv"), *options)


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]) -> Launch:
    launch = Launch(tmp_path_factory.mktemp("launch"))
    launch.succeed(*arguments)
    return launch


def rows_of(launch: Launch, table: str) -> list[dict[str, Any]]:
    return pq.read_table(launch.out / "tables" / f"{table}.parquet").to_pylist()


def test_labels_are_in_scans_and_failures_as_parquet_and_csv(launch: Launch) -> None:
    for table in ("scans", "failures"):
        rows = rows_of(launch, table)
        assert rows
        assert {(row["site"], row["group"], row["visit"]) for row in rows} == {("Oslo", "drug", "1")}
        with (launch.out / "tables" / f"{table}.csv").open(newline="") as file:
            assert [row["group"] for row in csv.DictReader(file)] == ["drug"] * len(rows)
    assert (launch.out / "tables" / "cohort.duckdb").exists()


def test_a_corrected_label_measures_nothing_again(launch: Launch, arguments: tuple[str, ...], folder: Path) -> None:
    write_sheet(folder, group="placebo")
    launch.succeed(*arguments, "-resume")
    assert {process for process, _ in launch.tasks("COMPLETED")} == {"INDEX", "GATHER", "REPORT"}
    assert {row["group"] for row in rows_of(launch, "scans")} == {"placebo"}


def test_a_reference_redoes_its_study_alone_and_is_compared(
    launch: Launch, arguments: tuple[str, ...], folder: Path
) -> None:
    study = launch.ids("scans")[0]
    shutil.copy(launch.out / "studies" / study / "labels.nii.gz", folder / "drawn.nii.gz")
    write_sheet(folder, group="placebo", with_reference=study)
    launch.succeed(*arguments, "-resume")
    assert {tag for process, tag in launch.tasks("COMPLETED") if process in STAGES} == {launch.batch_of()[study]}
    compared, other = rows_of(launch, "scans")
    assert compared["study_id"] == study
    assert compared["scar_dice"] == compared["myocardium_dice"] == 1.0
    assert compared["reference_scar_ml"] == pytest.approx(compared["scar_ml"])
    assert other["scar_dice"] is None
    published = {path.name for path in (launch.out / "studies" / study).iterdir()}
    assert published == {"image.nii.gz", "labels.nii.gz", "overlay.png", "study.json"}
