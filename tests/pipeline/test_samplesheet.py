"""A samplesheet's labels and references on their way to the tables; each test goes on from the run before.

A command labels the studies in the place of the networks: a script that knows nothing of hearts.
"""

import csv
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from nextflow_launch import Launch

from scarnet_cli.image.labels import Label
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

STAGES = {"CONVERT", "SEGMENT_COMMAND", "COLLECT", "QUANTIFY"}
# A ring round the picture's middle, bright voxels of it as scar, in values of its own; its output is not a log of ours.
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import SimpleITK as sitk

for path in sorted(Path(sys.argv[1]).iterdir()):
    image = sitk.ReadImage(str(path))
    signal = sitk.GetArrayFromImage(image)
    y, x = np.indices(signal.shape[1:])
    radius = np.broadcast_to(np.hypot(y - signal.shape[1] / 2, x - signal.shape[2] / 2), signal.shape)
    labels = np.where(radius < 12, 10, np.where(radius < 24, 20, 0)).astype(np.uint8)
    wall = labels == 20
    labels[wall & (signal > np.percentile(signal[wall], 80))] = 30
    drawn = sitk.GetImageFromArray(labels)
    drawn.CopyInformation(image)
    sitk.WriteImage(drawn, f"{sys.argv[2]}/{path.name}")
    print("labelled", path.name)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three studies, one of them broken, and their samplesheet."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(3, folder / "made", broken=1)
    write_sheet(folder, group="drug")
    (folder / "ring.py").write_text(SCRIPT)
    (folder / "values.csv").write_text("value,label\n10,blood_pool\n20,myocardium\n30,scar\n")
    return folder


def write_sheet(folder: Path, group: str, with_reference: str = "") -> None:
    lines = ["study,dicom,site,group,visit,reference"]
    for name, source in zip("abc", sorted((folder / "made/dicom").iterdir()), strict=True):
        reference = "drawn.nii.gz" if name == with_reference else ""
        lines.append(f"{name},made/dicom/{source.name},Oslo,{group},1,{reference}")
    (folder / "sheet.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def arguments(folder: Path) -> tuple[str, ...]:
    command = ("--segment_command", f"'{sys.executable}' {{files}} {{images}} {{labels}}")
    command += ("--segment_files", str(folder / "ring.py"), "--segment_label_values", str(folder / "values.csv"))
    options = ("--tables_format", "csv", "--batch_min", "1", "--batch_max", "1", "--max_cpus", "1")
    return ("--input", str(folder / "sheet.csv"), *command, *options)


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


def test_the_command_s_label_maps_are_measured_and_the_tables_name_it(launch: Launch) -> None:
    for row in rows_of(launch, "scans"):
        assert (row["labels_source"], row["segment_mode"]) == ("network", "command")
        assert row["model"] == f"'{Path(sys.executable).name}' {{files}} {{images}} {{labels}}"
        assert row["confidence"] is row["scar_probability"] is row["device"] is None
        # a disc of half the ring's outer radius is a quarter; the brightest fifth of the rest is scar, but for ties
        assert row["scar_percent_lv"] == pytest.approx(20.0, abs=0.5)
        assert row["blood_pool_ml"] / row["myocardium_ml"] == pytest.approx(1 / 3, rel=0.05)  # voxels
    assert {process for process, _ in launch.tasks("COMPLETED")} & {"CROP", "SEGMENT"} == set()


def test_a_corrected_label_measures_nothing_again_and_a_reference_its_study_alone(
    launch: Launch, arguments: tuple[str, ...], folder: Path
) -> None:
    study = launch.ids("scans")[0]
    batch = launch.batch_of()[study]
    shutil.copy(launch.out / "studies" / study / "labels.nii.gz", folder / "drawn.nii.gz")
    write_sheet(folder, group="placebo", with_reference=study)
    launch.succeed(*arguments, "-resume")
    redone = launch.tasks("COMPLETED")
    assert {process for process, tag in redone if tag != batch} == {"INDEX", "GATHER", "REPORT"}
    assert {tag for process, tag in redone if process in STAGES} == {launch.batch_of()[study]}
    compared, other = rows_of(launch, "scans")
    assert compared["study_id"] == study
    assert compared["group"] == other["group"] == "placebo"
    assert compared["scar_dice"] == compared["myocardium_dice"] == 1.0
    assert compared["reference_scar_ml"] == pytest.approx(compared["scar_ml"])
    assert other["scar_dice"] is None
    published = {path.name for path in (launch.out / "studies" / study).iterdir()}
    assert published == {"image.nii.gz", "labels.nii.gz", "overlay.png", "plain.webp", "study.json"}


def test_a_corrected_label_map_is_measured_and_nothing_else_is_done_again(
    launch: Launch, arguments: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    study, other = launch.ids("scans")
    network = read_nifti(launch.out / "studies" / study / "labels.nii.gz")
    drawn = network.with_array(network.array.copy())
    half = drawn.array[..., : drawn.array.shape[2] // 2]
    half[half == Label.MYOCARDIUM] = Label.SCAR
    write_nifti(drawn, tmp_path / "by two readers" / "anna" / f"{study}.nii.gz")
    write_nifti(network, tmp_path / "by two readers" / "ben" / f"{study}.nii.gz")
    launch.succeed(*arguments, "-resume", "--corrected", str(tmp_path / "by two readers"))
    assert launch.tasks("COMPLETED") == {
        ("INDEX", "input"),
        ("QUANTIFY", launch.batch_of()[study]),
        ("GATHER", "cohort"),
        ("REPORT", "cohort"),
    }
    scans = {row["study_id"]: row for row in rows_of(launch, "scans")}
    assert (scans[study]["labels_source"], scans[study]["model"]) == ("corrected", None)
    assert (scans[study]["labels_reader"], scans[other]["labels_reader"]) == ("anna", None)
    (readers,) = rows_of(launch, "readers")
    assert (readers["study_id"], readers["first_reader"], readers["second_reader"]) == (study, "anna", "ben")
    assert readers["first_scar_ml"] == scans[study]["scar_ml"]
    assert readers["second_scar_ml"] == pytest.approx(scans[study]["network_scar_ml"])
    assert readers["scar_dice"] == scans[study]["network_scar_dice"]
    assert "anna and ben: 1 study" in (launch.out / "report" / "index.html").read_text()
    assert scans[other]["labels_source"] == "network"
    assert scans[study]["network_scar_ml"] < scans[study]["scar_ml"]
    assert scans[study]["network_scar_dice"] < 1.0 == scans[study]["network_myocardium_dice"]
    files = launch.out / "studies" / study
    assert np.array_equal(read_nifti(files / "labels.nii.gz").array, drawn.array)
    assert np.array_equal(read_nifti(files / "network_labels.nii.gz").array, network.array)
