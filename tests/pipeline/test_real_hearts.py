"""Real LGE cases through DICOM, under the strict parser that becomes Nextflow's default."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from nextflow_launch import Launch, scarnet

from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume, read_nifti

pytestmark = pytest.mark.pipeline

CASES = ("Case_P001", "Case_N006")


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory, emidec_dir: Path) -> Launch:
    """One run of a samplesheet that names each case twice: as DICOM, and as the NIfTI file it was made from."""
    folder = tmp_path_factory.mktemp("hearts")
    for case in CASES:
        shutil.copytree(emidec_dir / case, folder / "cases" / case)
        scarnet("dicomize", folder / "cases" / case, "--out", folder / "made" / case)
    write_samplesheet(folder)
    launch = Launch(folder)
    arguments = ("--input", "samplesheet.csv", "--max_cpus", "2")
    launch.succeed(*arguments, nextflow="nextflow-25", extra={"NXF_SYNTAX_PARSER": "v2"})
    return launch


def write_samplesheet(folder: Path) -> None:
    with (folder / "samplesheet.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["study", "dicom"])
        for case in CASES:
            writer.writerow([f"{case}.nifti", f"cases/{case}/Images/{case}.nii.gz"])
            writer.writerow([f"{case}.dicom", f"made/{case}/dicom"])


def test_real_hearts_are_all_measured(launch: Launch) -> None:
    assert launch.ids("failures") == []
    assert launch.ids("scans") == sorted(f"{case}.{form}" for case in CASES for form in ("dicom", "nifti"))


@pytest.mark.parametrize("case", CASES)
def test_labels_are_the_same_through_dicom_and_through_nifti(launch: Launch, case: str) -> None:
    through_dicom, through_nifti = (labels(launch, f"{case}.{form}") for form in ("dicom", "nifti"))
    assert through_dicom.spacing_zyx_mm == pytest.approx(through_nifti.spacing_zyx_mm)
    np.testing.assert_array_equal(through_dicom.array, through_nifti.array)


@pytest.mark.parametrize("case", CASES)
def test_the_myocardium_found_is_the_experts(launch: Launch, case: str) -> None:
    found = region_mask(labels(launch, f"{case}.nifti").array, "myocardium")
    expert = region_mask(read_nifti(launch.folder / "cases" / case / "Contours" / f"{case}.nii.gz").array, "myocardium")
    # The shipped weights saw these cases in training: this shows that nothing is shifted or turned, no more.
    assert 2 * (found & expert).sum() / (found.sum() + expert.sum()) > 0.7


def labels(launch: Launch, study_id: str) -> Volume:
    return read_nifti(launch.out / "studies" / study_id / "labels.nii.gz")
