import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from labelled_study import CONVERTED, SEGMENTED
from shells import Grid, Shell, Wedge, make_shell

from scarnet_cli.errors import GeometryError, IntermediateError
from scarnet_cli.image.volume import read_nifti, write_nifti
from scarnet_cli.quantify.pair import PairOptions, quantify_pair
from scarnet_cli.quantify.quantify_stage import quantify_studies
from scarnet_cli.stage.execution import Execution
from scarnet_cli.stage.folder import StudyFile, study_folder
from scarnet_cli.stage.run import write_failures
from scarnet_cli.tables.columns import schema_of
from scarnet_cli.tables.parquet import read_table
from scarnet_cli.tables.scans import ReferenceMeasures


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """Outputs of CONVERT and SEGMENT with two good studies, one on another grid and one with an unknown label."""
    for number, study_id in enumerate(("b", "a", "shifted", "strange")):
        image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=5 + number))
        convert, segment = (study_folder(tmp_path / name, study_id) for name in ("convert", "segment"))
        convert.write_volume(StudyFile.IMAGE, image)
        segment.write_volume(StudyFile.LABELS, labels)
        convert.write_record(StudyFile.STUDY, replace(CONVERTED, study_id=study_id))
        segment.write_record(StudyFile.SEGMENT_RECORD, replace(SEGMENTED, study_id=study_id))
    shifted, strange = (tmp_path / f"segment/studies/{name}/labels.nii.gz" for name in ("shifted", "strange"))
    write_nifti(replace(read_nifti(shifted), origin_xyz_mm=(9.0, 9.0, 9.0)), shifted)
    labels = read_nifti(strange)
    write_nifti(labels.with_array(np.full_like(labels.array, 9)), strange)
    return tmp_path


@pytest.mark.parametrize("execution", [Execution(), Execution(isolate=True)], ids=["here", "apart"])
def test_batch_measures_the_good_studies_and_names_the_others(stage: Path, execution: Execution) -> None:
    failures = quantify_studies(stage / "convert", stage / "segment", stage / "out", execution)
    assert [(failure.study_id, failure.code) for failure in failures] == [
        ("shifted", "grid_mismatch"),
        ("strange", "unknown_label"),
    ]
    scans = read_table(stage / "out" / "scans.parquet").to_pylist()
    assert [scan["study_id"] for scan in scans] == ["a", "b"]
    assert scans[0]["manufacturer"] == "Siemens"
    assert (scans[0]["confidence"], scans[0]["scar_probability"]) == (0.9, 0.75)
    assert scans[0]["scar_percent_lv_low"] == pytest.approx(scans[0]["scar_percent_lv"] - 5.0)
    assert scans[0]["scar_percent_lv_high"] == pytest.approx(scans[0]["scar_percent_lv"] + 5.0)
    # no less than nothing, and no more than the whole myocardium
    assert (scans[0]["scar_ml_low"], scans[0]["scar_ml_high"]) == (0.0, scans[0]["myocardium_ml"])
    assert (scans[0]["mvo_percent_lv_low"], scans[0]["mvo_percent_lv_high"]) == (0.0, 1.5)
    assert scans[0]["flags"] == ["repeated_slice", "low_confidence", "base_or_apex_missing"]
    assert (scans[0]["study_date"], scans[0]["patient_age_years"], scans[0]["bsa_m2"]) == ("2025-03-04", 63.0, 2.0)
    assert (scans[0]["scanner_model"], scans[0]["slice_gap_mm"]) == ("Aera", 2.0)
    for name in ("blood_pool_ml", "myocardium_ml", "myocardium_g", "scar_ml", "scar_g"):
        assert scans[0][f"{name}_m2"] == pytest.approx(scans[0][name] / 2.0)
    assert scans[1]["slices"] == 5
    assert read_table(stage / "out" / "slices.parquet").num_rows == 5 + 6
    assert read_table(stage / "out" / "segments.parquet").num_rows == 2 * 17
    assert read_table(stage / "out" / "failures.parquet").num_rows == 2
    left = sorted(path.relative_to(stage / "out").as_posix() for path in (stage / "out").rglob("*") if path.is_file())
    assert left == [
        "failures.parquet",
        "readers.parquet",
        "scans.parquet",
        "segments.parquet",
        "slices.parquet",
        "studies/a/labels.nii.gz",
        "studies/a/overlay.png",
        "studies/a/plain.webp",
        "studies/a/study.json",
        "studies/b/labels.nii.gz",
        "studies/b/overlay.png",
        "studies/b/plain.webp",
        "studies/b/study.json",
        "studies/shifted/labels.nii.gz",  # a reader who corrects it needs to see it
        "studies/strange/labels.nii.gz",
    ]


def test_study_json_holds_what_every_stage_knows(stage: Path) -> None:
    quantify_studies(stage / "convert", stage / "segment", stage / "out")
    study = json.loads((stage / "out/studies/a/study.json").read_text())
    scan = next(row for row in read_table(stage / "out/scans.parquet").to_pylist() if row["study_id"] == "a")
    assert study["component"] == "psir"
    assert {key: study.get(key) for key in scan} == scan
    assert "margins" not in study


def test_a_magnitude_image_is_flagged(stage: Path) -> None:
    magnitude = replace(CONVERTED, study_id="a", component="magnitude")
    study_folder(stage / "convert", "a").write_record(StudyFile.STUDY, magnitude)
    quantify_studies(stage / "convert", stage / "segment", stage / "out")
    flags = {row["study_id"]: row["flags"] for row in read_table(stage / "out/scans.parquet").to_pylist()}
    assert "magnitude_image" in flags["a"]
    assert "magnitude_image" not in flags["b"]


def test_weights_that_are_not_calibrated_give_no_interval(stage: Path) -> None:
    record = replace(SEGMENTED, study_id="a", scar_probability=None, margins=None)
    study_folder(stage / "segment", "a").write_record(StudyFile.SEGMENT_RECORD, record)
    quantify_studies(stage / "convert", stage / "segment", stage / "out")
    scan = next(row for row in read_table(stage / "out/scans.parquet").to_pylist() if row["study_id"] == "a")
    names = ("scar_probability", "scar_percent_lv_low", "scar_ml_high", "mvo_percent_lv_low")
    assert [scan[name] for name in names] == [None] * 4


def test_insertion_of_the_samplesheet_is_used(stage: Path) -> None:
    given = replace(CONVERTED, study_id="a", rv_insertion=(31.0, -47.0, 50.0))
    study_folder(stage / "convert", "a").write_record(StudyFile.STUDY, given)
    quantify_studies(stage / "convert", stage / "segment", stage / "out")
    sources = {
        row["study_id"]: row["rv_insertion_source"] for row in read_table(stage / "out/scans.parquet").to_pylist()
    }
    assert sources == {"a": "given", "b": "estimated"}


def test_a_reference_is_compared_and_without_one_its_columns_are_null(stage: Path) -> None:
    # The reference's scar is the whole wall in the first of six slices; ours is a wedge through all of them.
    labels = read_nifti(stage / "segment/studies/a/labels.nii.gz")
    drawn = np.where(labels.array >= 2, 2, labels.array).astype(np.uint8)
    drawn[0][drawn[0] == 2] = 3
    write_nifti(labels.with_array(drawn), stage / "convert/studies/a/reference.nii.gz")
    quantify_studies(stage / "convert", stage / "segment", stage / "out")
    a, b = read_table(stage / "out" / "scans.parquet").to_pylist()
    assert a["reference_myocardium_ml"] == pytest.approx(a["myocardium_ml"])
    assert a["reference_scar_percent_lv"] == pytest.approx(100 / 6, abs=0.1)
    assert a["reference_scar_ml"] == pytest.approx(a["myocardium_ml"] / 6, rel=0.01)
    assert (a["myocardium_dice"], a["myocardium_hd95_mm"]) == (1.0, 0.0)
    # The wedge has 40 of 360 degrees, and lies in the ring with one slice of six.
    wedge, ring, shared = 40 / 360, 1 / 6, 40 / 360 / 6
    assert a["scar_dice"] == pytest.approx(2 * shared / (wedge + ring), abs=0.02)
    assert a["scar_hd95_mm"] > 20
    compared = schema_of(ReferenceMeasures).names
    assert len(compared) == 7
    assert [b[name] for name in compared] == [None] * 7
    study = json.loads((stage / "out/studies/a/study.json").read_text())
    assert study["scar_dice"] == a["scar_dice"]


@pytest.mark.parametrize(
    "damaged", ["convert/studies/a/image.nii.gz", "segment/studies/a/labels.nii.gz", "segment/studies/a/segment.json"]
)
def test_a_damaged_file_of_an_earlier_stage_is_no_failure_of_its_study(stage: Path, damaged: str) -> None:
    path = stage / damaged
    path.write_bytes(path.read_bytes()[:60])
    delete = path.parents[2]
    for damage in ("cut", "gone"):
        if damage == "gone":
            path.unlink()
        with pytest.raises(IntermediateError, match=f"{path.name}, .* is gone or damaged.* delete {delete} and run"):
            quantify_studies(stage / "convert", stage / "segment", stage / "out")


def test_batch_without_studies_writes_empty_tables(tmp_path: Path) -> None:
    for name in ("convert", "segment"):
        write_failures([], tmp_path / name / "failures.parquet")
    assert quantify_studies(tmp_path / "convert", tmp_path / "segment", tmp_path / "out") == []
    for name in ("scans", "slices", "segments", "failures"):
        assert read_table(tmp_path / "out" / f"{name}.parquet").num_rows == 0


def test_pair_gives_the_same_content_twice_and_no_picture(tmp_path: Path) -> None:
    image, labels = make_shell(Shell(wedge=Wedge((70.0, 110.0)), noise=2.0), Grid(slices=4))
    write_nifti(image, tmp_path / "i.nii.gz")
    write_nifti(labels, tmp_path / "l.nii.gz")
    for out in ("first", "second"):
        quantify_pair(tmp_path / "i.nii.gz", tmp_path / "l.nii.gz", tmp_path / out, PairOptions("me"))
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [
        "scans.parquet",
        "segments.parquet",
        "slices.parquet",
    ]
    for name in ("scans", "slices", "segments"):
        first, second = (pq.read_table(tmp_path / out / f"{name}.parquet") for out in ("first", "second"))
        assert first.equals(second)
        assert set(first["study_id"].to_pylist()) == {"me"}


def test_pair_on_two_grids_raises(tmp_path: Path) -> None:
    image, _ = make_shell(Shell(), Grid(slices=4))
    _, labels = make_shell(Shell(), Grid(slices=5))
    write_nifti(image, tmp_path / "i.nii.gz")
    write_nifti(labels.with_array(labels.array.astype(np.int16)), tmp_path / "l.nii.gz")
    with pytest.raises(GeometryError, match=r"not on the image's grid: it has .* the image .* resample it to that"):
        quantify_pair(tmp_path / "i.nii.gz", tmp_path / "l.nii.gz", tmp_path / "out", PairOptions("me"))
    assert not (tmp_path / "out").exists()
